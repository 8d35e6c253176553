//! Who listens on the ports of servers: a process of theirs, nobody, or somebody else.

use std::collections::BTreeSet;
use std::io;

use cordee_domain::ids::{Millis, ProcessId};

use crate::net::{self, Listener, Listeners, Unread};
use crate::process;

/// For which server and which processes of it a port was looked at. What was found says nothing about others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortCheck {
    /// Its id.
    pub server: u32,
    /// The port that it should listen on, on loopback.
    pub port: u16,
    /// Its processes: any of them may hold the socket.
    pub pids: Vec<u32>,
    /// When it was started, and when it ended last, in milliseconds: one that came or went is another one.
    pub started_at: Option<Millis>,
    /// See above.
    pub ended_at: Option<Millis>,
}

/// A question to the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Whose port.
    pub id: ProcessId,
    /// For which server and which of its processes.
    pub asked: PortCheck,
    /// What was found last.
    pub last: Option<Held>,
}

/// Who listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// It could not be looked at.
    Unknown,
    /// Nobody.
    Free,
    /// That process of the server, with that socket.
    Ours {
        /// Its number.
        pid: u32,
        /// The socket.
        inode: u64,
    },
    /// Somebody else.
    Foreign {
        /// Whose socket it is.
        uid: u32,
        /// The socket.
        inode: u64,
    },
}

/// What a look found, and why what is missing could not be looked at.
#[derive(Debug)]
pub struct Found {
    /// Each question with its answer.
    pub held: Vec<(Question, Held)>,
    /// Why something is unknown that should not be.
    pub looked: io::Result<()>,
}

/// One look for all.
pub fn look(questions: Vec<Question>) -> Found {
    let ports: BTreeSet<u16> = questions.iter().map(|q| q.asked.port).collect();
    answer(questions, || net::listeners(&ports), holds)
}

/// Whether a process that lives holds that socket. One that has ended, be it a moment ago, holds nothing that is known:
/// what it left in its children is not somebody else's.
fn holds(pid: u32, inode: u64) -> io::Result<bool> {
    match net::holds(pid, inode) {
        Ok(true) => Ok(true),
        looked => match process::state(pid)? {
            Some(state) if !state.dead => looked,
            _ => Err(io::ErrorKind::NotFound.into()),
        },
    }
}

/// Answers them from the table of who listens, and who holds a socket.
pub fn answer(
    questions: Vec<Question>,
    table: impl Fn() -> io::Result<Listeners>,
    holds: impl Fn(u32, u64) -> io::Result<bool>,
) -> Found {
    let mut looked = Ok(());
    let mut note = |error| looked = Err(error);
    let listeners = table().map_err(&mut note).ok();
    let mut held: Vec<(Question, Held)> = questions
        .into_iter()
        .map(|question| {
            let listener = listeners.as_ref().map(|l| l.on_loopback(question.asked.port));
            let held = match listener {
                None | Some(Err(Unread)) => Held::Unknown,
                Some(Ok(None)) => Held::Free,
                Some(Ok(Some(listener))) => whose(&question, listener, &holds).unwrap_or_else(|error| {
                    if let Some(error) = error {
                        note(error);
                    }
                    Held::Unknown
                }),
            };
            (question, held)
        })
        .collect();
    // It may have been closed since the table was read, and be somebody's of ours by now.
    let news = |(question, held): &&mut (Question, Held)| {
        matches!(held, Held::Foreign { .. }) && question.last != Some(*held)
    };
    if held.iter_mut().any(|found| news(&found)) {
        let again = table().map_err(&mut note).ok();
        for (question, held) in held.iter_mut().filter(news) {
            let listener = again.as_ref().map(|l| l.on_loopback(question.asked.port));
            let same = |l: Listener| *held == Held::Foreign { uid: l.uid, inode: l.inode };
            if !matches!(listener, Some(Ok(Some(l))) if same(l)) {
                *held = Held::Unknown;
            }
        }
    }
    Found { held, looked }
}

/// Whose socket that is. Fails without a reason when a process ended at this very moment.
fn whose(
    question: &Question,
    listener: Listener,
    holds: impl Fn(u32, u64) -> io::Result<bool>,
) -> Result<Held, Option<io::Error>> {
    let inode = listener.inode;
    for pid in question.asked.pids.iter().copied() {
        let ours = Held::Ours { pid, inode };
        if question.last == Some(ours) {
            return Ok(ours);
        }
        match holds(pid, inode) {
            Ok(true) => return Ok(ours),
            Ok(false) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(None),
            Err(error) => return Err(Some(error)),
        }
    }
    Ok(Held::Foreign { uid: listener.uid, inode })
}
