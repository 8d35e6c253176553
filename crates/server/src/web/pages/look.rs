//! Looking at one server: its logs, and a connection test step by step.

use std::time::Duration;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::target;
use super::tools::unavailable;
use crate::board::{Ask, LogFile};
use crate::web::App;
use crate::web::error::Refusal;
use crate::web::page::{Member, Page, Place, show};

/// Lines of each file.
const LINES: usize = 200;
const PATIENCE: Duration = Duration::from_secs(15);

#[derive(Template)]
#[template(path = "logs.html")]
struct Logs {
    p: Page,
    name: String,
    pool: &'static str,
    files: Vec<LogFile>,
}

impl Logs {
    fn tone(line: &str) -> &'static str {
        tone(line)
    }
}

/// Lines that say what went wrong stand out, by colour and by weight.
pub(super) fn tone(line: &str) -> &'static str {
    let lower = line.to_ascii_lowercase();
    let any = |words: &[&str]| words.iter().any(|w| lower.contains(w));
    if any(&[":error]", "[error]", "fatal", ":crit]", ":emerg]", ":alert]"]) {
        "crit"
    } else if any(&["[warning]", ":warn]", "php warning"]) {
        "warn"
    } else {
        ""
    }
}

#[derive(Template)]
#[template(path = "test.html")]
struct Test {
    p: Page,
    name: String,
    pool: &'static str,
    passed: bool,
    steps: Vec<Step>,
}

struct Step {
    st: &'static str,
    name: String,
    says: String,
    ms: u64,
}

/// `GET /pools/{pool}/servers/{name}/logs`
pub(super) async fn logs(
    Member(visit): Member,
    State(app): State<App>,
    Path((pool, name)): Path<(String, String)>,
) -> Response {
    let target = match target(&app, &pool, &name) {
        Ok(target) => target,
        Err(problem) => return visit.refusal(&app, Refusal::problem(problem, visit.lang)),
    };
    let name = target.server.name;
    let asked = app.board.ask(|reply| Ask::Logs { name: name.clone(), lines: LINES, reply });
    let Ok(Some(files)) = tokio::time::timeout(PATIENCE, asked).await else {
        return unavailable(&visit, &app);
    };
    let p = visit.page(&app, Place::Board);
    show(StatusCode::OK, &Logs { p, name: name.to_string(), pool: target.pool.as_str(), files })
}

/// `GET /pools/{pool}/servers/{name}/test`
pub(super) async fn test(
    Member(visit): Member,
    State(app): State<App>,
    Path((pool, name)): Path<(String, String)>,
) -> Response {
    let target = match target(&app, &pool, &name) {
        Ok(target) => target,
        Err(problem) => return visit.refusal(&app, Refusal::problem(problem, visit.lang)),
    };
    let (pool, name) = (target.pool, target.server.name);
    let asked = app.board.ask(|reply| Ask::Test { pool, name: name.clone(), reply });
    let Ok(Some(report)) = tokio::time::timeout(PATIENCE, asked).await else {
        return unavailable(&visit, &app);
    };
    let passed = report.passed();
    let steps = report
        .steps
        .iter()
        .map(|s| Step {
            st: if s.ok { "good" } else { "crit" },
            name: visit.lang.say(&s.name),
            says: visit.lang.say(&s.says),
            ms: s.ms,
        })
        .collect();
    let p = visit.page(&app, Place::Board);
    show(StatusCode::OK, &Test { p, name: name.to_string(), pool: pool.as_str(), passed, steps })
}
