//! One request to Cordée and its answer, over the unix socket or over TCP.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::body::Bytes;
use cordee_domain::text;
use cordee_domain::text::Text;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper::header::{ACCEPT_LANGUAGE, AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{sleep, timeout};

use super::Failure;
use crate::words::Lang;

/// The time limit of a whole request: the engine has 20 seconds for the longest.
const DEADLINE: Duration = Duration::from_secs(30);
/// After so long without the answer, a second request checks whether Cordée lives.
const ASIDE: Duration = Duration::from_secs(3);
/// How long the answer to that check may take.
const ALIVE: Duration = Duration::from_secs(5);
/// The longest answer that is read.
const ANSWER_LIMIT: usize = 16 * 1024 * 1024;

/// The address of Cordée.
#[derive(Clone, Debug)]
enum Endpoint {
    /// The unix socket on this machine.
    Socket(PathBuf),
    /// Host and port.
    Tcp(String),
}

/// A client of Cordée, and the language for its answers.
pub(super) struct Door {
    place: Endpoint,
    token: Option<String>,
    pub(super) lang: Lang,
    /// How long to wait until a change is made.
    pub(super) patience: Duration,
    /// The same if it was given explicitly: only then does a command wait for a job that takes minutes.
    pub(super) said: Option<Duration>,
}

impl Door {
    /// Uses `CORDEE_URL` if it is set, otherwise the socket.
    pub(super) fn from_environment(
        socket: &Path,
        patience: Duration,
        said: Option<Duration>,
        lang: Lang,
    ) -> Result<Self, Failure> {
        let variable = |name| std::env::var(name).ok().filter(|v| !v.is_empty());
        let place = match variable("CORDEE_URL") {
            Some(url) => Endpoint::Tcp(authority(&url).ok_or_else(|| Failure::Usage(text!("cli-bad-url")))?),
            None => Endpoint::Socket(socket.to_owned()),
        };
        Ok(Self { place, token: variable("CORDEE_TOKEN"), lang, patience, said })
    }

    /// Uses the socket, whatever the environment says, and never waits.
    pub(super) fn at(socket: &Path, lang: Lang) -> Self {
        Self {
            place: Endpoint::Socket(socket.to_owned()),
            token: None,
            lang,
            patience: Duration::ZERO,
            said: None,
        }
    }

    pub(super) fn say(&self, text: &Text) -> String {
        format!("{}\n", self.lang.say(text))
    }

    pub(super) async fn get(&self, to: &str) -> Result<Value, Failure> {
        self.request("GET", to, None).await
    }

    pub(super) async fn post(&self, to: &str, body: Option<&Value>) -> Result<Value, Failure> {
        self.request("POST", to, body).await
    }

    pub(super) async fn put(&self, to: &str, body: &Value) -> Result<Value, Failure> {
        self.request("PUT", to, Some(body)).await
    }

    pub(super) async fn delete(&self, to: &str) -> Result<Value, Failure> {
        self.request("DELETE", to, None).await
    }

    /// Sends a request that is answered only on the machine itself. Over TCP it fails here, with a clearer reason
    /// than a 404.
    pub(super) async fn local(&self, method: &str, to: &str, body: Option<&Value>) -> Result<Value, Failure> {
        match self.place {
            Endpoint::Socket(_) => self.request(method, to, body).await,
            Endpoint::Tcp(_) => Err(Failure::Usage(text!("cli-local-only"))),
        }
    }

    async fn request(&self, method: &str, to: &str, body: Option<&Value>) -> Result<Value, Failure> {
        let late = || Failure::Broken(text!("cli-deadline", seconds = DEADLINE.as_secs()));
        let answer = async {
            tokio::select! {
                answer = self.exchange(method, to, body) => answer,
                silent = self.silence() => Err(silent),
            }
        };
        let (status, bytes) = tokio::time::timeout(DEADLINE, answer).await.map_err(|_| late())??;
        // A 502 or 504 of a proxy in front also means that the answer was lost.
        let unread = |_| if status.is_server_error() { lost(method) } else { broken() };
        let answer = serde_json::from_slice(&bytes).map_err(unread)?;
        if status.is_success() { Ok(answer) } else { Err(Failure::Refused(reasons(&answer))) }
    }

    /// Resolves when Cordée answers nothing at all: the request itself may take long, but a page that is always
    /// quick must answer.
    async fn silence(&self) -> Failure {
        loop {
            sleep(ASIDE).await;
            if !matches!(timeout(ALIVE, self.exchange("GET", "/login", None)).await, Ok(Ok(_))) {
                let seconds = (ASIDE + ALIVE).as_secs();
                return Failure::Unreachable(match &self.place {
                    Endpoint::Socket(_) => text!("cli-silent", seconds = seconds),
                    Endpoint::Tcp(address) => {
                        text!("cli-silent-url", place = format!("http://{address}"), seconds = seconds)
                    }
                });
            }
        }
    }

    async fn exchange(
        &self,
        method: &str,
        to: &str,
        body: Option<&Value>,
    ) -> Result<(StatusCode, Bytes), Failure> {
        let request = self.head(method, to, body).map_err(|_| Failure::Usage(text!("cli-bad-token")))?;
        match &self.place {
            Endpoint::Socket(path) => {
                let stream = connect(path).await;
                let place = || text!("cli-unreachable", place = path.display().to_string());
                send(stream.map_err(|_| Failure::Unreachable(place()))?, request).await
            }
            Endpoint::Tcp(address) => {
                let stream = TcpStream::connect(address).await;
                // Cordée must be started on its own machine; no command that is typed here starts it.
                let place = || text!("cli-unreachable-url", place = format!("http://{address}"));
                send(stream.map_err(|_| Failure::Unreachable(place()))?, request).await
            }
        }
    }

    fn head(
        &self,
        method: &str,
        to: &str,
        body: Option<&Value>,
    ) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
        let host = match &self.place {
            Endpoint::Socket(_) => "localhost",
            Endpoint::Tcp(address) => address,
        };
        let mut request = Request::builder()
            .method(method)
            .uri(to)
            .header(HOST, host)
            .header(ACCEPT_LANGUAGE, self.lang.tag());
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        request.body(Full::from(body.map(Value::to_string).unwrap_or_default()))
    }
}

