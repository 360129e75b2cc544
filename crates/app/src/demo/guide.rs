//! What the demo tells whoever has started it: where everything is, and the lines to try.

use serde::Serialize;

use super::Scene;
use super::people::{self, MINA, MISSION, MISSION_TITLE, PEOPLE, Person};
use crate::output::Output;

/// Where everything is.
#[derive(Serialize)]
struct Guide {
    server: String,
    outside: String,
    config: String,
    catalog: String,
    /// Of the admin API.
    admin_key: String,
    user: UserLine,
    users: Vec<UserLine>,
    commands: Vec<Command>,
}

/// A user with the address that opens his page for the next hours.
#[derive(Serialize)]
struct UserLine {
    user_id: String,
    story: &'static str,
    page_url: String,
}

/// A line for the shell, and what it does.
#[derive(Serialize)]
struct Command {
    what: String,
    line: String,
}

/// Opens everybody's page, and tells.
pub(super) async fn show(scene: &Scene<'_>, out: Output) -> anyhow::Result<()> {
    let guest = guest(scene).await?;
    let mut users = Vec::new();
    for person in &PEOPLE[1..] {
        users.push(user_line(scene, person, person.user_id.to_owned()).await?);
    }
    let server = format!("http://{}", scene.server);
    let outside = scene.outside.base();
    let guide = Guide {
        commands: commands(scene, &server, &outside, &guest),
        user: user_line(scene, MINA, guest).await?,
        users,
        config: scene.folder.config().display().to_string(),
        catalog: scene.folder.catalog().display().to_string(),
        admin_key: scene.folder.keys.admin.clone(),
        server,
        outside,
    };
    out.answer(&guide, text)
}

/// Somebody like Mina who has not begun anything: in a demo that is continued, she may have.
async fn guest(scene: &Scene<'_>) -> anyhow::Result<String> {
    for number in 1.. {
        let user_id = match number {
            1 => MINA.user_id.to_owned(),
            _ => format!("{}-{number}", MINA.user_id),
        };
        let keys = &scene.folder.keys;
        let opened = scene.caller.call(&MINA.open_session(keys, &user_id)).await?;
        let runs = people::runs().with_key(&opened.text("token")?);
        let runs = scene.caller.call(&runs).await?;
        if runs.body["enrollments"].as_array().is_none_or(Vec::is_empty) {
            return Ok(user_id);
        }
    }
    Ok(MINA.user_id.to_owned())
}

async fn user_line(
    scene: &Scene<'_>,
    person: &Person,
    user_id: String,
) -> anyhow::Result<UserLine> {
    let opened = scene.caller.call(&person.open_session(&scene.folder.keys, &user_id)).await?;
    Ok(UserLine { user_id, story: person.story, page_url: opened.text("page_url")? })
}

/// The way through a mission, for the shell. Tokens that only the answers hold are kept in
/// variables, so that the lines can be pasted as they are.
fn commands(scene: &Scene<'_>, server: &str, outside: &str, user_id: &str) -> Vec<Command> {
    let keys = &scene.folder.keys;
    let key = MINA.key(keys);
    let session = MINA.session(user_id);
    let postback = |event: &str| {
        let path = people::generic_postback(keys, "$CLICK_ID", event).path;
        format!("curl -s \"{server}{path}\"")
    };
    let field = |name: &str| format!("sed 's/.*\"{name}\":\"\\([^\"]*\\)\".*/\\1/'");
    let lines = [
        (
            format!("{user_id}'s app opens a session for her"),
            format!(
                "SESSION=$(curl -s {server}/v1/sessions -H 'authorization: Bearer {key}' \\\n  \
                 -H 'content-type: application/json' \\\n  -d '{session}' \\\n  | {})",
                field("token")
            ),
        ),
        (
            "what she may do".to_owned(),
            format!("curl -s {server}/v1/missions -H \"authorization: Bearer $SESSION\""),
        ),
        (
            format!("she starts {MISSION_TITLE}"),
            format!(
                "CLICK_ID=$(curl -s -X POST {server}/v1/missions/{MISSION}/participations \\\n  \
                 -H \"authorization: Bearer $SESSION\" | {})",
                field("click_id")
            ),
        ),
        ("the advertiser reports that she has installed it".to_owned(), postback("install")),
        ("and that she has reached level 5".to_owned(), postback("level_5")),
        (
            "she has been paid".to_owned(),
            format!("curl -s {server}/v1/wallet -H \"authorization: Bearer $SESSION\""),
        ),
        ("and her app's server has been told".to_owned(), format!("curl -s {outside}/received")),
    ];
    lines.into_iter().map(|(what, line)| Command { what, line }).collect()
}

fn text(guide: &Guide) -> String {
    let Guide { server, outside, config, catalog, admin_key, user, users, commands } = guide;
    let lines = commands.iter().map(|one| format!("# {}\n{}\n", one.what, one.line));
    let lines: Vec<String> = lines.collect();
    let width = users.iter().map(|one| one.user_id.len()).max().unwrap_or(0);
    let others = users.iter().map(|one| {
        let UserLine { user_id, story, page_url } = one;
        format!("  {user_id:<width$}  {story}\n  {:<width$}  {page_url}\n", "")
    });
    format!(
        "Guerdon is running. Stop it with Ctrl-C; run the same command to continue.\n\
         \n\
         \x20 API and mission page  {server}\n\
         \x20 OpenAPI document      {server}/openapi.json\n\
         \x20 The world outside     {outside}  (two pretend publishers, three advertisers)\n\
         \x20 Configuration         {config}\n\
         \x20 Catalogue             {catalog}\n\
         \x20 Key of the admin API  {admin_key}\n\
         \n\
         The mission page of {user}, who {story}:\n\
         \n\
         \x20 {page}\n\
         \n\
         Or lead her through a mission in another terminal:\n\
         \n\
         {}\n\
         Others, and where they stand:\n\
         \n\
         {}\n\
         Check the books at any time: guerdon --config {config} verify\n\
         What the publishers receive is shown here:\n",
        lines.join("\n"),
        others.collect::<String>(),
        user = user.user_id,
        story = user.story,
        page = user.page_url,
    )
}
