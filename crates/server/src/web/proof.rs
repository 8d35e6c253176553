//! The session's cookie alone changes nothing: a change made with it takes the secret of the page's script, or the
//! password.
//!
//! Layers in front of every route, so that a new one cannot be forgotten. What is decided stands in `domain::proof`.

use askama::Template;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest as _, FromRequestParts as _, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};
use cordee_domain::guesses::Insider;
use cordee_domain::ids::Millis;
use cordee_domain::problem::Problem;
use cordee_domain::proof::{Asks, Proof, Shown, Way, asks, is_free, is_grave, way};
use cordee_domain::text;
use cordee_domain::text::Text;
use cordee_node::clock::now;

use super::App;
use super::error::Refusal;
use super::packing::Unpacked;
use super::page::{NavItem, Page, Visit, show};
use super::password::{self, Doubt, signed_in};
use super::read;
use super::session::{Local, bearer, language, own_session, person};
use crate::store::{Account, SignIn, StoreError, digest};

/// The field in which the page's script puts its secret.
pub const FIELD: &str = "proof";
/// The field of the password of whoever is signed in; other forms have passwords of something else.
pub const PASSWORD: &str = "own_password";
/// A password of something else: it is not sent back, so that it has to be typed once more.
const OTHER: &str = "password";
/// The header that carries the secret in the API.
pub const HEADER: &str = "cordee-proof";

/// What is asked for when the cookie is not enough: the form once more, with a field for the password.
#[derive(Template)]
#[template(path = "prove.html")]
struct Prove {
    p: Page,
    /// Why, in one sentence.
    why: String,
    /// What is wrong with what was typed.
    wrong: Option<String>,
    /// What the form had, but for passwords.
    fields: Vec<(String, String)>,
    /// It had a password of something else.
    other: bool,
}

/// A person who is signed in by cookie.
struct Owner {
    account: Account,
    session: SignIn,
}

async fn owner(parts: &mut Parts, app: &App) -> Result<Option<Owner>, StoreError> {
    let Some(account) = person(parts, app).await? else { return Ok(None) };
    Ok(Some(Owner { account: Account(account), session: own_session(parts) }))
}

fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// When the password was last given together with that secret, when the session knows it.
async fn confirmed(app: &App, session: &SignIn, proof: &Proof) -> Result<Option<Millis>, StoreError> {
    let (store, session, proof) = (app.store.clone(), session.clone(), proof.clone());
    app.blocking(move || store.confirmed(&session, &proof)).await
}

/// As whom one counts who is signed in by that session and types the password: a browser that shows a secret which
/// the session knows has tries of its own, so that nobody uses them up who has the cookie alone.
pub async fn insider(
    app: &App,
    account: &Account,
    session: &SignIn,
    sent: &str,
) -> Result<Insider, StoreError> {
    let Some(proof) = Proof::parse(sent) else { return Ok(signed_in(account)) };
    let known = confirmed(app, session, &proof).await?;
    Ok(known.map_or_else(|| signed_in(account), |_| Insider::Browser(digest(proof.secret()))))
}

/// Has a session know the secret that came together with the right password. Without one (no script), or when it
/// cannot be written down, the password is asked for again.
pub async fn bind(app: &App, session: &SignIn, sent: &str) {
    let Some(proof) = Proof::parse(sent) else { return };
    let (store, session) = (app.store.clone(), session.clone());
    if let Err(error) = app.blocking(move || store.confirm(&session, &proof)).await {
        tracing::warn!(error = &error as &dyn std::error::Error, "a session's secret");
    }
}

