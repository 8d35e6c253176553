//! `GET /`: the whole cluster at a glance.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use cordee_domain::desired::Routing;
use cordee_domain::ids::PoolId;
use cordee_domain::sessions::Mode;
use cordee_domain::text;
use cordee_node::clock::now;
use serde::Deserialize;

use super::{add, join};
use crate::web::App;
use crate::web::error::Refusal;
use crate::web::live::EVENTS;
use crate::web::local::encoded;
use crate::web::page::{Member, NavItem, Page, show};
use crate::web::read::Query;
use crate::web::view::window::{FEW, Order, Shown, Window};
use crate::web::view::{
    self, Ages, CauseRow, ChannelRow, Crowd, EventRow, Joining, Picture, ProxyRow, ServerRow,
};

/// Which part of each table is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct QueryFields {
    web_q: String,
    web_sort: String,
    web_page: String,
    db_q: String,
    db_sort: String,
    db_page: String,
}

/// The windows on both tables: a link in one table leaves the other as it is.
#[derive(Debug)]
struct Windows {
    web: Window,
    db: Window,
}

impl Windows {
    fn of(&self, pool: &str) -> &Window {
        if pool == "web" { &self.web } else { &self.db }
    }

    /// Returns the address of the dashboard with another window on one table.
    fn to(&self, pool: &str, window: &Window) -> String {
        let web = if pool == "web" { window } else { &self.web };
        let db = if pool == "web" { &self.db } else { window };
        let said = [("web", web), ("db", db)].into_iter().flat_map(|(pool, window)| {
            let page = if window.skip > 0 { (window.skip + 1).to_string() } else { String::new() };
            let said = [("q", encoded(&window.word)), ("sort", window.sort()), ("page", page)];
            said.into_iter()
                .filter(|(_, says)| !says.is_empty())
                .map(move |(of, says)| format!("{pool}-{of}={says}"))
        });
        let said: Vec<String> = said.collect();
        if said.is_empty() { format!("/#{pool}") } else { format!("/?{}#{pool}", said.join("&")) }
    }
}

#[derive(Template)]
#[template(path = "dashboard.html")]
struct Dashboard {
    p: Page,
    form: add::Form,
    join_form: join::Form,
    /// Asked for only when the dialog is opened.
    plan: Joining,
    picture: Picture,
    windows: Windows,
    ages: Ages,
    events: Vec<EventRow>,
    /// The rows from which the script makes new rows.
    blank_web: ServerRow,
    blank_db: ServerRow,
    blank_crowd: Crowd,
    blank_cause: CauseRow,
    /// The time of the page's content, for readers without script.
    as_of: String,
    /// The address that always leads to the writer.
    writer_at: String,
}

impl Dashboard {
    fn pool(&self, pool: &str) -> Vec<&ServerRow> {
        self.picture.servers.iter().filter(|s| s.pool == pool).collect()
    }

