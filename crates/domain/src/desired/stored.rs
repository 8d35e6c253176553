//! How the servers of a pool are stored: one form for both kinds, which Cordée has written since its first version. A
//! field that a kind does not have is stored with a neutral value, so that Cordée reads older states and an older
//! Cordée reads the states of this one.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::server::{Admin, CookieChoice, DatabaseFacts, Kind, Power, Run, Runtime, Server, WebFacts};
use super::{Membership, Pool};
use crate::ids::{Host, ServerName};
use std::net::SocketAddr;

/// A pool as it is stored.
#[derive(Serialize, Deserialize)]
struct StoredPool {
    listen: SocketAddr,
    generation: u32,
    servers: Vec<StoredServer>,
}

/// A server as it is stored.
#[derive(Serialize, Deserialize)]
struct StoredServer {
    id: u32,
    name: ServerName,
    host: Host,
    port: u16,
    runtime: Runtime,
    /// `on` for an external server.
    power: Power,
    /// For a web server; `ready` for a database.
    admin: Admin,
    /// For a web server; `automatic` for a database.
    cookie: CookieChoice,
    /// 0 for an external server.
    generation: u32,
    /// For a database only.
    slot: Option<u8>,
    /// For a web server: `Leaving` while it leaves, otherwise `Member`.
    #[serde(default, rename = "standing")]
    membership: Membership,
    /// For a web server only.
    #[serde(default)]
    anyway: bool,
    /// For a web server only.
    #[serde(default)]
    kept: bool,
}

/// The pool of the web servers.
pub(super) mod web {
    use super::{Deserializer, Kind, Membership, Pool, Serializer, WebFacts, read, write};

    /// Serializes the pool.
    pub fn serialize<S: Serializer>(pool: &Pool, to: S) -> Result<S::Ok, S::Error> {
        write(pool, to)
    }

    /// Deserializes the pool.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Pool, D::Error> {
        read(from, |stored| {
            Kind::Web(WebFacts {
                cookie: stored.cookie.clone(),
                admin: stored.admin,
                leaving: stored.membership == Membership::Leaving,
                anyway: stored.anyway,
                kept: stored.kept,
            })
        })
    }
}

/// The pool of the databases.
pub(super) mod databases {
    use super::{DatabaseFacts, Deserializer, Kind, Pool, Serializer, read, write};

    /// Serializes the pool.
    pub fn serialize<S: Serializer>(pool: &Pool, to: S) -> Result<S::Ok, S::Error> {
        write(pool, to)
    }

    /// Deserializes the pool.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Pool, D::Error> {
        read(from, |stored| {
            // Every database has a slot. A stored database without one used the numbers of slot 1.
            Kind::Database(DatabaseFacts {
                slot: stored.slot.unwrap_or(1),
                membership: stored.membership.clone(),
            })
        })
    }
}

fn write<S: Serializer>(pool: &Pool, to: S) -> Result<S::Ok, S::Error> {
    let servers = pool.servers.iter().map(StoredServer::from).collect();
    StoredPool { listen: pool.listen, generation: pool.generation, servers }.serialize(to)
}

fn read<'de, D: Deserializer<'de>>(from: D, kind: fn(&StoredServer) -> Kind) -> Result<Pool, D::Error> {
    let StoredPool { listen, generation, servers } = StoredPool::deserialize(from)?;
    let servers = servers.into_iter().map(|stored| {
        let kind = kind(&stored);
        let StoredServer { id, name, host, port, runtime, power, generation, .. } = stored;
        let runtime = match runtime {
            Runtime::External => Run::External,
            Runtime::Process => Run::Process { power, generation },
        };
        Server { id, name, host, port, kind, runtime }
    });
    Ok(Pool { listen, generation, servers: servers.collect() })
}

