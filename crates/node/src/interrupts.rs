//! What asks `cordee up` to end: Ctrl-C, TERM, or a terminal that was closed.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Where the request to end comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interrupt {
    /// A person with Ctrl-C, or a program with TERM.
    End,
    /// The terminal was closed.
    HungUp,
}

/// Listens for the signals that ask a program to end, except for those that its parent had set to be ignored:
/// `nohup` ignores HUP, and a shell script ignores INT for its background jobs.
pub struct Interrupts {
    int: Option<Signal>,
    term: Option<Signal>,
    hup: Option<Signal>,
}

impl Interrupts {
    /// Starts to listen: from now on no signal is missed.
    pub fn listen() -> io::Result<Self> {
        let status = std::fs::read_to_string("/proc/self/status")?;
        let heard = |kind: SignalKind| {
            if ignores(&status, kind.as_raw_value()) { Ok(None) } else { signal(kind).map(Some) }
        };
        Ok(Self {
            int: heard(SignalKind::interrupt())?,
            term: heard(SignalKind::terminate())?,
            hup: heard(SignalKind::hangup())?,
        })
    }

    /// Waits for the next signal.
    pub async fn next(&mut self) -> Interrupt {
        tokio::select! {
            () = came(&mut self.int) => Interrupt::End,
            () = came(&mut self.term) => Interrupt::End,
            () = came(&mut self.hup) => Interrupt::HungUp,
        }
    }
}

/// Waits for a signal; forever if it is not listened for.
async fn came(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}

/// Reports whether a process ignores a signal, by its `/proc/PID/status`: bit 0 of the mask is signal 1.
fn ignores(status: &str, signal: i32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok()).unwrap_or(0);
    u32::try_from(signal - 1).ok().and_then(|bit| mask.checked_shr(bit)).is_some_and(|rest| rest & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ignored_stands_in_the_mask() {
        let status = |mask: &str| format!("Name:\tcordee\nSigBlk:\t00ff\nSigIgn:\t{mask}\nSigCgt:\tffff\n");
        // 4096 is SIGPIPE, which Rust ignores in each of its programs.
        let (plain, nohup, script) =
            (status("0000000000001000"), status("0000000000001001"), status("0000000000001006"));
        let all = |status: &str| [1, 2, 15].map(|signal| ignores(status, signal));
        assert_eq!(all(&plain), [false, false, false]);
        assert_eq!(all(&nohup), [true, false, false]);
        assert_eq!(all(&script), [false, true, false]);
        for odd in ["", "SigIgn:", "SigIgn:\tx", "SigIgn:\t1000\n"] {
            assert!(!ignores(odd, 1), "{odd:?}: it is listened to");
        }
        assert!(!ignores(&nohup, 0) && !ignores(&nohup, 99));
    }
}
