//! Extractors of the API. Whatever is wrong with a request is answered as a problem, never with the framework's
//! own text.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use axum::body::Body as Stream;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use cordee_domain::ids::{PoolId, ServerName};
use cordee_domain::problem::{Kind, Problem};
use cordee_domain::text;
use cordee_domain::text::Text;
use http_body_util::BodyExt as _;
use serde_json::{Map, Value};

use crate::control::act::{Act, ServerAct};
use crate::store::CommitError;
use crate::web::App;
use crate::web::error::Refusal;
use crate::web::session::language;
use crate::words::Lang;

/// The largest accepted body.
pub const BODY_LIMIT: usize = 2 * 1024 * 1024;
/// A larger body is read and discarded up to this size: a client whose connection is cut while it sends never
/// reads the answer.
const DISCARD_LIMIT: usize = 4 * 1024 * 1024;
/// Time limit for a body to arrive.
pub const BODY_DEADLINE: Duration = Duration::from_secs(10);

/// No journal gets this long; and up to here every JSON parser keeps whole numbers exact.
pub const LAST_ID: u64 = 1 << 53;

/// Returns a refusal for one field.
pub fn refuse(status: StatusCode, field: &str, text: Text, lang: Lang) -> Refusal {
    Refusal { status, problems: vec![Problem::invalid(field, text)], lang }
}

/// Returns the refusal for the domain's problems, with the status of their kind.
pub fn refused(problems: Vec<Problem>, lang: Lang) -> Refusal {
    Refusal::commit(CommitError::Refused(problems), lang)
}

/// Returns the refusal for an address that does not exist.
pub fn not_here(lang: Lang) -> Refusal {
    refuse(StatusCode::NOT_FOUND, "", text!("problem-not-here"), lang)
}

/// The pool and the server in the address.
#[derive(Clone, Debug)]
pub struct ServerPath {
    /// The pool.
    pub pool: PoolId,
    /// The server; a name that no server can have counts as unknown.
    pub name: ServerName,
}

impl ServerPath {
    /// Returns that act on the server.
    pub fn asks(self, act: ServerAct) -> Act {
        Act::Server(self.pool, self.name, act)
    }
}

/// The database in an address that names no pool.
#[derive(Clone, Debug)]
pub struct DatabasePath(pub ServerName);

/// The pool in the address.
#[derive(Clone, Copy, Debug)]
pub struct PoolPath(pub PoolId);

/// The HAProxy instance in the address.
#[derive(Clone, Copy, Debug)]
pub struct ProxyPath(pub PoolId);

/// The number of a run in the address; a word that is no number counts as unknown.
#[derive(Clone, Copy, Debug)]
pub struct RunPath(pub u64);

/// The token that the address names; a name that no token can have counts as unknown.
#[derive(Clone, Debug)]
pub struct TokenPath(pub String);

/// The last segment of the address.
#[derive(Clone, Debug)]
pub struct ActionWord(pub String);

/// The query.
#[derive(Clone, Debug)]
pub struct QueryFields(BTreeMap<String, String>);

/// A JSON object.
#[derive(Debug)]
pub struct Body(pub Members);

/// The members of a JSON object, taken out one by one.
#[derive(Debug, Default)]
pub struct Members {
    left: Map<String, Value>,
    problems: Vec<Problem>,
}

impl FromRequestParts<App> for ServerPath {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Refusal> {
        let lang = language(&parts.headers);
        let words = path(parts).await?;
        let pool = pool(&words, "pool").map_err(|p| Refusal::problem(p, lang))?;
        let name = name(&words).map_err(|p| Refusal::problem(p, lang))?;
        Ok(Self { pool, name })
    }
}

impl FromRequestParts<App> for DatabasePath {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Refusal> {
        let lang = language(&parts.headers);
        name(&path(parts).await?).map(Self).map_err(|p| Refusal::problem(p, lang))
    }
}

impl FromRequestParts<App> for PoolPath {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Refusal> {
        let lang = language(&parts.headers);
        pool(&path(parts).await?, "pool").map(Self).map_err(|p| Refusal::problem(p, lang))
    }
}

impl FromRequestParts<App> for ProxyPath {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Refusal> {
        let lang = language(&parts.headers);
        pool(&path(parts).await?, "proxy").map(Self).map_err(|p| Refusal::problem(p, lang))
    }
}