impl From<&Server> for StoredServer {
    fn from(server: &Server) -> Self {
        let Server { id, name, host, port, kind, runtime } = server.clone();
        let (power, generation) = match runtime {
            Run::External => (Power::On, 0),
            Run::Process { power, generation } => (power, generation),
        };
        let common = |admin, cookie, slot, membership| Self {
            id,
            name,
            host,
            port,
            runtime: runtime.word(),
            power,
            admin,
            cookie,
            generation,
            slot,
            membership,
            anyway: false,
            kept: false,
        };
        match kind {
            Kind::Web(WebFacts { cookie, admin, leaving, anyway, kept }) => {
                let membership = if leaving { Membership::Leaving } else { Membership::Member };
                Self { anyway, kept, ..common(admin, cookie, None, membership) }
            }
            Kind::Database(DatabaseFacts { slot, membership }) => {
                common(Admin::Ready, CookieChoice::Automatic, Some(slot), membership)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::{Desired, Saved};
    use super::*;

    /// The state that Cordée 0.1.0 wrote, with every kind of desired server state in it.
    const BEFORE: &str = include_str!("state-0.1.json");

    fn name(text: &str) -> ServerName {
        ServerName::parse(text).expect("a name")
    }

    #[test]
    fn a_state_of_version_0_1_is_read_as_what_it_says() {
        let wish: Desired = serde_json::from_str(BEFORE).expect("it is read");
        let webs: Vec<_> = wish
            .web_servers()
            .map(|s| (s.server.name.as_str(), s.admin, s.leaving, s.anyway, s.kept, s.runtime))
            .collect();
        let run = |power, generation| Run::Process { power, generation };
        let on = run(Power::On, 0);
        assert_eq!(
            webs,
            [
                ("web1", Admin::Drain, false, true, false, on),
                ("web2", Admin::Ready, false, false, true, run(Power::On, 1)),
                ("web3", Admin::Maintenance, false, false, false, Run::External),
                ("web4", Admin::Ready, false, false, false, Run::External),
                ("web5", Admin::Ready, false, false, false, run(Power::Off, 0)),
                ("web6", Admin::Ready, true, false, false, on),
            ]
        );
        let saved = Saved { count: 2, file: "lost/db1.sql".to_owned() };
        let bases: Vec<_> = wish
            .databases()
            .map(|s| (s.server.name.as_str(), s.slot, s.membership.clone(), s.runtime))
            .collect();
        assert_eq!(
            bases,
            [
                ("db1", 1, Membership::Diverged(saved), on),
                ("db2", 2, Membership::Returning { limit: 7, saved: None }, on),
                ("db3", 3, Membership::Member, on),
                ("db4", 4, Membership::Joining, Run::External),
                ("db5", 5, Membership::Leaving, on),
                ("db6", 6, Membership::Member, run(Power::Off, 1)),
                ("db7", 7, Membership::Joining, on),
                ("db8", 8, Membership::Released, Run::External),
            ]
        );
        let cookie = |server: &str| wish.web_server(&name(server)).map(|s| s.cookie.clone());
        assert!(matches!(cookie("web3"), Some(CookieChoice::Chosen(c)) if c.as_str() == "S3"));
        assert_eq!(cookie("web4"), Some(CookieChoice::Automatic));
    }

    /// An older Cordée finds the form that it wrote itself. The only exception is `anyway` on a database, which is no
    /// longer written: nothing ever asked for it.
    #[test]
    fn it_is_written_down_as_before() {
        let wish: Desired = serde_json::from_str(BEFORE).expect("it is read");
        let mut before: Value = serde_json::from_str(BEFORE).expect("JSON");
        for server in before["db"]["servers"].as_array_mut().expect("servers") {
            server["anyway"] = false.into();
        }
        assert_eq!(serde_json::to_value(&wish).expect("it is written"), before);
        let again: Desired = serde_json::from_value(before).expect("it is read again");
        assert_eq!(again, wish);
    }

    /// The first versions wrote neither `standing` (the membership) nor `anyway` nor `kept`.
    #[test]
    fn what_an_older_state_does_not_say_has_its_meaning() {
        let mut before: Value = serde_json::from_str(BEFORE).expect("JSON");
        for pool in ["web", "db"] {
            let servers = before[pool]["servers"].as_array_mut().expect("servers");
            for server in servers.iter_mut().filter_map(Value::as_object_mut) {
                server.retain(|field, _| !["standing", "anyway", "kept"].contains(&field.as_str()));
            }
        }
        let wish: Desired = serde_json::from_value(before).expect("it is read");
        assert!(wish.web_servers().all(|s| !s.leaving && !s.anyway && !s.kept));
        assert!(wish.databases().all(|s| *s.membership == Membership::Member));
    }
}
