//! Documents have one title and no invisible white space.

use super::{Fault, File, Tree};

/// Faults of every Markdown file.
pub fn check(tree: &Tree) -> Vec<Fault> {
    let documents = tree.files().filter(|file| file.path.ends_with(".md"));
    documents.flat_map(check_file).collect()
}

fn check_file(file: &File) -> Vec<Fault> {
    let mut faults = Vec::new();
    let titles = titles(&file.text);
    if titles.len() != 1 {
        let line = titles.get(1).copied().unwrap_or(1);
        faults.push(Fault::new(
            &file.path,
            line,
            format!("{} titles (`# …`), not one", titles.len()),
        ));
    }
    for (index, line) in file.text.lines().enumerate() {
        if line.ends_with([' ', '\t']) {
            faults.push(Fault::new(&file.path, index + 1, "white space at the end of the line"));
        }
    }
    faults
}

/// The lines of first-level headings; a `#` in a code block is not one.
fn titles(text: &str) -> Vec<usize> {
    let mut fence: Option<&str> = None;
    let mut titles = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let start = line.trim_start();
        let mark = ["```", "~~~"].into_iter().find(|mark| start.starts_with(mark));
        match (fence, mark) {
            (None, Some(mark)) => fence = Some(mark),
            (Some(open), Some(mark)) if open == mark => fence = None,
            (None, None) if line.starts_with("# ") || start.starts_with("<h1") => {
                titles.push(index + 1)
            }
            _ => {}
        }
    }
    titles
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Vec<(usize, String)> {
        let found = check(&Tree::planted(&[("docs/a.md", text)]));
        found.into_iter().map(|fault| (fault.line, fault.message)).collect()
    }

    #[test]
    fn planted_titles_are_counted() {
        assert_eq!(faults("# One\n\n## Part\n\n```sh\n# a comment\n```\n"), []);
        assert_eq!(faults("Text\n")[0].1, "0 titles (`# …`), not one");
        assert_eq!(faults("# One\n\n# Two\n"), [(3, "2 titles (`# …`), not one".to_owned())]);
    }

    #[test]
    fn planted_white_space_is_found() {
        assert_eq!(faults("# One\nText \n")[0].0, 2);
        assert_eq!(faults("# One\nText\t\n")[0].0, 2);
    }
}
