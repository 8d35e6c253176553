//! The session's cookie alone changes nothing: a change made with it takes the secret of the page's script, or the
//! password.
//!
//! Layers in front of every route, so that no new route can lack them. The rules are in `domain::proof`.

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

/// The field in which the page's script sends its secret.
pub const FIELD: &str = "proof";
/// The field for the password of the signed-in person; other forms have passwords for something else.
pub const PASSWORD: &str = "own_password";
/// The field of a password for something else: it is not sent back, so it has to be typed again.
const OTHER: &str = "password";
/// The header that carries the secret in the API.
pub const HEADER: &str = "cordee-proof";

/// The page that is shown when the cookie is not enough: the form once more, with a field for the password.
#[derive(Template)]
#[template(path = "prove.html")]
struct Prove {
    p: Page,
    /// Why the password is required, in one sentence.
    why: String,
    /// What is wrong with what was typed.
    wrong: Option<String>,
    /// The fields of the form, except passwords.
    fields: Vec<(String, String)>,
    /// The form had a password for something else.
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

/// Returns when the password was last given together with that secret, when the session knows it.
async fn confirmed(app: &App, session: &SignIn, proof: &Proof) -> Result<Option<Millis>, StoreError> {
    let (store, session, proof) = (app.store.clone(), session.clone(), proof.clone());
    app.blocking(move || store.confirmed(&session, &proof)).await
}

/// Returns whose tries are counted when somebody types the password in that session. A browser that shows a secret
/// which the session knows has tries of its own, so that somebody who has the cookie alone cannot use them up.
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

/// Records, for a session, the secret that came together with the right password. Without a secret (no script), or
/// when it cannot be stored, the password is required again.
pub async fn bind(app: &App, session: &SignIn, sent: &str) {
    let Some(proof) = Proof::parse(sent) else { return };
    let (store, session) = (app.store.clone(), session.clone());
    if let Err(error) = app.blocking(move || store.confirm(&session, &proof)).await {
        tracing::warn!(error = &error as &dyn std::error::Error, "a session's secret");
    }
}

/// The layer in front of the pages.
pub async fn page(State(app): State<App>, request: Request, next: Next) -> Response {
    let free = is_safe(request.method()) || is_free(request.uri().path());
    if free || request.extensions().get::<Local>().is_some() {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    let lang = language(&parts.headers);
    let owner = match owner(&mut parts, &app).await {
        Ok(Some(owner)) => owner,
        // Nobody is signed in, so the handler lets nobody in.
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

/// The layer in front of the API. The page changes nothing through the API; a client that does so with the page's
/// session must send the script's secret, and the password must have been given with it a short while ago.
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

/// The fields that a form sent.
struct Typed(Vec<(String, String)>);

impl Typed {
    /// Parses the form. A form that cannot be parsed has no fields, and so proves nothing.
    async fn of(parts: &Parts, body: &Bytes, app: &App) -> Self {
        let copy = Request::from_parts(parts.clone(), Body::from(body.clone()));
        Self(axum::Form::from_request(copy, app).await.map(|axum::Form(fields)| fields).unwrap_or_default())
    }

    fn field(&self, name: &str) -> &str {
        self.0.iter().find(|(field, _)| field == name).map_or("", |(_, typed)| typed.as_str())
    }

    /// Returns what the form shows besides the cookie. A password is counted as a try and compared; with the right
    /// one, the session knows the secret beside it from now on.
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

    /// Answers a password that was not accepted.
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

    /// Asks for the password where that is possible; the other fields are kept.
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
                // The answer contains what was typed.
                (Unpacked, show(status, &Prove { p, why, wrong, fields, other })).into_response()
            }
        }
    }
}