impl FromRequestParts<App> for RunPath {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Refusal> {
        let lang = language(&parts.headers);
        let word = path(parts).await?.remove("id").unwrap_or_default();
        word.parse().ok().filter(|id| *id < LAST_ID).map(Self).ok_or_else(|| not_here(lang))
    }
}

impl FromRequestParts<App> for TokenPath {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Refusal> {
        let lang = language(&parts.headers);
        let name = path(parts).await?.remove("name").filter(|name| is_token_name(name));
        name.map(Self).ok_or_else(|| not_here(lang))
    }
}

impl FromRequestParts<App> for ActionWord {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Refusal> {
        Ok(Self(path(parts).await?.remove("action").unwrap_or_default()))
    }
}

type Words = BTreeMap<String, String>;

async fn path(parts: &mut Parts) -> Result<Words, Refusal> {
    let lang = language(&parts.headers);
    // It fails on a segment that is not UTF-8; every name is.
    Path::<Words>::from_request_parts(parts, &()).await.map(|Path(words)| words).map_err(|_| not_here(lang))
}

fn name(words: &Words) -> Result<ServerName, Problem> {
    let word = words.get("name").map_or("", String::as_str);
    ServerName::parse(word).map_err(|p| Problem { kind: Kind::Unknown, ..p.into() })
}

/// A pool and its HAProxy instance have the same name; a refusal names the one that was asked for.
fn pool(words: &Words, field: &str) -> Result<PoolId, Problem> {
    let word = words.get(field).map_or("", String::as_str);
    PoolId::parse(word).map_err(|p| Problem { field: field.to_owned(), ..p.into() })
}

impl FromRequestParts<App> for QueryFields {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Refusal> {
        let lang = language(&parts.headers);
        Query::<BTreeMap<String, String>>::from_request_parts(parts, &())
            .await
            .map(|Query(all)| Self(all))
            .map_err(|_| refuse(StatusCode::BAD_REQUEST, "", text!("problem-query"), lang))
    }
}

impl QueryFields {
    /// Returns a parameter as typed.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Returns `true` or `false`; absent is `false`. Anything else is refused, so that a typing error never has an
    /// effect.
    pub fn flag(&self, name: &str) -> Result<bool, Problem> {
        match self.text(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(Problem::invalid(name, text!("problem-flag"))),
        }
    }

    /// Returns a whole number within bounds, when there is one.
    pub fn number<T>(&self, name: &str, bounds: RangeInclusive<T>) -> Result<Option<T>, Problem>
    where
        T: FromStr + PartialOrd + Copy + Into<u64>,
    {
        let wrong = || {
            let (first, last): (u64, u64) = ((*bounds.start()).into(), (*bounds.end()).into());
            Problem::invalid(name, text!("problem-number", first = first, last = last))
        };
        let Some(typed) = self.text(name) else { return Ok(None) };
        let number = typed.parse().ok().filter(|n| bounds.contains(n));
        number.map(Some).ok_or_else(wrong)
    }
}

impl<S: Sync> FromRequest<S> for Body {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let lang = language(request.headers());
        let json = is_json(request.headers());
        let bytes = tokio::time::timeout(BODY_DEADLINE, collect(request.into_body(), lang))
            .await
            .map_err(|_| refuse(StatusCode::REQUEST_TIMEOUT, "", text!("problem-body-slow"), lang))??;
        if !json {
            return Err(refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, "", text!("problem-body-type"), lang));
        }
        match serde_json::from_slice(&bytes) {
            Ok(Value::Object(left)) => Ok(Self(Members { left, problems: Vec::new() })),
            Ok(_) => Err(refuse(StatusCode::UNPROCESSABLE_ENTITY, "", text!("problem-body-object"), lang)),
            Err(_) => Err(refuse(StatusCode::BAD_REQUEST, "", text!("problem-body-json"), lang)),
        }
    }
}

/// A page of another site can send text or a form without a CORS preflight, but not JSON.
fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("");
    let essence = value.split(';').next().unwrap_or("").trim();
    essence.eq_ignore_ascii_case("application/json")
}