async fn send<S>(stream: S, request: Request<Full<Bytes>>) -> Result<(StatusCode, Bytes), Failure>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|_| broken())?;
    // This task ends with the last byte of the answer, or when `sender` is dropped.
    let driver = tokio::spawn(connection);
    let method = request.method().clone();
    let gone = || lost(method.as_str());
    let answer = sender
        .send_request(request)
        .await
        .map_err(|error| if error.is_parse() { broken() } else { gone() })?;
    let status = answer.status();
    let body = Limited::new(answer.into_body(), ANSWER_LIMIT).collect().await.map_err(|_| gone())?;
    driver.abort();
    Ok((status, body.to_bytes()))
}

fn broken() -> Failure {
    Failure::Broken(text!("cli-bad-answer"))
}

/// The connection ended before the answer did: the request may have been carried out.
fn lost(method: &str) -> Failure {
    Failure::Broken(if method == "GET" { text!("cli-lost-look") } else { text!("cli-lost") })
}

/// Connects to a Cordée that runs as root or as our own user; if we are root, also to one that runs as the owner of
/// the socket's folder. A process of another user that answers in its place receives nothing.
async fn connect(path: &Path) -> std::io::Result<UnixStream> {
    let stream = UnixStream::connect(path).await?;
    let uid = stream.peer_cred()?.uid();
    let folder = path.parent().and_then(|p| std::fs::symlink_metadata(p).ok()).map(|m| m.uid());
    let us = rustix::process::geteuid().as_raw();
    let trusted = uid == us || uid == 0 || (us == 0 && Some(uid) == folder);
    if trusted { Ok(stream) } else { Err(std::io::ErrorKind::PermissionDenied.into()) }
}

