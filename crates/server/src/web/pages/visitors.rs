//! `/visitors`: who visited, who changed the colour on the session test page, and how long that is remembered.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use cordee_domain::ids::ServerName;
use cordee_domain::problem::Problem;
use cordee_domain::text;
use cordee_domain::visitors::parse_part;
use serde::Deserialize;

use super::wrong::Wrong;
use super::{accepted, carry_out, shorten, target};
use crate::control::Declined;
use crate::control::act::Consent;
use crate::store::visitors::{MOST_ADDRESSES, Which};
use crate::web::App;
use crate::web::api::visitors::{Read, keeping, read, words};
use crate::web::error::{Refusal, form_status};
use crate::web::page::{Member, NavItem, Page, Visit, show};
use crate::web::read::{Form, Path, Query};
use crate::web::view::grouped;
use crate::web::view::visitors::{self as view, ChangeRow, Moment, VisitorRow};

/// How many visitors one page shows.
const ROWS: u32 = 100;

/// The query. Anything but a number means the beginning.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct QueryFields {
    address: String,
    server: String,
    skip: String,
}

/// The settings, as a browser sends them.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    days: String,
    shorten: String,
    trusted: String,
}

/// What the page's forms contain, and its problems.
#[derive(Debug, Default)]
struct Forms {
    address: String,
    days: String,
    shorten: bool,
    trusted: String,
    errors: Wrong,
}

#[derive(Template)]
#[template(path = "visitors.html")]
struct Visitors {
    p: Page,
    /// The server whose visitors are shown; empty for all.
    server: String,
    servers: Vec<String>,
    forms: Forms,
    deaf: bool,
    rows: Vec<VisitorRow>,
    changes: Vec<ChangeRow>,
    total: u64,
    stored: u64,
    sent: u64,
    lost: Vec<String>,
    gaps: Vec<(Moment, Moment, String)>,
    /// The addresses of the pages with older and newer visitors.
    older: Option<String>,
    newer: Option<String>,
    /// The address of the same list as a CSV table.
    table: String,
    blank: VisitorRow,
    blank_change: ChangeRow,
}

impl Visitors {
    /// Returns the colours by their words in the log, for rows that come later.
    fn colours(&self) -> [(&'static str, String); 8] {
        view::colours(self.p.lang)
    }

    fn error(&self, field: &str) -> Option<&str> {
        self.forms.errors.at(field)
    }

    fn about_total(&self) -> String {
        self.p.lang.say(&text!("visitors-total", count = self.total))
    }

    fn about_most(&self) -> String {
        self.p.lang.say(&text!("visitors-most", most = grouped(MOST_ADDRESSES, self.p.lang)))
    }
}

/// Shows the visitors of all servers, or of the one that the query names.
pub(super) async fn page(
    Member(visit): Member,
    State(app): State<App>,
    Query(asked): Query<QueryFields>,
) -> Response {
    let server = if asked.server.is_empty() {
        None
    } else {
        match target(&app, "web", &asked.server) {
            Ok(target) => Some(target.server.name),
            // The visitors of a server that is gone are still in the list.
            Err(problem) => match ServerName::parse(&asked.server) {
                Ok(name) => Some(name),
                Err(_) => return visit.refusal(&app, Refusal::problem(problem, visit.lang)),
            },
        }
    };
    answer(&visit, &app, server, &asked, None).await
}

/// Shows the visitors of one server, from its row.
pub(super) async fn of_server(
    Member(visit): Member,
    State(app): State<App>,
    Path((pool, name)): Path<(String, String)>,
) -> Response {
    match target(&app, &pool, &name) {
        Ok(target) => answer(&visit, &app, Some(target.server.name), &QueryFields::default(), None).await,
        Err(problem) => visit.refusal(&app, Refusal::problem(problem, visit.lang)),
    }
}

/// Changes how visitors are remembered.
pub(super) async fn keep(
    Member(visit): Member,
    State(app): State<App>,
    Form(typed): Form<Typed>,
) -> Response {
    let done = match keeping(&typed.days, typed.shorten == "on", &typed.trusted) {
        Ok(act) => carry_out(&app, &visit, act, &Consent::NONE).await,
        Err(problems) => Err(Declined::Refused(problems)),
    };
    match done {
        Ok(told) if visit.script => accepted(&visit, &told.effect, None),
        Ok(_) => Redirect::to("/visitors#keeping").into_response(),
        Err(Declined::Refused(problems)) if !visit.script => {
            answer(&visit, &app, None, &QueryFields::default(), Some((typed, problems))).await
        }
        Err(declined) => visit.declined(&app, declined),
    }
}

async fn answer(
    visit: &Visit,
    app: &App,
    server: Option<ServerName>,
    asked: &QueryFields,
    refused: Option<(Typed, Vec<Problem>)>,
) -> Response {
    let mut problems = Vec::new();
    let part = parse_part(&asked.address).map_err(|p| problems.push(p)).unwrap_or_default();
    let skip = asked.skip.parse::<u32>().unwrap_or(0).min(1_000_000);
    let (visitors, which) = (app.store.visitors(), Which { address: part, server: server.clone() });
    let found = match app.blocking(move || read(&visitors, &which, ROWS, skip)).await {
        Ok(found) => found,
        Err(error) => return visit.refusal(app, Refusal::store(&error, visit.lang)),
    };
    let typed = refused.map(|(typed, more)| {
        problems.extend(more);
        typed
    });
    let status = if problems.is_empty() { StatusCode::OK } else { form_status(&problems) };
    let forms = forms(visit, app, asked, typed, &problems);
    let query = Asking { server: server.as_ref().map_or("", ServerName::as_str), address: &asked.address };
    show(status, &filled(visit, app, &found, forms, &query, skip))
}

/// The present query, for the addresses of other pages.
struct Asking<'a> {
    server: &'a str,
    address: &'a str,
}