async fn collect(mut body: Stream, lang: Lang) -> Result<Vec<u8>, Refusal> {
    let (mut kept, mut read) = (Vec::new(), 0_usize);
    while let Some(frame) = body.frame().await {
        let broken = |_| refuse(StatusCode::BAD_REQUEST, "", text!("problem-body-json"), lang);
        let Ok(data) = frame.map_err(broken)?.into_data() else { continue };
        read += data.len();
        if read <= BODY_LIMIT {
            kept.extend_from_slice(&data);
        } else if read > DISCARD_LIMIT {
            break;
        }
    }
    if read > BODY_LIMIT {
        let text = text!("problem-body-large", kib = BODY_LIMIT / 1024);
        return Err(refuse(StatusCode::PAYLOAD_TOO_LARGE, "", text, lang));
    }
    Ok(kept)
}

/// Parses a body that contains a single word.
pub fn one_word<T>(
    mut members: Members,
    field: &str,
    parse: impl FnOnce(&str) -> Result<T, Problem>,
    lang: Lang,
) -> Result<T, Refusal> {
    let word = members.text(field).unwrap_or_default();
    members.finish().map_err(|p| refused(p, lang))?;
    parse(&word).map_err(|p| Refusal::problem(p, lang))
}

impl Members {
    /// Returns a string; absent and `null` are `None`, anything else is noted as wrong.
    pub fn text(&mut self, field: &str) -> Option<String> {
        match self.left.remove(field)? {
            Value::String(text) => Some(text),
            Value::Null => None,
            _ => self.wrong(field, text!("problem-member-text")),
        }
    }

    /// Returns a string or a number, as a string.
    pub fn text_or_number(&mut self, field: &str) -> Option<String> {
        self.typed(field, text!("problem-port"))
    }

    /// Returns a number as it would be typed, or an empty string where it is absent. An empty string in the body
    /// is no number, and is noted as wrong.
    pub fn figure(&mut self, field: &str) -> String {
        let wrong = text!("problem-member-number");
        let said = self.typed(field, wrong.clone());
        said.and_then(|text| if text.trim().is_empty() { self.wrong(field, wrong) } else { Some(text) })
            .unwrap_or_default()
    }

    /// Returns a text as it would be typed, or an empty string where it is absent. An empty text in the body is
    /// noted as wrong.
    pub fn filled(&mut self, field: &str, wrong: Text) -> String {
        let said = self.text(field);
        said.and_then(|text| if text.trim().is_empty() { self.wrong(field, wrong) } else { Some(text) })
            .unwrap_or_default()
    }

    fn typed(&mut self, field: &str, wrong: Text) -> Option<String> {
        match self.left.remove(field)? {
            Value::String(text) => Some(text),
            Value::Number(number) => Some(number.to_string()),
            Value::Null => None,
            _ => self.wrong(field, wrong),
        }
    }

    /// Takes a list of strings, or a string with commas; returns the latter.
    pub fn words(&mut self, field: &str) -> Option<String> {
        match self.left.remove(field)? {
            Value::String(text) => Some(text),
            Value::Array(all) => {
                let words: Option<Vec<&str>> = all.iter().map(Value::as_str).collect();
                words.map(|w| w.join(",")).or_else(|| self.wrong(field, text!("problem-member-text")))
            }
            Value::Null => None,
            _ => self.wrong(field, text!("problem-member-text")),
        }
    }

    /// Returns `true` or `false`.
    pub fn flag(&mut self, field: &str) -> Option<bool> {
        match self.left.remove(field)? {
            Value::Bool(flag) => Some(flag),
            Value::Null => None,
            _ => self.wrong(field, text!("problem-flag")),
        }
    }

    fn wrong<T>(&mut self, field: &str, text: Text) -> Option<T> {
        self.problems.push(Problem::invalid(field, text));
        None
    }

    /// Returns every wrong member, and every member that was not taken out: a misspelt member must not pass for an
    /// absent one.
    pub fn finish(mut self) -> Result<(), Vec<Problem>> {
        for field in self.left.keys().take(16) {
            let short: String = field.chars().take(64).collect();
            self.problems.push(Problem::invalid(&short, text!("problem-member-unknown")));
        }
        if self.problems.is_empty() { Ok(()) } else { Err(self.problems) }
    }
}

/// The name appears in the journal, so it has the form of every other name there.
pub fn is_token_name(name: &str) -> bool {
    (1..=63).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}
