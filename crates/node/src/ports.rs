//! What listens on the ports of servers: a process of the server, nothing, or another program.

use std::collections::BTreeSet;
use std::io;

use cordee_domain::ids::{Millis, ProcessId};

use crate::net::{self, Listener, Listeners, Unread};
use crate::process;

/// The server and the processes for which a port was looked at. The result says nothing about others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortCheck {
    /// The server's id.
    pub server: u32,
    /// The port on which the server should listen, on loopback.
    pub port: u16,
    /// The server's processes: any of them may hold the socket.
    pub pids: Vec<u32>,
    /// When the server was started and when it last ended, in milliseconds: a server that was restarted in between
    /// needs a new look.
    pub started_at: Option<Millis>,
    /// See above.
    pub ended_at: Option<Millis>,
}

/// A question to the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The process id of the server whose port it is.
    pub id: ProcessId,
    /// The server and its processes.
    pub asked: PortCheck,
    /// The previous result.
    pub last: Option<Held>,
}

/// What listens on a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// The port could not be looked at.
    Unknown,
    /// Nothing listens.
    Free,
    /// A process of the server, with that socket.
    Ours {
        /// The process's id.
        pid: u32,
        /// The socket.
        inode: u64,
    },
    /// Another program.
    Foreign {
        /// The user of the socket.
        uid: u32,
        /// The socket.
        inode: u64,
    },
}

/// The result of a look, and why parts of it are missing.
#[derive(Debug)]
pub struct Found {
    /// Each question with its answer.
    pub held: Vec<(Question, Held)>,
    /// Why an answer is unknown that should not be.
    pub looked: io::Result<()>,
}

/// Answers all questions with one look.
pub fn look(questions: Vec<Question>) -> Found {
    let ports: BTreeSet<u16> = questions.iter().map(|q| q.asked.port).collect();
    answer(questions, || net::listeners(&ports), holds)
}

/// Reports whether a living process holds that socket. For a process that has ended, even a moment ago, nothing is
/// known: a socket that its children inherited is not another program's.
fn holds(pid: u32, inode: u64) -> io::Result<bool> {
    match net::holds(pid, inode) {
        Ok(true) => Ok(true),
        looked => match process::state(pid)? {
            Some(state) if !state.dead => looked,
            _ => Err(io::ErrorKind::NotFound.into()),
        },
    }
}

/// Answers the questions from `table`, the listening sockets, and `holds`, which says whether a process holds a
/// socket.
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
    // The socket may have been closed since the table was read, and the port may belong to one of our processes by
    // now.
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

/// Returns what holds that socket. Fails without a reason if a process ended at this very moment.
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