    /// Returns the part of a table that is in the page.
    fn shown(&self, pool: &str) -> Shown<'_> {
        self.windows.of(pool).of(&self.pool(pool))
    }

    fn rows(&self, pool: &str) -> Vec<&ServerRow> {
        self.shown(pool).rows
    }

    /// Returns the servers with a bead of their own; many servers share one.
    fn beads(&self, pool: &str) -> Vec<&ServerRow> {
        if self.crowd(pool).is_some() { Vec::new() } else { self.pool(pool) }
    }

    fn crowd(&self, pool: &str) -> Option<&Crowd> {
        let rope = &self.picture.rope;
        if pool == "web" { rope.web_crowd.as_ref() } else { rope.db_crowd.as_ref() }
    }

    /// Reports whether the table has few rows, which are seen at a glance.
    fn is_few(&self, pool: &str) -> bool {
        self.pool(pool).len() <= FEW
    }

    /// Returns the address that sorts a table by a column; a second time by the same column, in reverse.
    fn ordered(&self, pool: &str, column: &str) -> String {
        let now = self.windows.of(pool);
        let down = now.order.is_some_and(|order| order.as_str() == column) && !now.down;
        let sign = if down { "-" } else { "" };
        self.windows.to(pool, &Window::parse(&now.word, &format!("{sign}{column}"), ""))
    }

    /// Returns `aria-sort` of a column.
    fn aria_sort(&self, pool: &str, column: &str) -> Option<&'static str> {
        let now = self.windows.of(pool);
        let here = now.order.is_some_and(|order| order.as_str() == column);
        here.then_some(if now.down { "descending" } else { "ascending" })
    }

    /// Returns the other table's window, as fields that a form of this table sends along.
    fn kept(&self, pool: &str) -> Vec<(String, String)> {
        let other = if pool == "web" { "db" } else { "web" };
        let window = self.windows.of(other);
        let said = [("q", window.word.clone()), ("sort", window.sort())];
        said.into_iter()
            .filter(|(_, says)| !says.is_empty())
            .map(|(of, says)| (format!("{other}-{of}"), says))
            .collect()
    }

    /// Returns the orders of a table: the word in the address, and the name.
    fn orders(&self, pool: &str) -> Vec<(&'static str, String)> {
        let name = |order| match order {
            Order::Name => self.p.tr("field-name"),
            Order::Kind => self.p.tr("col-type"),
            Order::Address => self.p.tr("col-address"),
            Order::Port => self.p.tr("field-port"),
            Order::Status => self.p.tr("col-status"),
            Order::Sessions => self.p.tr("col-sessions"),
        };
        let here = |order: &Order| pool == "web" || *order != Order::Sessions;
        Order::ALL.into_iter().filter(here).map(|order| (order.as_str(), name(order))).collect()
    }

    /// Returns the address of a page of a table; `None` when there is no such page.
    fn turned(&self, pool: &str, skip: Option<usize>) -> Option<String> {
        let skip = skip.filter(|skip| *skip < self.shown(pool).pages)?;
        Some(self.windows.to(pool, &Window { skip, ..self.windows.of(pool).clone() }))
    }

    fn before(&self, pool: &str) -> Option<String> {
        self.turned(pool, self.shown(pool).skip.checked_sub(1))
    }

    fn after(&self, pool: &str) -> Option<String> {
        self.turned(pool, Some(self.shown(pool).skip + 1))
    }

    /// Returns the address of a table with all its rows.
    fn cleared(&self, pool: &str) -> String {
        self.windows.to(pool, &Window::default())
    }

    fn proxy(&self, name: &str) -> Option<&ProxyRow> {
        self.picture.proxies.iter().find(|p| p.name == name)
    }

    fn age(&self, name: &str) -> String {
        match self.ages.get(name) {
            Some(ms) => self.p.ago(&view::age(*ms, self.p.lang)),
            None => "–".to_owned(),
        }
    }

    /// Returns the two directions between two databases. With more databases, two empty rows are returned, which
    /// the script fills in when there are two databases again.
    fn both(&self) -> Vec<ChannelRow> {
        let both = &self.picture.rope.both;
        if both.len() == 2 { both.clone() } else { vec![ChannelRow::default(); 2] }
    }

    /// Returns the ways to share writes: the word in the address, and the name.
    fn routings(&self) -> [(&'static str, String); 2] {
        [
            (Routing::OneWriter.as_str(), self.p.tr("routing-one")),
            (Routing::AllWriters.as_str(), self.p.tr("routing-all")),
        ]
    }

    /// Returns the places to keep sessions: the word in the address, and the name.
    fn keepings(&self) -> [(&'static str, String); 2] {
        [
            (Mode::Proxy.as_str(), self.p.tr("session-proxy")),
            (Mode::Database.as_str(), self.p.tr("session-database")),
        ]
    }

    /// Returns how long ago the writer last changed.
    fn gap_age(&self) -> String {
        self.age(view::GAP_AGE)
    }

    /// Returns how many servers need attention: each server that shares a cause is counted, as in the verdict.
    fn todo(&self) -> usize {
        self.picture.causes.iter().map(|cause| cause.count).sum()
    }

    /// Returns the older reading of the two HAProxy instances: the page is as old as its oldest part.
    fn oldest(&self) -> String {
        let proxies = self.picture.proxies.iter().filter_map(|p| self.ages.get(&p.name));
        proxies.max().map_or_else(|| "–".to_owned(), |ms| view::age(*ms, self.p.lang))
    }

    fn versions(&self) -> String {
        let version = self.picture.proxies.iter().map(|p| p.version.as_str()).find(|v| !v.is_empty());
        version.map(|v| format!("HAProxy {v}")).unwrap_or_default()
    }
}

/// Shows the dashboard.
pub(super) async fn page(
    Member(visit): Member,
    State(app): State<App>,
    Query(asked): Query<QueryFields>,
) -> Response {
    let events = match app.lines(visit.lang, |store| store.events_before(u64::MAX, EVENTS)).await {
        Ok(events) => events,
        Err(error) => return visit.refusal(&app, Refusal::store(&error, visit.lang)),
    };
    let (snapshot, now) = (app.board.snapshot(), now());
    let lang = visit.lang;
    let time = view::clock_time(snapshot.at);
    let dashboard = Dashboard {
        p: visit.page(&app, NavItem::Board),
        form: add::Form::empty(),
        join_form: join::Form::default(),
        plan: Joining::default(),
        picture: view::picture(&snapshot, lang, now),
        windows: Windows {
            web: Window::parse(&asked.web_q, &asked.web_sort, &asked.web_page),
            db: Window::parse(&asked.db_q, &asked.db_sort, &asked.db_page),
        },
        ages: view::ages(&snapshot, now),
        events,
        blank_web: ServerRow::blank(PoolId::Web),
        blank_db: ServerRow::blank(PoolId::Db),
        blank_crowd: Crowd { st: "unknown", ..Crowd::default() },
        blank_cause: CauseRow { st: "unknown", ..CauseRow::default() },
        as_of: lang.say(&text!("board-no-script", time = time)),
        writer_at: app.board.desired().writer_listen.to_string(),
    };
    show(StatusCode::OK, &dashboard)
}