/// Returns every reason of a problem (RFC 9457) with its field.
fn reasons(problem: &Value) -> Vec<(String, String)> {
    let word = |value: &Value| value.as_str().unwrap_or("").to_owned();
    let errors = problem["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    if errors.is_empty() {
        return vec![(String::new(), word(&problem["detail"]))];
    }
    errors.iter().map(|e| (word(&e["field"]), word(&e["detail"]))).collect()
}

/// Returns host and port of an `http://` address. TLS is not supported: it belongs in front of Cordée.
fn authority(url: &str) -> Option<String> {
    let uri: hyper::Uri = url.parse().ok()?;
    let plain = uri.scheme_str() == Some("http") && matches!(uri.path(), "" | "/") && uri.query().is_none();
    let authority = uri.authority().filter(|a| plain && !a.as_str().contains('@'))?;
    Some(format!("{}:{}", authority.host(), authority.port_u16().unwrap_or(80)))
}

/// Encodes typed text as one segment of an address: everything except letters, digits and `-._~` is encoded.
pub(super) fn segment(typed: &str) -> String {
    use std::fmt::Write as _;
    let mut encoded = String::with_capacity(typed.len());
    for byte in typed.bytes() {
        if byte.is_ascii_alphanumeric()
            || b"-_~".contains(&byte)
            || (byte == b'.' && !matches!(typed, "." | ".."))
        {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a client of a server that answers every request with this text, and disconnects.
    async fn answering(with: &'static str) -> Door {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(with.as_bytes()).await;
            }
        });
        Door {
            place: Endpoint::Tcp(address),
            token: None,
            lang: Lang::En,
            patience: Duration::ZERO,
            said: None,
        }
    }

    #[tokio::test]
    async fn an_answer_that_was_lost_leaves_the_result_unknown() {
        for with in [
            "",
            "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"revision\"",
            "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 5\r\n\r\n<h1>x",
        ] {
            let door = answering(with).await;
            let Err(Failure::Broken(said)) = door.post("/api/v1/refresh", None).await else {
                panic!("{with:?}")
            };
            assert_eq!(said.key, "cli-lost", "{with:?}");
            let Err(Failure::Broken(said)) = door.get("/api/v1/snapshot").await else { panic!("{with:?}") };
            assert_eq!(said.key, "cli-lost-look", "{with:?}: nothing was to be changed");
        }
        for with in ["SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n<h1>x"] {
            let Err(Failure::Broken(said)) = answering(with).await.post("/x", None).await else {
                panic!("{with:?}")
            };
            assert_eq!(said.key, "cli-bad-answer", "{with:?}: that is no Cordée");
        }
    }

    #[tokio::test]
    async fn one_elsewhere_that_does_not_answer_is_not_to_be_started_here() {
        let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let place = Endpoint::Tcp(free.to_string());
        let door = Door { place, token: None, lang: Lang::En, patience: Duration::ZERO, said: None };
        let Err(Failure::Unreachable(said)) = door.get("/api/v1/snapshot").await else { panic!() };
        let said = Lang::En.say(&said);
        assert!(said.contains(&free.to_string()) && !said.contains("./up"), "{said}");
    }

    #[test]
    fn only_plain_http_addresses_are_taken() {
        assert_eq!(authority("http://10.0.0.1:8600").as_deref(), Some("10.0.0.1:8600"));
        assert_eq!(authority("http://cordee.lan/").as_deref(), Some("cordee.lan:80"));
        assert_eq!(authority("http://[::1]:8600").as_deref(), Some("[::1]:8600"));
        for bad in ["https://a", "a:80", "http://u:p@a", "http://a/x", "http://a?b", ""] {
            assert_eq!(authority(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_typed_name_stays_one_piece_of_the_address() {
        assert_eq!(segment("web1"), "web1");
        assert_eq!(segment("../a?b#c\n"), "..%2Fa%3Fb%23c%0A");
        assert_eq!(segment(".."), "%2E%2E");
        assert_eq!(segment("é"), "%C3%A9");
    }
}
