//! `GET /clean` lists the leftovers that no wish explains, `POST /clean` removes them.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use cordee_domain::text;

use super::{carry_out, done};
use crate::board::Leftover;
use crate::control::Effect;
use crate::control::act::{Act, Consent};
use crate::web::App;
use crate::web::page::{Member, NavItem, Page, show};
use crate::words::Lang;

#[derive(Template)]
#[template(path = "clean.html")]
struct Clean {
    p: Page,
    items: Vec<Item>,
    foreign: Vec<Item>,
    button: String,
}

struct Item {
    path: String,
    why: String,
    size: String,
}

/// Shows the list.
pub(super) async fn page(Member(visit): Member, State(app): State<App>) -> Response {
    let found = match app.control().leftovers().await {
        Ok(found) => found,
        Err(declined) => return visit.declined(&app, declined),
    };
    let item =
        |l: Leftover| Item { path: l.path, why: visit.lang.say(&l.why), size: size(l.bytes, visit.lang) };
    let items = |all: Vec<Leftover>| all.into_iter().map(item).collect::<Vec<_>>();
    let (items, foreign) = (items(found.items), items(found.foreign));
    let button = visit.lang.say(&text!("clean-button", count = items.len()));
    show(StatusCode::OK, &Clean { p: visit.page(&app, NavItem::Board), items, foreign, button })
}

/// Removes the leftovers that exist now.
pub(super) async fn submit(Member(visit): Member, State(app): State<App>) -> Response {
    match carry_out(&app, &visit, Act::Clean, &Consent::NONE).await {
        Ok(told) => {
            let count = if let Effect::Cleaned(gone) = &told.effect { gone.items.len() } else { 0 };
            done(&visit, StatusCode::OK, &text!("done-clean", count = count), None)
        }
        Err(declined) => visit.declined(&app, declined),
    }
}

fn size(bytes: u64, lang: Lang) -> String {
    let unit = if lang == Lang::Fr { 'o' } else { 'B' };
    match bytes {
        0..1_000 => format!("{bytes}\u{a0}{unit}"),
        1_000..1_000_000 => format!("{}\u{a0}k{unit}", bytes / 1_000),
        _ => format!("{}\u{a0}M{unit}", bytes / 1_000_000),
    }
}