fn forms(visit: &Visit, app: &App, asked: &QueryFields, typed: Option<Typed>, problems: &[Problem]) -> Forms {
    let wish = app.board.desired().visitors.clone();
    let errors = Wrong::of(problems, visit.lang);
    let address = self::shorten(&asked.address);
    let (days, shorten, trusted) = match typed {
        Some(typed) => {
            let trusted = typed.trusted.chars().take(1_024).collect();
            (self::shorten(&typed.days), typed.shorten == "on", trusted)
        }
        None => (wish.days.to_string(), wish.shorten, words(&wish)),
    };
    Forms { address, days, shorten, trusted, errors }
}

fn filled(visit: &Visit, app: &App, found: &Read, forms: Forms, query: &Asking<'_>, skip: u32) -> Visitors {
    let lang = visit.lang;
    let counts = found.mark.counts;
    let end = u64::from(skip) + u64::try_from(found.visitors.len()).unwrap_or(0);
    Visitors {
        p: visit.page(app, NavItem::Visitors),
        server: query.server.to_owned(),
        servers: app.board.desired().web.servers.iter().map(|s| s.name.to_string()).collect(),
        forms,
        deaf: app.recent_requests.is_deaf(),
        rows: found.visitors.iter().map(|v| view::visitor(v, lang)).collect(),
        changes: found.changes.iter().map(|c| view::change(c, lang)).collect(),
        total: found.total,
        stored: counts.stored,
        sent: counts.stored + counts.dropped(),
        lost: view::lost(&counts, lang),
        gaps: found.gaps.iter().map(|g| view::gap(g, lang)).collect(),
        older: (end < found.total).then(|| query.to(skip + ROWS)),
        newer: (skip > 0).then(|| query.to(skip.saturating_sub(ROWS))),
        table: format!("/api/v1/visitors.csv?{}", query.written()),
        blank: VisitorRow::default(),
        blank_change: ChangeRow::default(),
    }
}

impl Asking<'_> {
    /// Only letters, digits and punctuation of addresses get here; with any other character nothing would be
    /// found, so it is left out.
    fn written(&self) -> String {
        let plain = |text: &str| -> String {
            text.chars().filter(|c| c.is_ascii_alphanumeric() || ":._-".contains(*c)).collect()
        };
        format!("server={}&address={}", plain(self.server), plain(self.address))
    }

    fn to(&self, skip: u32) -> String {
        format!("/visitors?{}&skip={skip}", self.written())
    }
}
