//! A visitor of a site on this machine: it sends one request after the other, each over a connection of its own,
//! and keeps cookies between them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use cordee_domain::sessions::{self, Mode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, CONTENT_TYPE, COOKIE, HOST, HeaderValue, SET_COOKIE, USER_AGENT};
use hyper::{HeaderMap, Method, Request};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// The time limit of a whole request: longer than PHP waits for a session's lock.
const DEADLINE: Duration = Duration::from_secs(20);
/// The longest answer that is read.
const ANSWER_LIMIT: usize = 1 << 20;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum VisitError {
    /// Nothing listens.
    #[error("connecting")]
    Connect(#[source] std::io::Error),
    /// The connection broke, or the answer is not HTTP.
    #[error("talking HTTP")]
    Http(#[from] hyper::Error),
    /// The address or a cookie cannot be part of a request.
    #[error("writing the request")]
    Request(#[from] hyper::http::Error),
    /// The answer is too long, or broke off.
    #[error("reading the answer")]
    Body,
    /// The answer did not come in time.
    #[error("no answer in time")]
    Late,
}

/// The answer to a request.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The complete body.
    pub body: Bytes,
    /// The time from the connect to the last byte.
    pub took: Duration,
}

/// One visitor. A clone is a second window of the same browser: it starts with the same cookies, and from then on
/// has its own.
#[derive(Clone, Debug)]
pub struct Visitor {
    to: SocketAddr,
    cookies: BTreeMap<String, String>,
    refuses: &'static str,
    fixed: bool,
    agent: Option<HeaderValue>,
    host: Option<HeaderValue>,
    patience: Duration,
}

impl Visitor {
    /// Returns a visitor without cookies, who never keeps the cookie named `refuses` (empty: keeps all).
    pub const fn new(to: SocketAddr, refuses: &'static str) -> Self {
        Self {
            to,
            cookies: BTreeMap::new(),
            refuses,
            fixed: false,
            agent: None,
            host: None,
            patience: DEADLINE,
        }
    }

    /// Returns the same visitor, who uses that host name for the site. The address of the requests stays the same.
    #[must_use]
    pub fn by_name(self, host: Option<HeaderValue>) -> Self {
        Self { host, ..self }
    }

    /// Returns the same visitor with that user agent, who waits no longer than `patience` for an answer.
    #[must_use]
    pub fn called(self, agent: HeaderValue, patience: Duration) -> Self {
        Self { agent: Some(agent), patience, ..self }
    }

    /// Returns the same visitor, who from now on keeps the cookies unchanged, whatever the site sets.
    #[must_use]
    pub fn fixed(&self) -> Self {
        Self { fixed: true, ..self.clone() }
    }

    /// Requests a page.
    pub async fn get(&mut self, path: &str) -> Result<Answer, VisitError> {
        self.request(Method::GET, path, "").await
    }

    /// Sends a form without fields: the parameters are part of the address.
    pub async fn post(&mut self, path: &str) -> Result<Answer, VisitError> {
        self.request(Method::POST, path, "").await
    }

    /// Sends a form whose fields are already encoded.
    pub async fn form(&mut self, path: &str, fields: &'static str) -> Result<Answer, VisitError> {
        self.request(Method::POST, path, fields).await
    }

    async fn request(
        &mut self,
        method: Method,
        path: &str,
        form: &'static str,
    ) -> Result<Answer, VisitError> {
        let begun = Instant::now();
        let exchange = self.exchange(method, path, form);
        let (status, headers, body) =
            tokio::time::timeout(self.patience, exchange).await.map_err(|_| VisitError::Late)??;
        if !self.fixed {
            self.keep(&headers);
        }
        Ok(Answer { status, body, took: begun.elapsed() })
    }

    async fn exchange(&self, method: Method, path: &str, form: &'static str) -> Result<Got, VisitError> {
        let mut request = Request::builder().method(method).uri(path).header(CONNECTION, "close");
        request = match &self.host {
            Some(host) => request.header(HOST, host),
            None => request.header(HOST, self.to.to_string()),
        };
        if !self.cookies.is_empty() {
            let all: Vec<String> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(COOKIE, all.join("; "));
        }
        if let Some(agent) = &self.agent {
            request = request.header(USER_AGENT, agent);
        }
        if !form.is_empty() {
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        send(self.to, request.body(Full::from(form))?).await
    }

    /// Processes `Set-Cookie` as a browser does: a new value replaces the old one, an expired cookie is removed.
    fn keep(&mut self, headers: &HeaderMap) {
        for set in headers.get_all(SET_COOKIE).iter().filter_map(|v| v.to_str().ok()) {
            let mut parts = set.split(';').map(str::trim);
            let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else { continue };
            if name == self.refuses && !self.refuses.is_empty() {
                continue;
            }
            let gone = parts.any(|p| p.eq_ignore_ascii_case("max-age=0"));
            if gone {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

/// The status, headers and body of an answer.
type Got = (u16, HeaderMap, Bytes);

async fn send(to: SocketAddr, request: Request<Full<Bytes>>) -> Result<Got, VisitError> {
    let stream = TcpStream::connect(to).await.map_err(VisitError::Connect)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // This task ends with the last byte of the answer, or when `sender` is dropped.
    let driver = tokio::spawn(connection);
    let answer = sender.send_request(request).await?;
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let body =
        Limited::new(answer.into_body(), ANSWER_LIMIT).collect().await.map_err(|_| VisitError::Body)?;
    driver.abort();
    Ok((status, headers, body.to_bytes()))
}

/// How long a web server may take to report its session mode.
const MODE_DEADLINE: Duration = Duration::from_secs(2);

/// Asks a web server itself to keep sessions in a mode, and reads which mode it reports as used.
pub async fn ask_mode(to: SocketAddr, asked: Mode) -> Result<sessions::Answer, VisitError> {
    let request = Request::builder()
        .method(Method::HEAD)
        .uri("/")
        .header(HOST, "cordee-check")
        .header(CONNECTION, "close")
        .header(sessions::HEADER, asked.as_str())
        .body(Full::default())?;
    let answer = tokio::time::timeout(MODE_DEADLINE, send(to, request)).await;
    let (_, headers, _) = answer.map_err(|_| VisitError::Late)??;
    let said = headers.get(sessions::HEADER).and_then(|v| v.to_str().ok());
    Ok(sessions::Answer { asked, used: said.and_then(|word| Mode::parse(word).ok()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(cookies: &[&'static str]) -> HeaderMap {
        cookies.iter().map(|c| (SET_COOKIE, HeaderValue::from_static(c))).collect()
    }

    #[test]
    fn cookies_are_kept_replaced_removed_and_refused() {
        let mut visitor = Visitor::new(SocketAddr::from(([127, 0, 0, 1], 1)), "SERVEUR");
        visitor.keep(&set(&["sid=a; path=/; HttpOnly", "SERVEUR=S1; path=/", "odd"]));
        assert_eq!(visitor.cookies, BTreeMap::from([("sid".to_owned(), "a".to_owned())]));
        visitor.keep(&set(&["sid=b"]));
        assert_eq!(visitor.cookies.get("sid").map(String::as_str), Some("b"));
        visitor.keep(&set(&["sid=deleted; expires=Thu, 01-Jan-1970 00:00:01 GMT; Max-Age=0"]));
        assert!(visitor.cookies.is_empty());
        let mut keeps_all = Visitor::new(SocketAddr::from(([127, 0, 0, 1], 1)), "");
        keeps_all.keep(&set(&["SERVEUR=S1"]));
        assert_eq!(keeps_all.cookies.len(), 1);
    }
}
