//! HAProxy's sockets. Each call has a deadline of its own: a frozen worker accepts and never answers.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use cordee_domain::haproxy::runtime::{Command, parse_proc};
use cordee_domain::haproxy::stats::{self, Running};
use cordee_domain::ids::PoolId;
use cordee_domain::sessions::Mode;
use cordee_domain::text;
use cordee_domain::text::Text;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::time::{Instant, sleep, timeout};

use crate::paths::{Home, User};

use super::trouble;

/// Milliseconds that HAProxy has for one answer.
const DEADLINE: Duration = Duration::from_secs(1);
/// An answer above this is no answer of HAProxy's.
const MOST: u64 = 64 << 20;

/// Sends one line and reads the whole answer.
async fn ask(socket: &Path, line: &str) -> Result<String, Text> {
    let talk = async {
        let mut stream = UnixStream::connect(socket).await?;
        stream.write_all(format!("{line}\n").as_bytes()).await?;
        // The master's command line waits for more unless this side is closed.
        stream.shutdown().await?;
        let mut answer = Vec::new();
        stream.take(MOST).read_to_end(&mut answer).await?;
        Ok::<_, std::io::Error>(String::from_utf8_lossy(&answer).into_owned())
    };
    match timeout(DEADLINE, talk).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(trouble::own(&error).unwrap_or_else(|| text!("haproxy-no-socket"))),
        Err(_) => Err(text!("haproxy-no-answer")),
    }
}

/// Reads everything that is shown about one HAProxy.
pub async fn look(home: &Home, proxy: PoolId) -> Result<Running, Text> {
    let map = match proxy {
        PoolId::Web => format!(";show map {}", home.session_map().display()),
        PoolId::Db => String::new(),
    };
    let line = format!("show info;show stat;show servers state{map}");
    let answer = ask(&home.proxy_socket(proxy), &line).await?;
    let split = || {
        let stat = answer.find("\n# pxname")? + 1;
        let state = stat + answer[stat..].find("\n1\n# be_id")? + 1;
        let (states, map) = answer[state..].split_once("\n\n").unwrap_or((&answer[state..], ""));
        Some((&answer[..stat], &answer[stat..state], states, map))
    };
    let (info, stat, states, map) = split().ok_or_else(|| text!("haproxy-strange"))?;
    let mut running =
        stats::parse(proxy, info, stat, states).map_err(|why| text!("haproxy-strange-why", why = why))?;
    running.mode = Mode::shown(map);
    Ok(running)
}

/// Sends runtime commands one after the other; stops at the first refusal, in HAProxy's words.
pub async fn run(socket: &Path, commands: &[Command]) -> Result<(), Text> {
    for command in commands {
        let answer = ask(socket, &command.line).await?;
        if !command.accepts(&answer) {
            let said: String = answer.trim().chars().filter(|c| !c.is_control()).take(300).collect();
            return Err(text!("haproxy-refused", said = said));
        }
    }
    Ok(())
}

/// Has HAProxy check a file, as the user it runs as and with an empty environment (a file can name variables).
pub async fn check(file: &Path, user: Option<User>) -> Result<(), Text> {
    let mut command = tokio::process::Command::new("/usr/sbin/haproxy");
    command.arg("-c").arg("-f").arg(file).env_clear().stdin(Stdio::null()).kill_on_drop(true);
    if let Some(user) = user {
        command.uid(user.uid).gid(user.gid);
    }
    match timeout(Duration::from_secs(10), command.output()).await {
        Ok(Ok(output)) if output.status.success() => Ok(()),
        Ok(Ok(output)) => {
            let said = String::from_utf8_lossy(&output.stderr);
            let line = said.lines().find(|l| l.contains("ALERT")).unwrap_or("").chars().take(300);
            Err(text!("haproxy-refused-file", said = line.collect::<String>()))
        }
        Ok(Err(error)) => Err(trouble::own(&error).unwrap_or_else(|| text!("haproxy-missing"))),
        Err(_) => Err(text!("haproxy-no-answer")),
    }
}

/// Reloads through the master, and proves it: a new worker that shows `shape`.
///
/// HAProxy 2.6 answers `reload` with nothing, for success and failure alike, and its master refuses
/// connections for a moment; the count of failed reloads and the new worker tell.
pub async fn reload(home: &Home, proxy: PoolId, shape: &str) -> Result<(), Text> {
    let master = &home.proxy_master(proxy);
    let before = ask(master, "show proc").await?;
    let (failed_before, workers) = parse_proc(&before).ok_or_else(|| text!("haproxy-strange"))?;
    let old = workers.iter().find(|w| !w.old).map(|w| w.pid);
    ask(master, "reload").await?;
    let deadline = Instant::now() + Duration::from_secs(8);
    while Instant::now() < deadline {
        if let Ok(answer) = ask(master, "show proc").await
            && let Some((failed, workers)) = parse_proc(&answer)
        {
            if failed > failed_before {
                return Err(text!("haproxy-reload-failed"));
            }
            let new = workers.iter().find(|w| !w.old).map(|w| w.pid);
            if new.is_some()
                && new != old
                && let Ok(running) = look(home, proxy).await
                && Some(running.pid) == new
                && running.shape.as_deref() == Some(shape)
            {
                return Ok(());
            }
        }
        sleep(Duration::from_millis(10)).await;
    }
    Err(text!("haproxy-reload-unproven"))
}