/// In front of the pages.
pub async fn page(State(app): State<App>, request: Request, next: Next) -> Response {
    let free = is_safe(request.method()) || is_free(request.uri().path());
    if free || request.extensions().get::<Local>().is_some() {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    let lang = language(&parts.headers);
    let owner = match owner(&mut parts, &app).await {
        Ok(Some(owner)) => owner,
        // Nobody is let in there.
        Ok(None) => return next.run(Request::from_parts(parts, body)).await,
        Err(error) => return Refusal::store(&error, lang).into_response(),
    };
    let body = match read::whole(&mut parts, body, &app).await {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    let form = Typed::of(&parts, &body, &app).await;
    match form.shows(&app, &owner).await {
        Ok(shown) => {
            let grave = is_grave(parts.uri.path(), form.field("confirm"));
            let Some(why) = asks(shown, grave, now()) else {
                return next.run(Request::from_parts(parts, Body::from(body))).await;
            };
            form.ask(&app, &mut parts, StatusCode::FORBIDDEN, reason(why), None).await
        }
        Err(doubt) => form.doubted(&app, &mut parts, doubt).await,
    }
}

/// In front of the API. The page changes nothing through it; whoever does with the page's session shows the script's
/// secret, and the password was given with it a short while ago.
pub async fn api(State(app): State<App>, request: Request, next: Next) -> Response {
    let local = request.extensions().get::<Local>().is_some();
    if is_safe(request.method()) || local || bearer(request.headers()).is_some() {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    let lang = language(&parts.headers);
    let shown = match owner(&mut parts, &app).await {
        Ok(Some(owner)) => match sent(&parts.headers) {
            Some(proof) => confirmed(&app, &owner.session, &proof).await,
            None => Ok(None),
        },
        Ok(None) => return next.run(Request::from_parts(parts, body)).await,
        Err(error) => Err(error),
    };
    let shown = match shown {
        Ok(Some(confirmed)) => Shown::Secret { confirmed },
        Ok(None) => Shown::Nothing,
        Err(error) => return Refusal::store(&error, lang).into_response(),
    };
    if asks(shown, true, now()).is_none() {
        return next.run(Request::from_parts(parts, body)).await;
    }
    let problems = vec![Problem::invalid("", text!("problem-proof-api"))];
    Refusal { status: StatusCode::FORBIDDEN, problems, lang }.into_response()
}

fn sent(headers: &HeaderMap) -> Option<Proof> {
    Proof::parse(headers.get(HEADER)?.to_str().ok()?)
}

fn reason(why: Asks) -> Text {
    match why {
        Asks::Unproven => text!("problem-proof"),
        Asks::Grave => text!("problem-proof-grave"),
    }
}

/// What a form sent.
struct Typed(Vec<(String, String)>);

impl Typed {
    /// Nothing when it cannot be read: then nothing proves anything.
    async fn of(parts: &Parts, body: &Bytes, app: &App) -> Self {
        let copy = Request::from_parts(parts.clone(), Body::from(body.clone()));
        Self(axum::Form::from_request(copy, app).await.map(|axum::Form(fields)| fields).unwrap_or_default())
    }

    fn field(&self, name: &str) -> &str {
        self.0.iter().find(|(field, _)| field == name).map_or("", |(_, typed)| typed.as_str())
    }

    /// What it shows besides the cookie. A password is compared, and counted before; with the right one, the secret
    /// beside it is the session's from now on.
    async fn shows(&self, app: &App, owner: &Owner) -> Result<Shown, Doubt> {
        let proof = Proof::parse(self.field(FIELD));
        let known = match &proof {
            Some(proof) => confirmed(app, &owner.session, proof).await?,
            None => None,
        };
        let typed = self.field(PASSWORD);
        if typed.is_empty() {
            return Ok(known.map_or(Shown::Nothing, |confirmed| Shown::Secret { confirmed }));
        }
        let insider = insider(app, &owner.account, &owner.session, self.field(FIELD)).await?;
        password::present(app, &owner.account, typed.to_owned(), insider).await?;
        bind(app, &owner.session, self.field(FIELD)).await;
        Ok(Shown::Password)
    }

    /// The password was not taken.
    async fn doubted(self, app: &App, parts: &mut Parts, doubt: Doubt) -> Response {
        let ask = text!("problem-proof");
        match doubt {
            Doubt::Wrong => {
                let wrong = text!("problem-password-present");
                self.ask(app, parts, StatusCode::UNPROCESSABLE_ENTITY, ask, Some(wrong)).await
            }
            Doubt::Wait(seconds) => {
                let wrong = text!("problem-too-many", seconds = seconds);
                let mut answer = self.ask(app, parts, StatusCode::TOO_MANY_REQUESTS, ask, Some(wrong)).await;
                answer.headers_mut().insert(header::RETRY_AFTER, seconds.into());
                answer
            }
            Doubt::Store(error) => Refusal::store(&error, language(&parts.headers)).into_response(),
        }
    }

    /// Asks for the password where it can be asked for; whatever else was typed is kept.
    async fn ask(
        self,
        app: &App,
        parts: &mut Parts,
        status: StatusCode,
        why: Text,
        wrong: Option<Text>,
    ) -> Response {
        let visit = match Visit::from_request_parts(parts, app).await {
            Ok(visit) => visit,
            Err(refused) => return refused,
        };
        let with_secret = Proof::parse(self.field(FIELD)).is_some() || !self.field(PASSWORD).is_empty();
        match way(visit.script, with_secret) {
            Way::SignIn => Redirect::to("/login").into_response(),
            Way::Field => {
                let problems = vec![Problem::invalid(PASSWORD, wrong.unwrap_or(why))];
                Refusal { status, problems, lang: visit.lang }.into_response()
            }
            Way::Page => {
                let other = self.0.iter().any(|(name, _)| name == OTHER);
                let dropped = [FIELD, PASSWORD, OTHER, "who"];
                let fields =
                    self.0.into_iter().filter(|(name, _)| !dropped.contains(&name.as_str())).collect();
                let (why, wrong) = (visit.lang.say(&why), wrong.map(|text| visit.lang.say(&text)));
                let p = visit.page(app, NavItem::Other);
                // It holds what was typed.
                (Unpacked, show(status, &Prove { p, why, wrong, fields, other })).into_response()
            }
        }
    }
}
