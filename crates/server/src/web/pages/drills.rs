//! `/drills`: failover drills. `GET` shows the form and the newest drill, `GET …/{id}` an earlier one, `POST`
//! begins a drill, `POST …/cancel` gives it up.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use cordee_domain::drill::{Drill, FaultKind, RawOrder, Selector};
use cordee_domain::ids::PoolId;
use cordee_domain::problem::Problem;
use cordee_domain::text;

use super::compare::at_desk;
use super::{carry_out, shorten};
use crate::control::Declined;
use crate::control::act::{Act, Consent};
use crate::web::App;
use crate::web::error::{Refusal, status};
use crate::web::page::{Member, NavItem, Page, Visit, show};
use crate::web::read::{self, Path};
use crate::web::view::drill::{self, DrillView, Progress};

/// One entry of a selection list.
#[derive(Debug)]
struct Choice {
    word: String,
    name: String,
    chosen: bool,
}

/// A field for a number.
#[derive(Debug)]
struct Figure {
    field: &'static str,
    label: String,
    typed: String,
    error: Option<String>,
}

/// The form, with what was typed and its problems.
#[derive(Debug)]
struct Form {
    targets: Vec<Choice>,
    ways: Vec<Choice>,
    figures: Vec<Figure>,
    url: String,
    status: String,
    confirm: String,
    errors: Vec<(String, String)>,
}

impl Form {
    fn new(visit: &Visit, app: &App, raw: &RawOrder, problems: &[Problem]) -> Self {
        let lang = visit.lang;
        let error = |field: &str| problems.iter().find(|p| p.field == field).map(|p| lang.say(&p.text));
        let figure = |field, label: &str, typed: &str| Figure {
            field,
            label: label.to_owned(),
            typed: shorten(typed),
            error: error(field),
        };
        let targets = targets(app).into_iter().map(|target| Choice {
            chosen: target.word() == raw.target,
            name: lang.say(&target.name()),
            word: target.word(),
        });
        let ways = FaultKind::ALL.into_iter().map(|how| Choice {
            chosen: how.as_str() == raw.how,
            name: lang.say(&how.name()),
            word: how.as_str().to_owned(),
        });
        Self {
            targets: targets.collect(),
            ways: ways.collect(),
            figures: vec![
                figure("rate", &lang.tr("drill-rate"), &raw.rate),
                figure("visitors", &lang.tr("drill-visitors"), &raw.visitors),
                figure("before", &lang.tr("drill-before"), &raw.before),
                figure("held", &lang.tr("drill-held"), &raw.held),
                figure("after", &lang.tr("drill-after"), &raw.after),
            ],
            url: shorten(&raw.url),
            status: shorten(&raw.status),
            confirm: shorten(&raw.confirm),
            errors: problems.iter().map(|p| (p.field.clone(), lang.say(&p.text))).collect(),
        }
    }

    /// Returns the problem of a field.
    fn error(&self, field: &str) -> Option<&str> {
        self.errors.iter().find(|(f, _)| f == field).map(|(_, text)| text.as_str())
    }
}

/// Returns what can be the target of a drill in this cluster.
fn targets(app: &App) -> Vec<Selector> {
    let desired = app.board.desired();
    let mut all: Vec<Selector> = desired.web.servers.iter().map(|s| Selector::Web(s.name.clone())).collect();
    all.extend([Selector::Writer, Selector::Channel]);
    all.extend(PoolId::ALL.map(Selector::Proxy));
    all
}

#[derive(Template)]
#[template(path = "drills.html")]
struct Drills {
    p: Page,
    form: Form,
    /// The drill shown; `None` before the first.
    drill: Option<DrillView>,
    /// The drill under way.
    progress: Option<Progress>,
    /// All drills, newest first.
    history: Vec<DrillView>,
}

/// Shows the form and the newest drill.
pub(super) async fn page(Member(visit): Member, State(app): State<App>) -> Response {
    view(&visit, &app, None, &RawOrder::usual(), &[]).await
}

/// Shows one drill.
pub(super) async fn one(Member(visit): Member, State(app): State<App>, Path(id): Path<u64>) -> Response {
    view(&visit, &app, Some(id), &RawOrder::usual(), &[]).await
}

async fn view(visit: &Visit, app: &App, id: Option<u64>, raw: &RawOrder, problems: &[Problem]) -> Response {
    let store = app.store.clone();
    let drills: Vec<Drill> = match app.blocking(move || store.drills()).await {
        Ok(drills) => drills,
        Err(error) => return visit.refusal(app, Refusal::store(&error, visit.lang)),
    };
    let under_way = app.drills.under_way();
    // The newest drill that is over: the one under way has a place of its own.
    let over = |d: &&Drill| under_way.as_ref().is_none_or(|u| u.drill.id != d.id);
    let shown = drills.iter().filter(over).find(|drill| id.is_none_or(|id| id == drill.id));
    if let (Some(id), None) = (id, shown) {
        return visit.missing(app, text!("problem-no-drill", id = id));
    }
    let page = Drills {
        p: visit.page(app, NavItem::Drills),
        form: Form::new(visit, app, raw, problems),
        drill: shown.map(|d| drill::drill(d, visit.lang)),
        progress: under_way.map(|u| drill::progress(&u, visit.lang)),
        history: drills.iter().map(|d| drill::drill(d, visit.lang)).collect(),
    };
    let status = if problems.is_empty() { StatusCode::OK } else { status(problems) };
    show(status, &page)
}

/// Begins a drill, or shows the form again.
pub(super) async fn begin(
    Member(visit): Member,
    State(app): State<App>,
    read::Form(raw): read::Form<RawOrder>,
) -> Response {
    match carry_out(&app, &visit, Act::BeginDrill(raw.clone()), &Consent::NONE).await {
        Ok(_) => Redirect::to("/drills").into_response(),
        Err(Declined::Refused(problems)) => view(&visit, &app, None, &raw, &problems).await,
        Err(declined) => visit.declined(&app, declined),
    }
}

/// Gives the drill up.
pub(super) async fn cancel(Member(visit): Member, State(app): State<App>) -> Response {
    at_desk(&visit, &app, Act::CancelDrill, "/drills").await
}
