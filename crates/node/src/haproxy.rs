//! HAProxy's sockets. Each call has a time limit of its own: a frozen worker accepts a connection and never
//! answers.

use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use cordee_domain::fault::{Cause, Fault};
use cordee_domain::haproxy::runtime::{Command, parse_proc};
use cordee_domain::haproxy::stats::{self, Running};
use cordee_domain::ids::PoolId;
use cordee_domain::sessions::Mode;
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::time::{Instant, sleep, timeout};

use crate::paths::Home;
use crate::users::User;

use super::trouble;

/// How long HAProxy may take for one answer.
const DEADLINE: Duration = Duration::from_secs(1);
/// An answer above this size is not HAProxy's.
const MOST: u64 = 64 << 20;

/// Sends one line and reads the whole answer.
async fn ask(socket: &Path, line: &str) -> Result<String, Fault> {
    let talk = async {
        let mut stream = UnixStream::connect(socket).await?;
        stream.write_all(format!("{line}\n").as_bytes()).await?;
        // The master's command line waits for more input unless this side is closed.
        stream.shutdown().await?;
        let mut answer = Vec::new();
        stream.take(MOST).read_to_end(&mut answer).await?;
        Ok::<_, std::io::Error>(String::from_utf8_lossy(&answer).into_owned())
    };
    match timeout(DEADLINE, talk).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(trouble::own(&error).unwrap_or_else(|| Fault::NoSocket(Cause::of(&error)))),
        Err(_) => Err(Fault::NoAnswer),
    }
}

/// Reads everything that is shown about one HAProxy instance.
pub async fn look(home: &Home, proxy: PoolId) -> Result<Running, Fault> {
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
    let (info, stat, states, map) = split().ok_or(Fault::Strange(None))?;
    let mut running = stats::parse(proxy, info, stat, states).map_err(|why| Fault::Strange(Some(why)))?;
    running.mode = Mode::shown(map);
    Ok(running)
}

/// Sends runtime commands one after the other. Stops at the first refusal, and returns it in HAProxy's words.
pub async fn run(socket: &Path, commands: &[Command]) -> Result<(), Fault> {
    for command in commands {
        let answer = ask(socket, &command.line).await?;
        if !command.accepts(&answer) {
            let said: String = answer.trim().chars().filter(|c| !c.is_control()).take(300).collect();
            return Err(Fault::Refused(said));
        }
    }
    Ok(())
}

/// The path under which a program finds its standard input.
const INPUT: &str = "/dev/stdin";

/// Has HAProxy check the text of a file, as the user it runs as and with an empty environment (a file can name
/// variables).
///
/// The checked text has no file name that another user could open, and it is sealed. HAProxy's own user may write
/// where the configuration files lie, so a refusal of a file that was put there could be taken for a refusal of the
/// text.
pub async fn check(proxy: PoolId, text: &str, user: Option<User>) -> Result<(), Fault> {
    let sealed = sealed(text).map_err(|error| {
        tracing::warn!(error = &error as &dyn std::error::Error, "check");
        trouble::fault(&error)
    })?;
    let mut command = tokio::process::Command::new("/usr/sbin/haproxy");
    command.arg("-c").arg("-f").arg(INPUT).env_clear().stdin(Stdio::from(sealed)).kill_on_drop(true);
    if let Some(user) = user {
        command.uid(user.uid).gid(user.gid);
    }
    match timeout(Duration::from_secs(10), command.output()).await {
        Ok(Ok(output)) if output.status.success() => Ok(()),
        Ok(Ok(output)) => {
            let said = String::from_utf8_lossy(&output.stderr);
            let line = said.lines().find(|l| l.contains("ALERT")).unwrap_or("");
            let line = line.replace(INPUT, &format!("{proxy}.cfg"));
            Err(Fault::RefusedFile(line.chars().take(300).collect()))
        }
        Ok(Err(error)) => Err(trouble::own(&error).unwrap_or_else(|| Fault::NoProgram(Cause::of(&error)))),
        Err(_) => Err(Fault::NoAnswer),
    }
}

/// Returns a file without a name that holds `text` and is sealed. A program that is given it reads from the
/// beginning.
fn sealed(text: &str) -> std::io::Result<std::fs::File> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let mut file = std::fs::File::from(memfd_create("haproxy.cfg", flags)?);
    file.write_all(text.as_bytes())?;
    fcntl_add_seals(&file, SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
    Ok(file)
}

/// Reloads through the master, and proves it: a new worker must show `shape`.
///
/// HAProxy 2.6 answers `reload` with nothing, for success and failure alike, and its master refuses connections for
/// a moment. The count of failed reloads and the new worker's pid tell the result.
pub async fn reload(home: &Home, proxy: PoolId, shape: &str) -> Result<(), Fault> {
    let master = &home.proxy_master(proxy);
    let before = ask(master, "show proc").await?;
    let (failed_before, workers) = parse_proc(&before).ok_or(Fault::Strange(None))?;
    let old = workers.iter().find(|w| !w.old).map(|w| w.pid);
    ask(master, "reload").await?;
    let deadline = Instant::now() + Duration::from_secs(8);
    while Instant::now() < deadline {
        if let Ok(answer) = ask(master, "show proc").await
            && let Some((failed, workers)) = parse_proc(&answer)
        {
            if failed > failed_before {
                return Err(Fault::ReloadFailed);
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
    Err(Fault::ReloadUnproven)
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::os::fd::AsRawFd as _;

    use super::sealed;

    #[test]
    fn what_is_checked_is_read_from_its_beginning_and_nobody_changes_it() {
        let file = sealed("global\n").expect("a file");
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        for _ in 0..2 {
            let mut text = String::new();
            std::fs::File::open(&path).expect("it opens").read_to_string(&mut text).expect("text");
            assert_eq!(text, "global\n");
        }
        let mut again = std::fs::File::options().append(true).open(&path).expect("it opens");
        assert!(again.write_all(b"spoilt").is_err());
        assert!(again.set_len(0).is_err());
    }
}
