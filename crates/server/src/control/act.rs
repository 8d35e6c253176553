//! What an operator may ask for, and what they confirmed. Pages, the API and the command line translate their input
//! into these types.

use cordee_domain::change::{RawServer, Request};
use cordee_domain::db::verify::Side;
use cordee_domain::desired::{Admin, Power, Routing, Server};
use cordee_domain::drill::RawOrder;
use cordee_domain::ids::{Millis, PoolId, ServerName};
use cordee_domain::sessions::Mode;
use cordee_domain::text;
use cordee_domain::text::Text;
use cordee_domain::visitors::Network;

/// Everything that changes a cluster at an operator's request.
#[derive(Clone, Debug)]
pub enum Act {
    /// Do something with one server.
    Server(PoolId, ServerName, ServerAct),
    /// Add a server.
    Add(Newcomer),
    /// Set which databases take writes.
    SetRouting(Routing),
    /// Set where the visitors' sessions are kept.
    SetSession(Mode),
    /// Set how visitors are remembered.
    SetKeeping {
        /// Days after which a visitor who did not come again is forgotten.
        days: u16,
        /// Keep networks instead of addresses.
        shorten: bool,
        /// The networks whose `X-Forwarded-For` is trusted.
        trusted: Vec<Network>,
    },
    /// Start a new worker of an HAProxy instance.
    Reload(PoolId),
    /// Compare a database's rows with the writer's.
    Verify(ServerName),
    /// Repair the rows that differ, with the rows of this side.
    Repair(ServerName, Side),
    /// Remove the leftovers that no wish explains.
    Clean,
    /// Begin a comparison of sessions.
    BeginTrial,
    /// Give the comparison up.
    CancelTrial,
    /// Begin a failover drill.
    BeginDrill(RawOrder),
    /// Give the drill up.
    CancelDrill,
}

impl Act {
    /// Reports whether the act has to wait until a drill is over: during a drill it would be counted as part of
    /// the fault, be undone with it, or take machine time from what is measured. Every variant is listed, so that
    /// a new one must be decided.
    pub const fn waits_for_drills(&self) -> bool {
        match self {
            Self::Server(..)
            | Self::Add(_)
            | Self::SetRouting(_)
            | Self::SetSession(_)
            | Self::Reload(_)
            | Self::Verify(_)
            | Self::Repair(..)
            | Self::Clean => true,
            // `SetKeeping` touches no server. The job queues share one turn, and report which job holds it.
            Self::SetKeeping { .. }
            | Self::BeginTrial
            | Self::BeginDrill(_)
            | Self::CancelTrial
            | Self::CancelDrill => false,
        }
    }
}

/// What may be done with one server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerAct {
    /// No new visitors.
    Drain,
    /// No visitors at all.
    Maintenance,
    /// Back in service.
    Ready,
    /// Start.
    Start,
    /// Stop.
    Stop,
    /// Stop and start.
    Restart,
    /// Remove the server.
    Remove,
    /// Take it out although no other server serves (web servers).
    Anyway,
    /// Keep it in service after all (web servers).
    Withdraw,
    /// Make it the writer (databases).
    Promote,
    /// Discard its data and copy it again (databases).
    Recopy,
}

impl ServerAct {
    /// All acts.
    pub const ALL: [Self; 11] = [
        Self::Drain,
        Self::Maintenance,
        Self::Ready,
        Self::Start,
        Self::Stop,
        Self::Restart,
        Self::Remove,
        Self::Anyway,
        Self::Withdraw,
        Self::Promote,
        Self::Recopy,
    ];

    /// Returns the word for it in addresses and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Drain => "drain",
            Self::Maintenance => "maintenance",
            Self::Ready => "ready",
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Restart => "restart",
            Self::Remove => "remove",
            Self::Anyway => "anyway",
            Self::Withdraw => "withdraw",
            Self::Promote => "promote",
            Self::Recopy => "recopy",
        }
    }

    /// Parses the word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|act| act.as_str() == word)
    }

    /// Returns the risk, for acts that may have to be confirmed first.
    pub const fn risk(self) -> Option<Risk> {
        match self {
            Self::Drain => Some(Risk::Drain),
            Self::Maintenance => Some(Risk::Maintenance),
            Self::Stop => Some(Risk::Stop),
            Self::Restart => Some(Risk::Restart),
            Self::Remove => Some(Risk::Remove),
            Self::Anyway => Some(Risk::Anyway),
            Self::Promote => Some(Risk::Promote),
            Self::Recopy => Some(Risk::Recopy),
            Self::Ready | Self::Start | Self::Withdraw => None,
        }
    }

    /// Returns what to say of an act that only servers of the other pool know.
    pub fn misplaced(self, pool: PoolId, name: &ServerName) -> Option<Text> {
        match (pool, self) {
            (PoolId::Web, Self::Promote) => Some(text!("problem-promote-web", name = name.as_str())),
            (PoolId::Web, Self::Recopy) => Some(rows_of_web(name)),
            (PoolId::Db, Self::Anyway | Self::Withdraw) => {
                Some(text!("problem-waits-db", name = name.as_str()))
            }
            _ => None,
        }
    }

    /// Returns the request to the store, with what the operator confirmed.
    pub(super) fn request(self, pool: PoolId, server: &Server, given: Given, now: Millis) -> Request {
        let (name, Given { force, accept_loss }) = (server.name.clone(), given);
        match self {
            Self::Drain => Request::SetAdmin { pool, name, admin: Admin::Drain, force },
            Self::Maintenance => Request::SetAdmin { pool, name, admin: Admin::Maintenance, force },
            Self::Ready => Request::SetAdmin { pool, name, admin: Admin::Ready, force },
            Self::Start => Request::SetPower { pool, name, power: Power::On, force },
            Self::Stop => Request::SetPower { pool, name, power: Power::Off, force },
            Self::Restart => Request::Restart { pool, name, force },
            Self::Remove => Request::RemoveServer { pool, name, force },
            Self::Anyway => Request::Insist { name },
            Self::Withdraw => Request::Withdraw { name },
            Self::Promote => Request::Promote { name, at: now, accept_loss },
            Self::Recopy => Request::Recopy { name, id: server.id },
        }
    }
}

