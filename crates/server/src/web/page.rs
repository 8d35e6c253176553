//! What all pages share: who visits, in which language and theme, and the frame around the content.

use std::sync::Arc;

use askama::Template;
use askama::filters::Safe;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use cordee_domain::problem::{Kind, Problem};
use cordee_domain::text;
use cordee_domain::text::Text;
use cordee_node::clock::now;

use super::back::own;
use super::error::Refusal;
use super::session::{Person, Theme, language};
use super::view::{self, VerdictRow};
use super::{App, assets};
use crate::control::Declined;
use crate::words::Lang;

/// Cordée's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// One request for a page, by anybody.
#[derive(Clone, Debug)]
pub struct Visit {
    /// Who visits, when signed in.
    pub person: Option<String>,
    /// The reader's language.
    pub lang: Lang,
    /// The reader's theme; `None` follows the system.
    pub theme: Option<&'static str>,
    /// The requested address, to return to.
    pub here: String,
    /// The request comes from our script: it wants JSON instead of a page.
    pub script: bool,
}

/// One request for a page by somebody who is signed in; others are redirected to the sign-in page.
#[derive(Clone, Debug)]
pub struct Member(pub Visit);

impl FromRequestParts<App> for Visit {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let Ok(Theme(theme)) = Theme::from_request_parts(parts, app).await;
        let person = Person::from_request_parts(parts, app).await.ok().map(|p| p.0);
        Ok(Self {
            person,
            lang: language(&parts.headers),
            theme,
            here: here(parts),
            script: wants_json(&parts.headers),
        })
    }
}

impl FromRequestParts<App> for Member {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let person = Person::from_request_parts(parts, app).await?;
        let visit = Visit::from_request_parts(parts, app).await?;
        Ok(Self(Visit { person: Some(person.0), ..visit }))
    }
}

/// Returns the address to return to. An answer to a form cannot be requested again: then it is the page with the
/// form, or the dashboard when that was such an answer too.
fn here(parts: &Parts) -> String {
    let path = |uri: &Uri| uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string);
    if [Method::GET, Method::HEAD].contains(&parts.method) {
        return path(&parts.uri);
    }
    let from = parts.headers.get(header::REFERER).and_then(|v| v.to_str().ok()?.parse::<Uri>().ok());
    let from = from.filter(|from| from.path() != parts.uri.path());
    own(&from.as_ref().map_or_else(|| "/".to_owned(), path)).to_owned()
}

fn wants_json(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|v| v.to_str().ok())
        .is_some_and(|v| v.starts_with("application/json"))
}

impl Visit {
    /// Returns the name for the journal.
    pub fn actor(&self) -> String {
        self.person.clone().unwrap_or_default()
    }

    /// Returns the frame for the answer.
    pub fn page(&self, app: &App, place: NavItem) -> Page {
        let snapshot = app.board.snapshot();
        let shown = self.person.is_some().then(|| view::picture(&snapshot, self.lang, now()));
        Page {
            lang: self.lang,
            theme: self.theme,
            place,
            here: self.here.clone(),
            cluster: app.cluster.clone(),
            person: self.person.clone(),
            verdict: shown.map(|s| s.verdict),
        }
    }

    /// Returns a refusal, as a page or for the script.
    pub fn refuse(&self, app: &App, status: StatusCode, problem: Problem) -> Response {
        let refusal = Refusal { status, problems: vec![problem], lang: self.lang };
        self.refusal(app, refusal)
    }

    /// Returns a refusal, as a page or for the script.
    pub fn refusal(&self, app: &App, refusal: Refusal) -> Response {
        if self.script {
            return refusal.into_response();
        }
        let title = match refusal.status {
            StatusCode::NOT_FOUND => text!("message-missing"),
            StatusCode::TOO_MANY_REQUESTS => text!("message-wait"),
            _ => text!("message-refused"),
        };
        let says = refusal.problems.iter().map(|p| self.lang.say(&p.text)).collect();
        let message = Message { p: self.page(app, NavItem::Other), title: self.lang.say(&title), says };
        show(refusal.status, &message)
    }

    /// Returns why an act was declined, as a page or for the script.
    pub fn declined(&self, app: &App, declined: Declined) -> Response {
        self.refusal(app, Refusal::declined(declined, self.lang))
    }

