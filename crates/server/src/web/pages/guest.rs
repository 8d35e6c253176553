//! `GET /pools/db/servers/existing`: a database that exists already. `POST` examines it, and shows what would
//! happen; `POST …/add` adds it. The password is typed once, and never sent back.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use cordee_domain::change::{PortChoice, RawServer};
use cordee_domain::problem::Problem;
use serde::Deserialize;

use super::wrong::Wrong;
use super::{act_on, shorten};
use crate::control::Declined;
use crate::control::act::{Account, Act, ExaminedWord, Newcomer};
use crate::control::adding::Examined;
use crate::web::App;
use crate::web::error::form_status;
use crate::web::packing::Unpacked;
use crate::web::page::{Member, NavItem, Page, show};
use crate::web::read::{self, filled};
use crate::web::view::{Joining, joining};
use crate::words::Lang;

/// The fields as a browser sends them.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    name: String,
    address: String,
    port: String,
    user: String,
    password: String,
}

/// The token with which the examined database is added.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Word {
    word: String,
}

/// The form, with what was typed except the password, and its problems.
#[derive(Debug, Default)]
pub(super) struct Form {
    name: String,
    address: String,
    port: String,
    user: String,
    errors: Wrong,
}

/// In the form's order.
const FIELDS: [&str; 5] = ["name", "address", "port", "user", "password"];

impl Form {
    fn of(raw: &RawServer, user: &str, problems: &[Problem], lang: Lang) -> Self {
        Self {
            name: shorten(&raw.name),
            address: shorten(raw.address.as_deref().unwrap_or_default()),
            port: shorten(raw.port.as_deref().unwrap_or_default()),
            user: shorten(user),
            errors: Wrong::of(problems, lang),
        }
    }

    /// Returns the problem of a field.
    fn error(&self, field: &str) -> Option<&str> {
        self.errors.at(field)
    }

    /// Returns all other problems: those of no field, and the second problem of a field.
    fn others(&self) -> Vec<&str> {
        self.errors.others(&FIELDS)
    }

    /// Reports whether a field has the focus: the first wrong field, otherwise the name.
    fn focus(&self, field: &str) -> bool {
        self.errors.focus(&FIELDS) == field
    }
}

#[derive(Template)]
#[template(path = "existing.html")]
struct Existing {
    p: Page,
    form: Form,
}

#[derive(Template)]
#[template(path = "invited.html")]
struct Invitation {
    p: Page,
    name: String,
    address: String,
    word: String,
    plan: Joining,
}

/// Shows the empty form.
pub(super) async fn page(Member(visit): Member, State(app): State<App>) -> Response {
    show(StatusCode::OK, &Existing { p: visit.page(&app, NavItem::Board), form: Form::default() })
}

/// Examines the database, and shows what would happen, or the form again with every reason against it.
pub(super) async fn examine(
    Member(visit): Member,
    State(app): State<App>,
    read::Form(typed): read::Form<Typed>,
) -> Response {
    let (address, port) = (filled(typed.address), filled(typed.port));
    let raw = RawServer { name: typed.name, address, port, ..RawServer::default() };
    let login = Account { user: Some(typed.user.clone()), password: Some(typed.password) };
    let Examined { invited, plan } = match app.control().examine(&raw, login).await {
        Ok(examined) => examined,
        Err(Declined::Refused(problems)) => {
            let form = Form::of(&raw, &typed.user, &problems, visit.lang);
            return show(form_status(&problems), &Existing { p: visit.page(&app, NavItem::Board), form });
        }
        Err(declined) => return visit.declined(&app, declined),
    };
    let PortChoice::Given(port) = invited.new.port else { return visit.declined(&app, Declined::Stopping) };
    let address = format!("{}:{port}", invited.new.host);
    let name = invited.new.name.to_string();
    let Some(word) = app.guests.keep(invited) else { return visit.declined(&app, Declined::Stopping) };
    let found = Ok(plan);
    let plan = joining(&found, &app.board.snapshot(), visit.lang);
    let page = Invitation { p: visit.page(&app, NavItem::Board), name, address, word, plan };
    // The token on the page stands for the examined database with its password.
    (Unpacked, show(StatusCode::OK, &page)).into_response()
}

/// Adds the examined database.
pub(super) async fn add(
    Member(visit): Member,
    State(app): State<App>,
    read::Form(typed): read::Form<Word>,
) -> Response {
    let act = Act::Add(Newcomer::Examined(ExaminedWord(typed.word)));
    act_on(&app, &visit, Ok(act)).await
}
