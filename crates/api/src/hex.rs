//! Numbers in hexadecimal, without the machinery of formatting: every request writes some.

/// Appends a number without leading zeros.
pub(crate) fn append_hex(number: u64, to: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [0; 16];
    let mut begin = text.len();
    let mut rest = number;
    loop {
        begin -= 1;
        text[begin] = DIGITS[(rest & 0xf) as usize];
        rest >>= 4;
        if rest == 0 {
            break;
        }
    }
    to.push_str(std::str::from_utf8(&text[begin..]).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_the_library_would() {
        for number in [0, 1, 9, 10, 15, 16, 255, 256, 0xdead_beef, u64::MAX - 1, u64::MAX] {
            let mut text = String::new();
            append_hex(number, &mut text);
            assert_eq!(text, format!("{number:x}"));
        }
    }
}