/// Returns what to say when somebody asks about the rows of a web server.
pub fn rows_of_web(name: &ServerName) -> Text {
    text!("problem-rows-web", name = name.as_str())
}

/// Acts that have to be confirmed first, by their risk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Risk {
    /// Stop and start.
    Restart,
    /// Stop.
    Stop,
    /// Remove the server.
    Remove,
    /// Make it the writer (databases).
    Promote,
    /// Discard its data and copy it again (databases).
    Recopy,
    /// No new visitors (web servers); to be confirmed only for the last one that serves.
    Drain,
    /// No visitors at all (web servers); to be confirmed only for the last one that serves.
    Maintenance,
    /// Take it out although no other server serves (web servers).
    Anyway,
}

impl Risk {
    /// Reports whether servers of that pool know this risk.
    pub const fn fits(self, pool: PoolId) -> bool {
        match self {
            Self::Restart | Self::Stop | Self::Remove => true,
            Self::Promote | Self::Recopy => matches!(pool, PoolId::Db),
            Self::Drain | Self::Maintenance | Self::Anyway => matches!(pool, PoolId::Web),
        }
    }
}

/// A server to add.
#[derive(Clone, Debug)]
pub enum Newcomer {
    /// A server as typed; for a database that exists already, with the account with which it is administered.
    Typed {
        /// Its pool.
        pool: PoolId,
        /// Its fields.
        raw: RawServer,
        /// The account and its password.
        login: Account,
    },
    /// A database that was examined, by the token that was given out for it.
    Examined(ExaminedWord),
}

/// The token with which an examined database is added. It stands for the account that was typed, so it is as
/// confidential as a password.
#[derive(Clone, Default)]
pub struct ExaminedWord(pub String);

impl std::fmt::Debug for ExaminedWord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ExaminedWord(…)")
    }
}

/// The account and the password of a database that exists already, as they are typed.
#[derive(Clone, Default)]
pub struct Account {
    /// The account.
    pub user: Option<String>,
    /// Its password.
    pub password: Option<String>,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Account(…)")
    }
}

/// What the caller confirmed, beforehand or when they were asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Consent {
    /// Given by a program, which is not asked back.
    Flags {
        /// Go on even if no other server serves, or could take over.
        force: bool,
        /// Go on even if the lost writer holds what no other database has.
        accept_loss: bool,
    },
    /// Given by an operator, in answer to the question of the page.
    Answered {
        /// The server's name, as it was typed.
        name: String,
        /// The box with the consequence was ticked.
        know: bool,
        /// The id of the server that the question was about.
        about: Option<u32>,
    },
}

impl Consent {
    /// Nothing was confirmed.
    pub const NONE: Self = Self::Flags { force: false, accept_loss: false };

    /// Returns the server that was meant, where that is known.
    pub(super) const fn about(&self) -> Option<u32> {
        match self {
            Self::Flags { .. } => None,
            Self::Answered { about, .. } => *about,
        }
    }
}

/// What was confirmed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// That no other server serves, or could take over.
    pub force: bool,
    /// That what only the lost writer holds is left behind.
    pub accept_loss: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_does_not_touch_the_cluster_goes_on_during_a_drill() {
        let name = || ServerName::parse("db2").unwrap();
        assert!(!Act::SetKeeping { days: 3, shorten: false, trusted: Vec::new() }.waits_for_drills());
        for act in [
            Act::Reload(PoolId::Web),
            Act::Server(PoolId::Db, name(), ServerAct::Promote),
            Act::Add(Newcomer::Examined(ExaminedWord::default())),
            Act::Verify(name()),
            Act::Repair(name(), Side::Reference),
            Act::Clean,
        ] {
            assert!(act.waits_for_drills(), "{act:?}");
        }
    }

    #[test]
    fn a_word_stands_for_one_act() {
        for act in ServerAct::ALL {
            assert_eq!(ServerAct::parse(act.as_str()), Some(act));
        }
        assert_eq!(ServerAct::parse("explode"), None);
    }

    #[test]
    fn a_password_is_not_printed() {
        let login = Account { user: Some("ana".to_owned()), password: Some("a rope".to_owned()) };
        assert!(!format!("{login:?}").contains("rope"));
    }
}
