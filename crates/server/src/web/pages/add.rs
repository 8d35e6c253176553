//! `GET /pools/web/servers/new` and `POST /pools/{pool}/servers`: a new web server.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use cordee_domain::change::RawServer;
use cordee_domain::ids::PoolId;
use cordee_domain::problem::Problem;
use serde::Deserialize;

use super::wrong::Wrong;
use super::{accepted, carry_out, shorten};
use crate::control::Declined;
use crate::control::act::{Account, Act, Consent, Newcomer};
use crate::web::App;
use crate::web::error::{Refusal, form_status};
use crate::web::page::{Member, NavItem, Page, show};
use crate::web::read::{self, Path, filled};
use crate::words::Lang;

/// The fields as a browser sends them.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    name: String,
    address: String,
    port: String,
    cookie: String,
    start: String,
    maintenance: String,
}

/// The form, with what was typed and its problems.
#[derive(Debug)]
pub(super) struct Form {
    pub(super) start: bool,
    pub(super) name: String,
    pub(super) address: String,
    pub(super) port: String,
    pub(super) cookie: String,
    pub(super) maintenance: bool,
    errors: Wrong,
}

/// In the form's order.
const FIELDS: [&str; 4] = ["name", "address", "port", "cookie"];

impl Form {
    /// Returns the form with nothing typed yet. Starting a new server is the likelier wish.
    pub(super) fn empty() -> Self {
        Self::of(&RawServer { start: true, ..RawServer::default() }, &[], Lang::En)
    }

    fn of(raw: &RawServer, problems: &[Problem], lang: Lang) -> Self {
        Self {
            start: raw.start,
            name: shorten(&raw.name),
            address: shorten(raw.address.as_deref().unwrap_or_default()),
            port: shorten(raw.port.as_deref().unwrap_or_default()),
            cookie: shorten(raw.cookie.as_deref().unwrap_or_default()),
            maintenance: raw.maintenance,
            errors: Wrong::of(problems, lang),
        }
    }

    /// Returns the problem of a field.
    pub(super) fn error(&self, field: &str) -> Option<&str> {
        self.errors.at(field)
    }

    /// Returns a problem that belongs to no field.
    pub(super) fn other_error(&self) -> Option<&str> {
        self.errors.other(&FIELDS)
    }

    /// Reports whether a field has the focus: the first wrong field, otherwise the name.
    pub(super) fn focus(&self, field: &str) -> bool {
        self.errors.focus(&FIELDS) == field
    }
}

#[derive(Template)]
#[template(path = "add.html")]
struct Add {
    p: Page,
    form: Form,
}

/// Shows the empty form.
pub(super) async fn page(Member(visit): Member, State(app): State<App>) -> Response {
    show(StatusCode::OK, &Add { p: visit.page(&app, NavItem::Board), form: Form::empty() })
}

/// Adds the server, or shows the form again.
pub(super) async fn submit(
    Member(visit): Member,
    State(app): State<App>,
    Path(pool): Path<String>,
    read::Form(typed): read::Form<Typed>,
) -> Response {
    let pool = match PoolId::parse(&pool) {
        Ok(pool) => pool,
        Err(why) => return visit.refusal(&app, Refusal::problem(why.into(), visit.lang)),
    };
    let raw = RawServer {
        start: typed.start == "on",
        maintenance: typed.maintenance == "on",
        name: typed.name,
        address: filled(typed.address),
        port: filled(typed.port),
        cookie: filled(typed.cookie),
    };
    let newcomer = Newcomer::Typed { pool, raw: raw.clone(), login: Account::default() };
    match carry_out(&app, &visit, Act::Add(newcomer), &Consent::NONE).await {
        Ok(told) => accepted(&visit, &told.effect, None),
        Err(Declined::Refused(problems)) if !visit.script => {
            let form = Form::of(&raw, &problems, visit.lang);
            show(form_status(&problems), &Add { p: visit.page(&app, NavItem::Board), form })
        }
        Err(declined) => visit.declined(&app, declined),
    }
}
