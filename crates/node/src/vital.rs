//! Signs of life. A process that is frozen or wedged does not die. So `serve` regularly tells its keeper that its
//! engine is running, and the keeper restarts a silent `serve`.
//!
//! The signs go over a pair of sockets that the keeper makes; one end is the standard input of `serve`. There is no
//! name to which others could write, and the pair is gone when either process ends.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use tokio::net::UnixDatagram;
use tokio::process::Child;
use tokio::time::{MissedTickBehavior, interval};

/// Tells `serve` that its standard input leads to its keeper.
pub const VARIABLE: &str = "CORDEE_SIGNS";
/// The interval between two signs.
const PACE: Duration = Duration::from_millis(500);
/// The keeper counts its own rounds rather than the clock: while the keeper or the whole machine stood still, it
/// counted none.
const ROUND: Duration = Duration::from_millis(250);
/// After so many rounds without a sign, `serve` counts as wedged: 10 s.
const PATIENCE: u32 = 40;
/// The same before its first sign, while it opens its files and looks for running processes: 60 s.
const FIRST_PATIENCE: u32 = 240;

/// The engine's end of the pair; empty if there is no keeper.
#[derive(Debug, Default)]
pub struct Signs {
    to: Option<OwnedFd>,
    last: Option<Instant>,
    gone: bool,
}

impl Signs {
    /// Takes the socket that the keeper passed on.
    pub fn from_environment() -> Self {
        let kept = std::env::var_os(VARIABLE).is_some();
        let to = kept.then(|| io::stdin().as_fd().try_clone_to_owned().ok()).flatten();
        Self { to, last: None, gone: false }
    }

    /// Sends a sign that the engine is running. Never waits: if the keeper stands still, enough signs are in its
    /// queue already. Returns whether there was a keeper and it is gone.
    pub fn give(&mut self) -> bool {
        let Some(to) = self.to.as_ref() else { return false };
        if self.last.is_none_or(|at| at.elapsed() >= PACE) {
            self.last = Some(Instant::now());
            let gone =
                |error| matches!(error, Errno::CONNREFUSED | Errno::CONNRESET | Errno::NOTCONN | Errno::PIPE);
            self.gone = rustix::io::write(to, b"WATCHDOG=1").is_err_and(gone);
        }
        self.gone
    }
}

/// Returns both ends: the keeper's, and the standard input for `serve`.
pub fn pair() -> io::Result<(UnixDatagram, Stdio)> {
    let (here, there) = std::os::unix::net::UnixDatagram::pair()?;
    here.set_nonblocking(true)?;
    there.set_nonblocking(true)?;
    Ok((UnixDatagram::from_std(here)?, Stdio::from(OwnedFd::from(there))))
}

/// Counts the rounds without a sign.
#[derive(Debug)]
struct Silence {
    rounds: u32,
    patience: u32,
}

impl Silence {
    const fn begun() -> Self {
        Self { rounds: 0, patience: FIRST_PATIENCE }
    }

    const fn broken(&mut self) {
        (self.rounds, self.patience) = (0, PATIENCE);
    }

    /// Counts one more round; reports whether the silence has lasted too long.
    const fn lasts(&mut self) -> bool {
        self.rounds += 1;
        self.rounds >= self.patience
    }
}

/// How a `serve` ended.
#[derive(Debug)]
pub enum End {
    /// It exited.
    Ended(io::Result<std::process::ExitStatus>),
    /// It lives, but gives no sign of life.
    Silent,
}

/// Waits until the process has ended or is wedged.
pub async fn outlast(child: &mut Child, signs: &UnixDatagram) -> End {
    let mut silence = Silence::begun();
    let mut rounds = interval(ROUND);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut sign = [0; 16];
    loop {
        tokio::select! {
            ended = child.wait() => return End::Ended(ended),
            _ = rounds.tick() => {
                // All signs that came meanwhile count, including those that came while this keeper stood still.
                while signs.try_recv(&mut sign).is_ok() {
                    silence.broken();
                }
                if silence.lasts() {
                    return End::Silent;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rounds_of_the_keeper_count_and_each_sign_begins_anew() {
        let mut silence = Silence::begun();
        assert!((0..FIRST_PATIENCE - 1).all(|_| !silence.lasts()), "it may take a while to begin");
        silence.broken();
        assert!((0..PATIENCE - 1).all(|_| !silence.lasts()));
        silence.broken();
        assert!((0..PATIENCE - 1).all(|_| !silence.lasts()));
        assert!(silence.lasts(), "ten seconds of its own");
        assert_eq!(ROUND * PATIENCE, Duration::from_millis(cordee_domain::figures::KEEPER_PATIENCE));
    }

    #[tokio::test]
    async fn signs_that_nobody_reads_keep_nobody_waiting() {
        let (here, there) = std::os::unix::net::UnixDatagram::pair().unwrap();
        there.set_nonblocking(true).unwrap();
        let mut signs = Signs { to: Some(there.into()), ..Signs::default() };
        for _ in 0..10_000 {
            signs.last = None;
            assert!(!signs.give(), "a keeper that does not read is there");
        }
        drop(here);
        signs.last = None;
        assert!(signs.give(), "and one that ended is gone");
        assert!(signs.give(), "also between two signs");
        assert!(!Signs::default().give(), "where there never was one nobody is missed");
    }

    #[tokio::test]
    async fn a_process_that_says_nothing_is_silent_and_one_that_ends_has_ended() {
        let (here, _there) = pair().unwrap();
        let run = |seconds: &str| {
            tokio::process::Command::new("/bin/sleep").arg(seconds).kill_on_drop(true).spawn()
        };
        let mut short = run("0").unwrap();
        assert!(matches!(outlast(&mut short, &here).await, End::Ended(Ok(_))));
        let mut long = run("600").unwrap();
        let waited = tokio::time::timeout(Duration::from_millis(600), outlast(&mut long, &here)).await;
        assert!(waited.is_err(), "not before its time");
    }
}
