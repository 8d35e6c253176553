//! What a person may ask, and what they said yes to. Pages, the API and the command line read their input into these.

use cordee_domain::change::{RawServer, Request};
use cordee_domain::db::verify::Side;
use cordee_domain::desired::{Admin, Power, Routing, Server};
use cordee_domain::drill::RawOrder;
use cordee_domain::ids::{Millis, PoolId, ServerName};
use cordee_domain::sessions::Mode;
use cordee_domain::text;
use cordee_domain::text::Text;
use cordee_domain::visitors::Network;

/// Everything that alters a cluster when a person asks for it.
#[derive(Clone, Debug)]
pub enum Act {
    /// Something with one server.
    Server(PoolId, ServerName, ServerAct),
    /// Another one.
    Add(Newcomer),
    /// Which databases take writes.
    SetRouting(Routing),
    /// Where the visitors' sessions are kept.
    SetSession(Mode),
    /// How visitors are remembered.
    SetKeeping {
        /// Days after which one who did not come again is forgotten.
        days: u16,
        /// Keep networks instead of addresses.
        shorten: bool,
        /// Whose `X-Forwarded-For` is believed.
        trusted: Vec<Network>,
    },
    /// Start an HAProxy's worker anew.
    Reload(PoolId),
    /// Compare a database's rows with the writer's.
    Verify(ServerName),
    /// Put right what differs, by this side's rows.
    Repair(ServerName, Side),
    /// Remove what no wish explains.
    Clean,
    /// Begin a comparison of sessions.
    BeginTrial,
    /// Give it up.
    CancelTrial,
    /// Begin a failover drill.
    BeginDrill(RawOrder),
    /// Give it up.
    CancelDrill,
}

impl Act {
    /// Whether it has to wait until a drill is over: it would be counted as part of the accident, undone with it, or
    /// take the machine's time from what is measured. Each is named, so that a new one is thought about.
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
            // It touches no server; and the job queues share one turn, and say whose it is.
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
    /// Take away.
    Remove,
    /// Leave although nobody else serves (web servers).
    Anyway,
    /// Stay after all (web servers).
    Withdraw,
    /// Make it the writer (databases).
    Promote,
    /// Throw its data away for a fresh copy (databases).
    Recopy,
}

impl ServerAct {
    /// All of them.
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

    /// The word that stands for it in addresses and on the command line.
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

    /// The same from the word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|act| act.as_str() == word)
    }

    /// What it risks, for those that may have to be asked about first.
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

    /// What is said of one that only servers of the other pool know.
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

    /// What is asked of the wishes, with what was said yes to.
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

/// What is said of a web server whose rows are asked about.
pub fn rows_of_web(name: &ServerName) -> Text {
    text!("problem-rows-web", name = name.as_str())
}

/// Acts that are asked about first, by what they risk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Risk {
    /// Stop and start.
    Restart,
    /// Stop.
    Stop,
    /// Take away.
    Remove,
    /// Make it the writer (databases).
    Promote,
    /// Throw its data away for a fresh copy (databases).
    Recopy,
    /// No new visitors (web servers); asked about only for the last one that serves.
    Drain,
    /// No visitors at all (web servers); likewise.
    Maintenance,
    /// Leave although nobody else serves (web servers).
    Anyway,
}

impl Risk {
    /// Whether servers of that pool know it.
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
    /// As it is typed; with the account by which it is run, for a database that exists already.
    Typed {
        /// Where.
        pool: PoolId,
        /// What.
        raw: RawServer,
        /// The account and its password.
        login: Account,
    },
    /// A database that was examined, by the word that was given for it.
    Examined(ExaminedWord),
}

/// The word by which a database that was examined is added, with the account that was typed: as good as a password.
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

/// What whoever asks said yes to, beforehand or when they were asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Consent {
    /// A program, which is not asked back.
    Flags {
        /// Even if nobody else serves, or could take over.
        force: bool,
        /// Even if the lost writer holds what no other database has.
        accept_loss: bool,
    },
    /// A person, to the question of the page.
    Answered {
        /// The name, as it was typed.
        name: String,
        /// The consequence was ticked.
        know: bool,
        /// The id of the server that the question was about.
        about: Option<u32>,
    },
}

impl Consent {
    /// Nothing in particular.
    pub const NONE: Self = Self::Flags { force: false, accept_loss: false };

    /// The server that was meant, where that is said.
    pub(super) const fn about(&self) -> Option<u32> {
        match self {
            Self::Flags { .. } => None,
            Self::Answered { about, .. } => *about,
        }
    }
}

/// What was said yes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// That nobody else serves, or could take over.
    pub force: bool,
    /// That what the lost writer holds alone stays behind.
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
