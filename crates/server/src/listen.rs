//! Takes connections: from browsers and programs over TCP, from the machine's owner over a unix socket.
//!
//! hyper is driven directly rather than through `axum::serve`, which has no time limit for a request's head.

use std::io;
use std::net::IpAddr;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{interval, sleep, timeout};

use crate::web::session::{Local, Peer};

/// A client that takes longer for a request's head, or says nothing for so long, is let go (slowloris).
const HEAD_DEADLINE: Duration = Duration::from_secs(30);
/// The largest head.
const HEAD_LIMIT: usize = 64 * 1024;
/// Connections at once, per listener; more of them wait in the kernel's queue.
pub const ROOM: usize = 512;
/// Time for answers on their way when Cordée stops. Event streams never end by themselves.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// Between two looks whether the command line's socket is still there.
const STILL_THERE: Duration = Duration::from_secs(1);
/// Before the next try when no connection could be taken (no file descriptor left, for example).
const BREATH: Duration = Duration::from_millis(100);

/// Serves `app` on TCP until `stop` becomes true; each request carries [`Peer`].
pub async fn tcp(listener: TcpListener, app: Router, stop: watch::Receiver<bool>) {
    let mut open = Open::new(app, stop);
    while let Some(permit) = open.room().await {
        tokio::select! {
            () = stopped(open.stop.clone()) => break,
            taken = listener.accept() => match taken {
                Ok((stream, from)) => open.serve(stream, Peer(canonical(from.ip())), permit),
                Err(error) => refused(&error).await,
            },
        }
    }
    open.finish().await;
}

/// Serves `app` on a unix socket until `stop` becomes true; each request carries [`Local`]. Fails when the
/// socket cannot be made, or another Cordée answers on it.
pub async fn unix(path: &Path, app: Router, stop: watch::Receiver<bool>) -> io::Result<()> {
    let mut listener = bind(path).await?;
    let mut open = Open::new(app, stop);
    let mut there = interval(STILL_THERE);
    while let Some(permit) = open.room().await {
        tokio::select! {
            () = stopped(open.stop.clone()) => break,
            _ = there.tick() => if !path.exists() {
                // Somebody removed it, perhaps with its folder: nobody could reach Cordée from here on.
                match bind(path).await {
                    Ok(anew) => listener = anew,
                    Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "making the socket anew"),
                }
            },
            taken = listener.accept() => match taken {
                Ok((stream, _)) if ours(&stream) => open.serve(stream, Local, permit),
                Ok(_) => tracing::warn!("a connection by another user was closed"),
                Err(error) => refused(&error).await,
            },
        }
    }
    // First, so that nobody finds a socket on which nobody will answer.
    let _ = std::fs::remove_file(path);
    open.finish().await;
    Ok(())
}

/// Takes the place of a socket that nobody answers on, but of nothing else.
async fn bind(path: &Path) -> io::Result<UnixListener> {
    if let Ok(found) = std::fs::symlink_metadata(path) {
        if !found.file_type().is_socket() || UnixStream::connect(path).await.is_ok() {
            return Err(io::Error::from(io::ErrorKind::AddrInUse));
        }
        std::fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    // Between the two calls another user could connect: `ours` closes that too.
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Whether the other end is this user or root. The mode of the file says the same, but a folder may be copied.
fn ours(stream: &UnixStream) -> bool {
    let us = rustix::process::geteuid().as_raw();
    stream.peer_cred().is_ok_and(|peer| peer.uid() == us || peer.uid() == 0)
}

/// `::ffff:10.0.0.1` is 10.0.0.1: limits count addresses, not ways to write them.
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
    room: Arc<Semaphore>,
    tasks: JoinSet<()>,
    stop: watch::Receiver<bool>,
}

impl Open {
    fn new(app: Router, stop: watch::Receiver<bool>) -> Self {
        let room = Arc::new(Semaphore::new(ROOM));
        Self { app: TowerToHyperService::new(app), room, tasks: JoinSet::new(), stop }
    }

    /// Waits for room for one more connection; `None` when it is time to stop.
    async fn room(&mut self) -> Option<OwnedSemaphorePermit> {
        while let Some(ended) = self.tasks.try_join_next() {
            // It costs whoever asked their answer, and nobody else: what was left in the middle of a change ends the run.
            if let Err(error) = ended {
                tracing::error!(error = &error as &dyn std::error::Error, "answering a connection");
            }
        }
        tokio::select! {
            () = stopped(self.stop.clone()) => None,
            permit = self.room.clone().acquire_owned() => permit.ok(),
        }
    }

    fn serve<I, E>(&mut self, stream: I, from: E, permit: OwnedSemaphorePermit)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        E: Clone + Send + Sync + 'static,
    {
        let (app, stop) = (self.app.clone(), self.stop.clone());
        self.tasks.spawn(async move {
            connection(stream, from, app, stop, HEAD_DEADLINE).await;
            drop(permit);
        });
    }

    /// Lets answers on their way be finished.
    async fn finish(mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}

/// One connection, until it ends or `stop`; a request's head must arrive within `deadline`.
async fn connection<I, E>(
    stream: I,
    from: E,
    app: TowerToHyperService<Router>,
    stop: watch::Receiver<bool>,
    deadline: Duration,
) where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    E: Clone + Send + Sync + 'static,
{
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(from.clone());
        app.call(request)
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
        // A client that goes away in the middle is nothing to wake anybody for.
        tracing::debug!(error = &error as &dyn std::error::Error, "connection");
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::time::Instant;

    use axum::Extension;
    use axum::response::sse::{Event, Sse};
    use axum::routing::get;
    use futures_util::stream;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
    use tokio::net::TcpStream;
    use tokio::task::JoinHandle;

    use super::*;

    fn router() -> Router {
        let silent = stream::pending::<Result<Event, Infallible>>;
        Router::new()
            .route("/", get(|Extension(Peer(ip)): Extension<Peer>| async move { ip.to_string() }))
            .route("/stream", get(move || async move { Sse::new(silent()) }))
    }

    /// A connection with a short deadline, on which `request` was sent.
    async fn sent(request: &str) -> (DuplexStream, watch::Sender<bool>, JoinHandle<()>) {
        let (mut client, server) = tokio::io::duplex(4096);
        let (stop, stopped) = watch::channel(false);
        let app = TowerToHyperService::new(router());
        let from = Peer(IpAddr::from([127, 0, 0, 1]));
        let task = tokio::spawn(connection(server, from, app, stopped, Duration::from_millis(100)));
        client.write_all(request.as_bytes()).await.unwrap();
        (client, stop, task)
    }

    #[tokio::test]
    async fn a_head_that_never_ends_is_cut_off() {
        let (_client, _stop, task) = sent("GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ").await;
        timeout(Duration::from_secs(5), task).await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_stream_outlives_the_deadline_but_not_the_stop() {
        let (_client, stop, task) = sent("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n").await;
        sleep(Duration::from_millis(400)).await;
        assert!(!task.is_finished());
        let before = Instant::now();
        stop.send_replace(true);
        task.await.unwrap();
        assert!(before.elapsed() < LAST_WORDS * 3);
    }

    #[tokio::test]
    async fn a_request_knows_where_it_comes_from_and_stopping_lets_go_of_the_port() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        let server = tokio::spawn(tcp(listener, router(), stopped));
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert!(answer.ends_with("127.0.0.1"), "{answer}");
        stop.send_replace(true);
        server.await.unwrap();
        assert!(TcpStream::connect(address).await.is_err());
    }
}
