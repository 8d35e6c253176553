//! A database that exists already, as the page, the API and the command line ask for it.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use cordee_domain::change::{NewServer, PortChoice, RawServer};
use cordee_domain::ids::Host;
use cordee_domain::problem::Problem;
use cordee_node::over;
use cordee_node::random;
use cordee_node::vault::Login;

use crate::board::{Guest, JoinPlan};

/// MariaDB's default port.
const PORT: &str = "3306";

/// Parses every field, and returns all errors at once.
pub fn guest(raw: &RawServer, login: &(String, String)) -> Result<(NewServer, Guest), Vec<Problem>> {
    let mut typed = raw.clone();
    typed.port.get_or_insert_with(|| PORT.to_owned());
    let unasked = || Problem::invalid("port", cordee_domain::text!("problem-port"));
    let out =
        raw.maintenance.then(|| Problem::conflict("maintenance", cordee_domain::text!("problem-db-admin")));
    match (typed.parse(|| Err(unasked())), Login::parse(&login.0, &login.1)) {
        (Ok(new), Ok(login)) if out.is_none() => {
            // Cordée never chooses the port: it does not start this database.
            let PortChoice::Given(port) = new.port else { return Err(vec![unasked()]) };
            let guest = Guest { host: new.host.clone(), port, login };
            Ok((new, guest))
        }
        (new, login) => {
            let mut all = new.err().unwrap_or_default();
            all.extend(login.err().unwrap_or_default());
            all.extend(out);
            Err(all)
        }
    }
}

/// Returns the server at the address at which it was found: the host name may resolve to another address later,
/// but the database must stay the same.
pub fn at(new: NewServer, plan: &JoinPlan) -> NewServer {
    match plan.at {
        Some(ip) => NewServer { host: Host::Ip(ip), ..new },
        None => new,
    }
}

/// Examined databases that await an operator's confirmation. They are kept here, so that a password is typed once and
/// never sent back.
#[derive(Debug, Default)]
pub struct Waiting(Mutex<BTreeMap<String, (Instant, Invited)>>);

/// One examined database.
#[derive(Clone, Debug)]
pub struct Invited {
    /// What would be added.
    pub new: NewServer,
    /// The id that it was examined for.
    pub id: u32,
    /// The account.
    pub login: Login,
}

/// How long an operator may take to confirm.
const PATIENCE: Duration = Duration::from_secs(600);
/// How many may wait at once; beyond that the oldest is dropped.
const MOST: usize = 16;

impl Waiting {
    /// Keeps an examined database, and returns the token with which it is taken.
    pub fn keep(&self, invited: Invited) -> Option<String> {
        let word = random::token(24)?;
        let mut all = over::hold(&self.0);
        all.retain(|_, (at, _)| at.elapsed() < PATIENCE);
        if all.len() >= MOST
            && let Some(oldest) = all.iter().min_by_key(|(_, (at, _))| *at).map(|(word, _)| word.clone())
        {
            all.remove(&oldest);
        }
        all.insert(word.clone(), (Instant::now(), invited));
        Some(word)
    }

    /// Takes it, once.
    pub fn take(&self, word: &str) -> Option<Invited> {
        let mut all = over::hold(&self.0);
        all.remove(word).filter(|(at, _)| at.elapsed() < PATIENCE).map(|(_, invited)| invited)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(name: &str, address: &str, port: &str) -> RawServer {
        let said = |text: &str| Some(text.to_owned()).filter(|t| !t.is_empty());
        RawServer { name: name.to_owned(), address: said(address), port: said(port), ..RawServer::default() }
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_its_field() {
        let fields = |raw: &RawServer, user: &str, password: &str| {
            let all = guest(raw, &(user.to_owned(), password.to_owned())).err().unwrap_or_default();
            all.into_iter().map(|p| p.field).collect::<Vec<_>>()
        };
        assert_eq!(fields(&raw("3", "a b", "0"), "", ""), ["name", "address", "port", "user", "password"]);
        assert_eq!(fields(&raw("db3", "127.0.0.1", ""), "ana", ""), ["password"]);
        let login = ("ana".to_owned(), "p".to_owned());
        let (new, guest) = guest(&raw("db3", "127.0.0.1", ""), &login).unwrap();
        assert_eq!((new.port, guest.port), (PortChoice::Given(3306), 3306));
        let empty = RawServer { port: Some(String::new()), ..raw("db3", "127.0.0.1", "") };
        assert_eq!(fields(&empty, "ana", "p"), ["port"], "an empty text is no port");
        let out = RawServer { maintenance: true, ..raw("db3", "127.0.0.1", "") };
        assert_eq!(fields(&out, "ana", "p"), ["maintenance"], "a database is never in maintenance");
    }

    #[test]
    fn one_that_waits_is_taken_once() {
        let waiting = Waiting::default();
        let (new, guest) = guest(&raw("db3", "127.0.0.1", ""), &("ana".to_owned(), "p".to_owned())).unwrap();
        let invited = Invited { new, id: 5, login: guest.login };
        let words: Vec<String> = (0..20).filter_map(|_| waiting.keep(invited.clone())).collect();
        assert!(waiting.take(&words[0]).is_none(), "the oldest has gone");
        assert!(waiting.take(&words[19]).is_some_and(|i| i.id == 5));
        assert!(waiting.take(&words[19]).is_none());
    }
}
