//! `GET /config/{proxy}`: the file of an HAProxy instance, line by line: what each line does, and what would break
//! without it.

use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use cordee_domain::haproxy::drift::Odd;
use cordee_domain::ids::PoolId;
use cordee_domain::text;
use cordee_domain::text::Thing;

use super::tools::unavailable;
use crate::board::Ask;
use crate::web::App;
use crate::web::error::Refusal;
use crate::web::page::{Member, NavItem, Page, show};
use crate::web::read::Path;
use crate::web::view;
use crate::web::view::config::{LineRow, Truth, difference, lines, truths};

/// Time limit for the engine's answer.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Template)]
#[template(path = "config.html")]
struct Config {
    p: Page,
    proxy: &'static str,
    title: String,
    tabs: Vec<Tab>,
    truths: [Truth; 2],
    difference: Option<(String, Vec<Odd>)>,
    overwritten: Option<Overwritten>,
    lines: Vec<LineRow>,
    count: String,
}

/// One of the two files.
struct Tab {
    to: &'static str,
    here: bool,
    name: String,
}

/// What somebody wrote into the file, and Cordée replaced.
struct Overwritten {
    when: String,
    iso: String,
    kept: String,
    difference: Vec<Odd>,
}

/// Redirects to the first of the two files.
pub(super) async fn first(_: Member) -> Response {
    Redirect::to("/config/web").into_response()
}

/// Shows one file.
pub(super) async fn page(
    Member(visit): Member,
    State(app): State<App>,
    Path(proxy): Path<String>,
) -> Response {
    let lang = visit.lang;
    let proxy = match PoolId::parse(&proxy) {
        Ok(proxy) => proxy,
        Err(why) => return visit.refusal(&app, Refusal::problem(why.into(), lang)),
    };
    let asked = app.board.ask(|reply| Ask::Config { proxy, reply });
    let Some(file) = tokio::time::timeout(PATIENCE, asked).await.ok().flatten() else {
        return unavailable(&visit, &app);
    };
    let called = |proxy: PoolId| lang.say(&text!("config-haproxy", proxy = Thing::Proxy(proxy)));
    let lines = lines(&file, lang);
    let page = Config {
        p: visit.page(&app, NavItem::Config),
        proxy: proxy.as_str(),
        title: lang.say(&text!("config-title", proxy = Thing::Proxy(proxy))),
        tabs: PoolId::ALL
            .map(|id| Tab { to: id.as_str(), here: id == proxy, name: called(id) })
            .into_iter()
            .collect(),
        truths: truths(&file, lang),
        difference: difference(&file, lang).map(|(says, odd)| (says, odd.to_vec())),
        overwritten: file.overwritten.as_ref().map(|kept| {
            let (when, iso) = view::day_and_time(kept.at);
            let says = lang.say(&text!("config-kept", file = kept.file.as_str()));
            Overwritten { when, iso, kept: says, difference: kept.difference.clone() }
        }),
        count: lang.say(&text!("config-count", count = lines.len())),
        lines,
    };
    show(StatusCode::OK, &page)
}
