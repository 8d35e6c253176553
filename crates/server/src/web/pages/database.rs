//! `GET /pools/db/servers/{name}`: one database in detail. The database is queried only when somebody opens the
//! page.

use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use cordee_domain::actions::Action;
use cordee_domain::db::detail::Detail;
use cordee_domain::entries::newest_first;
use cordee_domain::ids::PoolId;
use cordee_domain::state::State as Is;
use cordee_domain::text;
use cordee_node::clock::now;

use super::target;
use crate::board::{Ask, LogFile};
use crate::web::App;
use crate::web::error::Refusal;
use crate::web::packing::Unpacked;
use crate::web::page::{Member, NavItem, Page, show};
use crate::web::read::Path;
use crate::web::view::detail::{Pair, TruthRow, about, advice, membership, pairs, promise, truths};
use crate::web::view::facts::{
    AccountRow, ConflictRow, CrowdRow, PositionRow, SettingRow, TableRow, ThreadRow, accounts, conflicts,
    crowds, positions, settings, tables, threads,
};
use crate::web::view::{self, EventRow, ServerRow, StatusRow};

/// Time limit for the answers: a frozen database gives none.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many lines of its error log are shown.
const LINES: usize = 12;
/// Its error log, among the logs that it writes.
const ERRORS: &str = "mariadb.log";
/// How many lines of the journal about it are shown.
const EVENTS: u32 = 10;

#[derive(Template)]
#[template(path = "database.html")]
struct Database {
    p: Page,
    r: ServerRow,
    about: Vec<String>,
    membership: String,
    advice: Option<String>,
    promote: bool,
    compare: bool,
    /// Whose rows can be taken where they differ: `Some(false)`: the writer's; `Some(true)`: this database's, too.
    repair: Option<bool>,
    conflicts: Vec<ConflictRow>,
    pairs: Vec<Pair>,
    truths: Vec<TruthRow>,
    tables: Vec<TableRow>,
    promise: Option<StatusRow>,
    facts: Result<Facts, String>,
    settings: Vec<SettingRow>,
    events: Vec<EventRow>,
    log: Option<LogFile>,
    as_of: String,
}

/// What only the database itself can report.
struct Facts {
    threads: Vec<ThreadRow>,
    positions: Vec<PositionRow>,
    accounts: Vec<AccountRow>,
    crowds: Vec<CrowdRow>,
    connections: String,
}

impl Database {
    fn differing(&self) -> usize {
        self.settings.iter().filter(|s| !s.fine).count()
    }

    /// Reports whether a table is proven to differ.
    fn differs(&self) -> bool {
        self.tables.iter().any(|table| table.st == "crit")
    }

    fn tone(line: &str) -> &'static str {
        super::look::tone(line)
    }
}

/// Shows the page.
pub(super) async fn page(
    Member(visit): Member,
    State(app): State<App>,
    Path((pool, name)): Path<(String, String)>,
) -> Response {
    let target = match target(&app, &pool, &name) {
        Ok(target) => target,
        Err(problem) => return visit.refusal(&app, Refusal::problem(problem, visit.lang)),
    };
    let (server, lang) = (target.server, visit.lang);
    let Some(base) = server.as_database() else {
        // A web server has no page but its logs.
        return Redirect::to(&format!("/pools/web/servers/{}/logs", server.name)).into_response();
    };
    let asked = app.board.ask(|reply| Ask::Detail { name: server.name.clone(), reply });
    let logs =
        app.board.ask(|reply| Ask::Logs { name: server.name.clone(), lines: LINES, checks: false, reply });
    let (detail, logs) =
        tokio::join!(tokio::time::timeout(PATIENCE, asked), tokio::time::timeout(PATIENCE, logs));
    let detail = detail.ok().flatten().unwrap_or_else(|| {
        Box::new(Detail {
            at: now(),
            own: Err(text!("detail-no-engine").into()),
            peers: std::collections::BTreeMap::new(),
            comparisons: std::collections::BTreeMap::new(),
            conflicts: std::collections::BTreeMap::new(),
            starts_closed: None,
        })
    });
    let log = logs.ok().flatten().and_then(|files| files.into_iter().find(|f| f.name == ERRORS));
    let log = log.map(|file| LogFile { lines: newest_first(file.lines), ..file });
    let subject = server.name.to_string();
    let events = match app.lines(lang, move |store| store.events_about(&subject, EVENTS)).await {
        Ok(events) => events,
        Err(error) => return visit.refusal(&app, Refusal::store(&error, lang)),
    };
    let (desired, snapshot, now) = (app.board.desired(), app.board.snapshot(), now());
    let picture = view::picture(&snapshot, lang, now);
    let view = snapshot.servers.iter().find(|s| s.name == server.name);
    let row = picture.servers.iter().find(|s| s.name == server.name.as_str());
    let r = row.cloned().unwrap_or_else(|| ServerRow::blank(PoolId::Db));
    let facts = detail.own.as_ref().map_err(|why| lang.say(&why.sentence())).map(|own| Facts {
        threads: threads(own, lang),
        positions: positions(&desired, &server, own, lang),
        accounts: accounts(own, lang),
        crowds: crowds(own, lang),
        connections: lang.say(&text!(
            "crowd-connections",
            count = own.after.connections,
            most = own.after.most_connections
        )),
    });
    let page = Database {
        about: about(base, view, lang),
        membership: membership(base, lang),
        advice: view.and_then(|v| advice(v, lang)),
        promote: view.is_some_and(|v| v.actions.contains(&Action::Promote)),
        // A database that does not answer cannot be read.
        compare: view.is_some_and(|v| {
            let silent = [Is::Frozen, Is::Down, Is::Unreachable, Is::Unknown];
            v.actions.contains(&Action::Verify) && !silent.contains(&v.status.state)
        }),
        // While a channel is stopped, only the writer's rows can be taken.
        repair: view.filter(|v| v.actions.contains(&Action::Repair)).map(|_| detail.conflicts.is_empty()),
        conflicts: conflicts(&server, &detail, lang),
        pairs: pairs(&picture, &r, Some(&detail), lang),
        truths: truths(&desired, base, view, &detail, lang, now),
        tables: tables(&server, &detail, lang),
        promise: promise(&desired, base, &detail, lang),
        settings: settings(&desired, base, &detail, lang),
        facts,
        events,
        log,
        as_of: lang.say(&text!("detail-as-of", time = view::clock_time(detail.at))),
        p: visit.page(&app, NavItem::Board),
        r,
    };
    // Statements and the error log contain what visitors wrote.
    (Unpacked, show(StatusCode::OK, &page)).into_response()
}