    /// Returns the answer when nothing of that name exists.
    pub fn missing(&self, app: &App, says: Text) -> Response {
        let problem = Problem { field: String::new(), text: says, kind: Kind::Unknown };
        self.refuse(app, StatusCode::NOT_FOUND, problem)
    }
}

/// Which entry of the navigation bar the reader is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NavItem {
    /// The dashboard.
    Board,
    /// Sessions.
    Sessions,
    /// Failover drills.
    Drills,
    /// Visitors.
    Visitors,
    /// HAProxy's files.
    Config,
    /// The journal.
    Journal,
    /// The help.
    Help,
    /// None of these.
    Other,
}

/// The frame around every page.
#[derive(Clone, Debug)]
pub struct Page {
    /// The reader's language.
    pub lang: Lang,
    /// The reader's theme.
    pub theme: Option<&'static str>,
    /// The reader's place in the navigation bar.
    pub place: NavItem,
    /// The address, to return to.
    pub here: String,
    /// The cluster's short id.
    pub cluster: Arc<str>,
    /// The account that is signed in.
    pub person: Option<String>,
    /// The verdict about the whole cluster, for readers who are signed in.
    pub verdict: Option<VerdictRow>,
}

impl Page {
    /// Returns a sentence without arguments.
    pub fn tr(&self, key: &str) -> String {
        self.lang.tr(key)
    }

    /// Returns the address of an embedded file.
    #[expect(clippy::unused_self, reason = "templates have the page at hand, and no paths")]
    pub fn asset(&self, name: &str) -> String {
        format!("{}/{name}", assets::root())
    }

    /// Returns an icon; `name` is written by us.
    pub fn icon(&self, name: &str) -> Safe<String> {
        self.drawn("i", name, "")
    }

    /// Returns a small icon, for buttons.
    pub fn mini(&self, name: &str) -> Safe<String> {
        self.drawn("i s", name, "")
    }

    /// Returns a large icon, which the script keeps up to date.
    pub fn large(&self, name: &str) -> Safe<String> {
        self.drawn("i l", name, " data-shape")
    }

    /// Returns the icon of a status, which the script keeps up to date.
    pub fn shape(&self, st: &str) -> Safe<String> {
        self.drawn("i", st, " data-shape")
    }

    /// Returns the same icon, small.
    pub fn mini_shape(&self, st: &str) -> Safe<String> {
        self.drawn("i s", st, " data-shape")
    }

    fn drawn(&self, class: &str, name: &str, mark: &str) -> Safe<String> {
        let sheet = self.asset("icons.svg");
        Safe(format!(r#"<svg class="{class}" aria-hidden="true"><use{mark} href="{sheet}#{name}"/></svg>"#))
    }

    /// "2 s ago".
    pub fn ago(&self, age: &str) -> String {
        self.lang.say(&text!("ago", age = age))
    }

    /// Returns the banner of a broken stream; `§` is replaced with the age.
    pub fn lost(&self) -> String {
        self.lang.say(&text!("live-lost", age = "§"))
    }

    /// Returns the name of the time zone of all times on the page.
    #[expect(clippy::unused_self, reason = "templates have the page at hand, and no paths")]
    pub fn zone(&self) -> String {
        view::zone_name()
    }

    /// Returns a sentence with that zone.
    pub fn times_in(&self) -> String {
        self.lang.say(&text!("times-in", zone = self.zone()))
    }

    /// Returns the theme's name.
    pub fn theme_label(&self) -> String {
        self.lang.say(&match self.theme {
            Some("light") => text!("theme-light"),
            Some(_) => text!("theme-dark"),
            None => text!("theme-auto"),
        })
    }

    /// Returns the theme after the present one.
    pub fn next_theme(&self) -> &'static str {
        match self.theme {
            None => "light",
            Some("light") => "dark",
            Some(_) => "auto",
        }
    }

    /// Reports whether the reader is at this place in the navigation bar.
    pub fn at(&self, place: &str) -> bool {
        matches!(
            (place, self.place),
            ("board", NavItem::Board)
                | ("sessions", NavItem::Sessions)
                | ("drills", NavItem::Drills)
                | ("visitors", NavItem::Visitors)
                | ("config", NavItem::Config)
                | ("journal", NavItem::Journal)
                | ("help", NavItem::Help)
        )
    }
}

/// A page with a single message.
#[derive(Template)]
#[template(path = "message.html")]
struct Message {
    p: Page,
    title: String,
    says: Vec<String>,
}

/// Returns a rendered template as an answer.
pub fn show(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "template");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
