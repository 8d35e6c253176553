//! `GET /`: everything at a glance.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use cordee_domain::desired::Routing;
use cordee_domain::ids::PoolId;
use cordee_domain::sessions::Mode;
use cordee_domain::text;

use super::{add, join};
use crate::clock::now;
use crate::web::App;
use crate::web::error::Refusal;
use crate::web::page::{Member, Page, Place, show};
use crate::web::view::{self, Ages, CauseRow, EventRow, Joining, LinkRow, Picture, ProxyRow, ServerRow};

/// Events under the tables.
pub(crate) const EVENTS: u32 = 8;

#[derive(Template)]
#[template(path = "dashboard.html")]
struct Dashboard {
    p: Page,
    form: add::Form,
    join_form: join::Form,
    /// Asked for when the dialog is opened.
    plan: Joining,
    picture: Picture,
    ages: Ages,
    events: Vec<EventRow>,
    /// Rows from which the script makes new ones.
    blank_web: ServerRow,
    blank_db: ServerRow,
    blank_cause: CauseRow,
    /// When this was true, for readers without script.
    as_of: String,
    /// The address that always leads to the one writer.
    writer_at: String,
}

impl Dashboard {
    fn pool(&self, pool: &str) -> Vec<&ServerRow> {
        self.picture.servers.iter().filter(|s| s.pool == pool).collect()
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

    /// The two directions between two databases; with more of them it is a place to fill in when there are two again.
    fn both(&self) -> Vec<LinkRow> {
        let both = &self.picture.rope.both;
        if both.len() == 2 { both.clone() } else { vec![LinkRow::default(); 2] }
    }

    /// The ways to share writes: the word of the address, and what it is called.
    fn routings(&self) -> [(&'static str, String); 2] {
        [
            (Routing::OneWriter.as_str(), self.p.tr("routing-one")),
            (Routing::AllWriters.as_str(), self.p.tr("routing-all")),
        ]
    }

    /// The places to keep sessions: the word of the address, and what it is called.
    fn keepings(&self) -> [(&'static str, String); 2] {
        [
            (Mode::Proxy.as_str(), self.p.tr("session-proxy")),
            (Mode::Database.as_str(), self.p.tr("session-database")),
        ]
    }

    /// How long ago the writer last changed.
    fn gap_age(&self) -> String {
        self.age(view::GAP_AGE)
    }

    /// The older of the two proxies' readings: the page is as old as its oldest part.
    fn oldest(&self) -> String {
        let proxies = self.picture.proxies.iter().filter_map(|p| self.ages.get(&p.name));
        proxies.max().map_or_else(|| "–".to_owned(), |ms| view::age(*ms, self.p.lang))
    }

    fn versions(&self) -> String {
        let version = self.picture.proxies.iter().map(|p| p.version.as_str()).find(|v| !v.is_empty());
        version.map(|v| format!("HAProxy {v}")).unwrap_or_default()
    }
}

/// Shows it.
pub(super) async fn page(Member(visit): Member, State(app): State<App>) -> Response {
    let store = app.store.clone();
    let events = app.blocking(move || store.events_before(u64::MAX, EVENTS)).await;
    let events = match events {
        Ok(events) => events,
        Err(error) => return visit.refusal(&app, Refusal::store(&error, visit.lang)),
    };
    let (snapshot, now) = (app.board.snapshot(), now());
    let lang = visit.lang;
    let time = view::clock_time(snapshot.at);
    let dashboard = Dashboard {
        p: visit.page(&app, Place::Board),
        form: add::Form::empty(),
        join_form: join::Form::default(),
        plan: Joining::default(),
        picture: view::picture(&snapshot, lang, now),
        ages: view::ages(&snapshot, now),
        events: events.iter().map(|e| view::event(e, lang)).collect(),
        blank_web: ServerRow::blank(PoolId::Web),
        blank_db: ServerRow::blank(PoolId::Db),
        blank_cause: CauseRow { st: "unknown", ..CauseRow::default() },
        as_of: lang.say(&text!("board-no-script", time = time)),
        writer_at: app.board.desired().writer_listen.to_string(),
    };
    show(StatusCode::OK, &dashboard)
}
