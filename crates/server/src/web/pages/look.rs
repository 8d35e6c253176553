//! Looking at one server: its logs, and a connection test step by step.

use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use cordee_domain::apache;
use cordee_domain::entries::newest_first;
use cordee_domain::ids::PoolId;
use cordee_domain::text;
use serde::{Deserialize, Serialize};

use super::target;
use super::tools::unavailable;
use super::wrong::Wrong;
use crate::board::{Ask, LogFile};
use crate::recent_requests::Wanted;
use crate::web::App;
use crate::web::api::visitors::wanted;
use crate::web::error::Refusal;
use crate::web::packing::Unpacked;
use crate::web::page::{Member, NavItem, Page, show};
use crate::web::read::{Path, Query};
use crate::web::view::visitors::{self as view, RequestRow};
use crate::words::Lang;

/// How many lines of each file are shown.
const LINES: usize = 200;
const PATIENCE: Duration = Duration::from_secs(15);

#[derive(Template)]
#[template(path = "logs.html")]
struct Logs {
    p: Page,
    name: String,
    pool: &'static str,
    files: Vec<LogFile>,
    /// Cordée starts the server, so it has logs on this machine.
    ours: bool,
    /// A web server has requests.
    visited: bool,
    requests: Vec<RequestRow>,
    /// The id of the newest request that was looked at.
    last: u64,
    /// Include the lines of our own checks.
    checks: bool,
    asked: QueryFields,
    errors: Wrong,
    blank: RequestRow,
}

impl Logs {
    fn tone(line: &str) -> &'static str {
        tone(line)
    }

    /// Reports whether this file's checks can be shown or hidden.
    fn has_checks(&self, file: &LogFile) -> bool {
        self.visited && file.name == apache::LOGS[0]
    }

    fn hidden(&self, file: &LogFile) -> String {
        hidden(file.hidden, self.p.lang)
    }

    fn error(&self, field: &str) -> Option<&str> {
        self.errors.at(field)
    }

    /// Reports whether the requests are filtered.
    fn is_sifted(&self) -> bool {
        let QueryFields { status, path, address, .. } = &self.asked;
        !(status.is_empty() && path.is_empty() && address.is_empty())
    }
}

/// The query: which requests are asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct QueryFields {
    status: String,
    path: String,
    address: String,
    /// `shown`: include the lines of our own checks.
    checks: String,
    /// For our script: only requests after this id.
    after: String,
}

/// What our script puts into the page.
#[derive(Serialize)]
struct Tail {
    last: u64,
    requests: Vec<RequestRow>,
    files: Vec<FileTail>,
}

#[derive(Serialize)]
struct FileTail {
    name: String,
    /// How many lines of checks are hidden, in words; empty when none is.
    hidden: String,
    lines: Vec<LineTail>,
}

#[derive(Serialize)]
struct LineTail {
    st: &'static str,
    text: String,
}

impl FileTail {
    fn of(file: LogFile, lang: Lang) -> Self {
        let lines = file
            .lines
            .into_iter()
            .map(|line| LineTail { st: tone(&line), text: text::seen(&line).into_owned() });
        Self { hidden: hidden(file.hidden, lang), name: file.name, lines: lines.collect() }
    }
}

/// Returns how many lines of our own checks are hidden, in words; empty when none is.
fn hidden(count: usize, lang: Lang) -> String {
    if count == 0 { String::new() } else { lang.say(&text!("logs-hidden", count = count)) }
}

/// Returns the tone of a line: lines about errors stand out by colour and by weight.
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
    Query(asked): Query<QueryFields>,
) -> Response {
    let target = match target(&app, &pool, &name) {
        Ok(target) => target,
        Err(problem) => return visit.refusal(&app, Refusal::problem(problem, visit.lang)),
    };
    let ours = target.server.is_ours();
    let name = target.server.name;
    let checks = asked.checks == "shown";
    let reply = app.board.ask(|reply| Ask::Logs { name: name.clone(), lines: LINES, checks, reply });
    let Ok(Some(mut files)) = tokio::time::timeout(PATIENCE, reply).await else {
        return unavailable(&visit, &app);
    };
    for file in &mut files {
        file.lines = newest_first(std::mem::take(&mut file.lines));
    }
    let after = asked.after.parse().unwrap_or(0);
    let (wanted, problems) = match wanted(&asked.status, &asked.path, &asked.address, after) {
        Ok(wanted) => (Some(wanted), Vec::new()),
        Err(problems) => (None, problems),
    };
    let last = app.recent_requests.last();
    // A Cordée that was restarted counts from the beginning.
    let wanted = wanted.map(|w| Wanted { after: if w.after > last { 0 } else { w.after }, ..w });
    let requests =
        wanted.map(|w| app.recent_requests.requests_until(last, &name, &w, LINES)).unwrap_or_default();
    let requests: Vec<RequestRow> = requests.iter().map(view::request).collect();
    if visit.script {
        if let Some(problem) = problems.into_iter().next() {
            return visit.refusal(&app, Refusal::problem(problem, visit.lang));
        }
        let files = files.into_iter().map(|file| FileTail::of(file, visit.lang)).collect();
        return (Unpacked, axum::Json(Tail { last, requests, files })).into_response();
    }
    let status = if problems.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let logs = Logs {
        p: visit.page(&app, NavItem::Board),
        name: name.to_string(),
        pool: target.pool.as_str(),
        files,
        ours,
        visited: target.pool == PoolId::Web,
        // Newest first, as in every list.
        requests: requests.into_iter().rev().collect(),
        last,
        checks,
        errors: Wrong::of(&problems, visit.lang),
        asked,
        blank: RequestRow::default(),
    };
    // Visitors of the site write into these logs.
    (Unpacked, show(status, &logs)).into_response()
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
    let p = visit.page(&app, NavItem::Board);
    show(StatusCode::OK, &Test { p, name: name.to_string(), pool: pool.as_str(), passed, steps })
}
