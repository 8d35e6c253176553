//! Accepts connections: from browsers and programs over TCP, from the machine's owner over a unix socket.
//!
//! hyper is used directly rather than through `axum::serve`, which has no time limit for a request's head.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::Path;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Bytes, HttpBody};
use axum::http::{HeaderName, HeaderValue, Request, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use cordee_domain::text;
use cordee_node::over;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener, UnixStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::{interval, sleep, timeout};

use crate::web::session::{Local, Peer, language};

/// A client that takes longer for a request's head, or sends nothing for so long, is disconnected (slowloris).
const HEAD_DEADLINE: Duration = Duration::from_secs(30);
/// The largest head. hyper bounds what it buffers of an incomplete head; a head that arrives at once may be longer,
/// so it is measured again.
const HEAD_LIMIT: usize = 64 * 1024;
/// How many connections each listener has at once. When they are used up, the oldest connection without a pending
/// answer is closed: a client that only holds connections keeps no other client out.
pub const ROOM: usize = 512;
/// How many file descriptors `serve` may need: the connections of the page and the command line, and for each of a
/// hundred servers a look, a step, a log and an SQL connection.
pub const DESCRIPTORS: u64 = 2 * ROOM as u64 + 100 * 8 + 256;
/// How long pending answers may take when Cordée stops. Event streams never end by themselves.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// The interval between two checks that the command line's socket still exists.
const STILL_THERE: Duration = Duration::from_secs(1);
/// The pause before the next try after a connection could not be accepted (no file descriptor left, for example).
const BREATH: Duration = Duration::from_millis(100);

/// Serves `app` on TCP until `stop` becomes true; each request carries [`Peer`].
pub async fn tcp(listener: TcpListener, app: Router, stop: watch::Receiver<bool>) {
    tcp_with(listener, Open::new(app, stop, ROOM)).await;
}

async fn tcp_with(listener: TcpListener, mut open: Open) {
    loop {
        tokio::select! {
            () = stopped(open.stop.clone()) => break,
            taken = listener.accept() => match taken {
                Ok((stream, from)) => {
                    // A connection is closed to make room only now, when a new connection needs it.
                    if !open.room().await {
                        break;
                    }
                    open.serve(stream, Peer(canonical(from.ip())));
                }
                Err(error) => refused(&error).await,
            },
        }
    }
    open.finish().await;
}

/// Serves `app` on a unix socket until `stop` becomes true; each request carries [`Local`]. Fails if the socket
/// cannot be made, or if another Cordée answers on it.
pub async fn unix(path: &Path, app: Router, stop: watch::Receiver<bool>) -> io::Result<()> {
    let mut listener = bind(path).await?;
    let mut open = Open::new(app, stop, ROOM);
    let mut there = interval(STILL_THERE);
    loop {
        tokio::select! {
            () = stopped(open.stop.clone()) => break,
            _ = there.tick() => if !path.exists() {
                // Somebody removed it, perhaps with its folder: without it no client could reach Cordée any more.
                match bind(path).await {
                    Ok(anew) => listener = anew,
                    Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "making the socket anew"),
                }
            },
            taken = listener.accept() => match taken {
                Ok((stream, _)) if ours(&stream) => {
                    if !open.room().await {
                        break;
                    }
                    open.serve(stream, Local);
                }
                Ok(_) => tracing::warn!("a connection by another user was closed"),
                Err(error) => refused(&error).await,
            },
        }
    }
    // The socket is removed first, so that no client finds a socket on which there will be no answer.
    let _ = std::fs::remove_file(path);
    open.finish().await;
    Ok(())
}

