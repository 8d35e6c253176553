//! What every page shares: who visits, in which language and theme, and the frame around the content.

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
    /// Who, when signed in.
    pub person: Option<String>,
    /// The reader's language.
    pub lang: Lang,
    /// The reader's theme; `None` follows the system.
    pub theme: Option<&'static str>,
    /// The address asked for, to come back to.
    pub here: String,
    /// Our script asks: it wants JSON instead of a page.
    pub script: bool,
}

/// One request for a page by somebody who is signed in; others are led to the sign-in page.
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

/// The address to come back to. What answers a form shows nothing when it is asked for: then it is the page that held
/// the form, and the dashboard where that was such an answer too.
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
    /// The name that stands in the journal.
    pub fn actor(&self) -> String {
        self.person.clone().unwrap_or_default()
    }

    /// The frame for the answer.
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

    /// A refusal, as a page or for the script.
    pub fn refuse(&self, app: &App, status: StatusCode, problem: Problem) -> Response {
        let refusal = Refusal { status, problems: vec![problem], lang: self.lang };
        self.refusal(app, refusal)
    }

    /// A refusal, as a page or for the script.
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

    /// Why an act was declined, as a page or for the script.
    pub fn declined(&self, app: &App, declined: Declined) -> Response {
        self.refusal(app, Refusal::declined(declined, self.lang))
    }

    /// Nothing of that name is here.
    pub fn missing(&self, app: &App, says: Text) -> Response {
        let problem = Problem { field: String::new(), text: says, kind: Kind::Unknown };
        self.refuse(app, StatusCode::NOT_FOUND, problem)
    }
}

/// Where the reader is in the bar.
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
    /// Elsewhere.
    Other,
}

/// The frame around every page.
#[derive(Clone, Debug)]
pub struct Page {
    /// The reader's language.
    pub lang: Lang,
    /// The reader's theme.
    pub theme: Option<&'static str>,
    /// Where the reader is.
    pub place: NavItem,
    /// The address, to come back to.
    pub here: String,
    /// The cluster's short id.
    pub cluster: Arc<str>,
    /// Who is signed in.
    pub person: Option<String>,
    /// The sentence about all of it, for those who are.
    pub verdict: Option<VerdictRow>,
}

impl Page {
    /// A sentence without arguments.
    pub fn tr(&self, key: &str) -> String {
        self.lang.tr(key)
    }

    /// The address of an embedded file.
    #[expect(clippy::unused_self, reason = "templates have the page at hand, and no paths")]
    pub fn asset(&self, name: &str) -> String {
        format!("{}/{name}", assets::root())
    }

    /// A shape, by a name that we wrote ourselves.
    pub fn icon(&self, name: &str) -> Safe<String> {
        self.drawn("i", name, "")
    }

    /// A small one, for buttons.
    pub fn mini(&self, name: &str) -> Safe<String> {
        self.drawn("i s", name, "")
    }

    /// A large one.
    pub fn large(&self, name: &str) -> Safe<String> {
        self.drawn("i l", name, " data-shape")
    }

    /// The shape of a status, which the script keeps up to date.
    pub fn shape(&self, st: &str) -> Safe<String> {
        self.drawn("i", st, " data-shape")
    }

    /// The same, small.
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

    /// The banner of a broken stream; `§` stands for the age.
    pub fn lost(&self) -> String {
        self.lang.say(&text!("live-lost", age = "§"))
    }

    /// The zone of all times on the page, by its name.
    #[expect(clippy::unused_self, reason = "templates have the page at hand, and no paths")]
    pub fn zone(&self) -> String {
        view::zone_name()
    }

    /// The same in words.
    pub fn times_in(&self) -> String {
        self.lang.say(&text!("times-in", zone = self.zone()))
    }

    /// The theme's name.
    pub fn theme_label(&self) -> String {
        self.lang.say(&match self.theme {
            Some("light") => text!("theme-light"),
            Some(_) => text!("theme-dark"),
            None => text!("theme-auto"),
        })
    }

    /// The one after it.
    pub fn next_theme(&self) -> &'static str {
        match self.theme {
            None => "light",
            Some("light") => "dark",
            Some(_) => "auto",
        }
    }

    /// Whether the reader is there.
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

/// A page that says one thing.
#[derive(Template)]
#[template(path = "message.html")]
struct Message {
    p: Page,
    title: String,
    says: Vec<String>,
}

/// A filled template as an answer.
pub fn show(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "template");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