/// Binds the socket. Replaces a socket on which nothing answers, but no other file.
async fn bind(path: &Path) -> io::Result<UnixListener> {
    if let Ok(found) = std::fs::symlink_metadata(path) {
        if !found.file_type().is_socket() || UnixStream::connect(path).await.is_ok() {
            return Err(io::Error::from(io::ErrorKind::AddrInUse));
        }
        std::fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    // Between the two calls another user could connect: `ours` closes that connection too.
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Reports whether the peer is this user or root. The mode of the file ensures the same, but a folder may be
/// copied.
fn ours(stream: &UnixStream) -> bool {
    let us = rustix::process::geteuid().as_raw();
    stream.peer_cred().is_ok_and(|peer| peer.uid() == us || peer.uid() == 0)
}

/// Returns 10.0.0.1 for `::ffff:10.0.0.1`: limits count addresses, not notations.
fn canonical(ip: IpAddr) -> IpAddr {
    ip.to_canonical()
}

async fn refused(error: &io::Error) {
    tracing::warn!(error = error as &dyn std::error::Error, "a connection could not be taken");
    sleep(BREATH).await;
}

/// Resolves once `stop` is true, or its sender is gone.
async fn stopped(mut stop: watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// The connections of one listener.
struct Open {
    app: TowerToHyperService<Router>,
    most: usize,
    lines: Lines,
    idle: Arc<Notify>,
    tasks: JoinSet<()>,
    stop: watch::Receiver<bool>,
}

/// The state of each connection, in the order in which they came.
type Lines = Arc<Mutex<BTreeMap<u64, Arc<Line>>>>;

impl Open {
    fn new(app: Router, stop: watch::Receiver<bool>, most: usize) -> Self {
        let app = TowerToHyperService::new(app);
        Self { app, most, lines: Lines::default(), idle: Arc::default(), tasks: JoinSet::new(), stop }
    }

    /// Makes room for one more connection. Returns `false` when it is time to stop.
    async fn room(&mut self) -> bool {
        loop {
            while let Some(ended) = self.tasks.try_join_next() {
                // A panic costs this client its answer, and no other client. If it poisoned a lock, the run ends.
                if let Err(error) = ended {
                    tracing::error!(error = &error as &dyn std::error::Error, "answering a connection");
                }
            }
            if self.tasks.len() < self.most {
                return !*self.stop.borrow();
            }
            self.close_one();
            tokio::select! {
                () = stopped(self.stop.clone()) => return false,
                Some(ended) = self.tasks.join_next() => if let Err(error) = ended {
                    tracing::error!(error = &error as &dyn std::error::Error, "answering a connection");
                },
                () = self.idle.notified() => {}
            }
        }
    }

    /// Closes the oldest idle connection that never had an answer; otherwise the one that has been idle for
    /// longest.
    fn close_one(&self) {
        let mut lines = over::hold(&self.lines);
        let idle = lines.iter().filter(|(_, line)| line.idle());
        let oldest = idle.min_by_key(|(came, line)| (line.since(), **came)).map(|(came, _)| *came);
        if let Some(line) = oldest.and_then(|came| lines.remove(&came)) {
            line.close.notify_one();
        }
    }

    fn serve<I, E>(&mut self, stream: I, from: E)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        E: Clone + Send + Sync + 'static,
    {
        let (app, stop, lines) = (self.app.clone(), self.stop.clone(), self.lines.clone());
        let line = Arc::new(Line::new(self.idle.clone()));
        let mut all = over::hold(&self.lines);
        let came = all.last_key_value().map_or(0, |(last, _)| last + 1);
        all.insert(came, line.clone());
        drop(all);
        self.tasks.spawn(async move {
            tokio::select! {
                () = connection(stream, from, app, stop, HEAD_DEADLINE, line.clone()) => {}
                () = line.close.notified() => tracing::debug!("an idle connection made room"),
            }
            over::hold(&lines).remove(&came);
        });
    }

    /// Waits for the pending answers.
    async fn finish(mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}

/// The state of one connection: whether it has a complete request without a complete answer, and the number of its
/// last answer, counted over all connections.
#[derive(Debug)]
struct Line {
    busy: AtomicBool,
    since: AtomicU64,
    close: Notify,
    idle: Arc<Notify>,
}

/// How many answers were completed on all connections: it serves as an order in time.
static ANSWERS: AtomicU64 = AtomicU64::new(1);

impl Line {
    fn new(idle: Arc<Notify>) -> Self {
        Self { busy: AtomicBool::new(false), since: AtomicU64::new(0), close: Notify::new(), idle }
    }

    fn idle(&self) -> bool {
        !self.busy.load(Ordering::Acquire)
    }

    /// Returns 0 for a connection that never had an answer.
    fn since(&self) -> u64 {
        self.since.load(Ordering::Relaxed)
    }
}

/// A request's body: a request counts only when its body is complete.
struct Body {
    body: Incoming,
    line: Arc<Line>,
}

impl Body {
    fn new(body: Incoming, line: Arc<Line>) -> Self {
        line.busy.store(body.is_end_stream(), Ordering::Release);
        Self { body, line }
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if matches!(frame, Poll::Ready(None)) || self.body.is_end_stream() {
            self.line.busy.store(true, Ordering::Release);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// An answer's body: when it ends, the connection is idle.
struct Answer {
    body: axum::body::Body,
    line: Arc<Line>,
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.line.since.store(ANSWERS.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        self.line.busy.store(false, Ordering::Release);
        self.line.idle.notify_one();
    }
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Returns the length of a request's head, as it was sent.
fn head_length<B>(request: &Request<B>) -> usize {
    let path = request.uri().path_and_query().map_or(0, |path| path.as_str().len());
    let first = request.method().as_str().len() + path + "  HTTP/1.1\r\n".len();
    let header =
        |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len() + ": \r\n".len();
    first + request.headers().iter().map(header).sum::<usize>() + "\r\n".len()
}

/// Returns the answer to a head that is too long.
fn too_long<B>(request: &Request<B>) -> Response {
    let says = language(request.headers()).say(&text!("problem-head-long", most = HEAD_LIMIT / 1024));
    let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
    (status, [(header::CONNECTION, "close")], says + "\n").into_response()
}

/// Serves one connection until it ends or `stop`; a request's head must arrive within `deadline`.
async fn connection<I, E>(
    stream: I,
    from: E,
    app: TowerToHyperService<Router>,
    stop: watch::Receiver<bool>,
    deadline: Duration,
    line: Arc<Line>,
) where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    E: Clone + Send + Sync + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let refused = (head_length(&request) > HEAD_LIMIT).then(|| too_long(&request));
        let mut request = request.map(|body| Body::new(body, line.clone()));
        request.extensions_mut().insert(from.clone());
        let (app, line) = (app.clone(), line.clone());
        async move {
            let answer = match refused {
                Some(refused) => refused,
                None => app.call(request).await?,
            };
            Ok::<_, Infallible>(answer.map(|body| Answer { body, line }))
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(deadline)
        .max_buf_size(HEAD_LIMIT)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopped(stop) => {
            connection.as_mut().graceful_shutdown();
            timeout(LAST_WORDS, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        // A client that disconnects in the middle of a request needs nobody's attention.
        tracing::debug!(error = &error as &dyn std::error::Error, "connection");
    }
}

#[cfg(test)]
mod tests;
