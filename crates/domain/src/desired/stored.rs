//! How a pool's servers are written down: one form for both kinds, as Cordée wrote it from the first version on. What
//! a kind does not have stands there with the value that means nothing, so that older states are read, and an older
//! Cordée reads this one's.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::server::{Admin, CookieChoice, DatabaseFacts, Kind, Power, Run, Runtime, Server, WebFacts};
use super::{Pool, Standing};
use crate::ids::{Host, ServerName};
use std::net::SocketAddr;

/// A pool as it is written down.
#[derive(Serialize, Deserialize)]
struct StoredPool {
    listen: SocketAddr,
    generation: u32,
    servers: Vec<StoredServer>,
}

/// A server as it is written down.
#[derive(Serialize, Deserialize)]
struct StoredServer {
    id: u32,
    name: ServerName,
    host: Host,
    port: u16,
    runtime: Runtime,
    /// `on` for what Cordée does not start.
    power: Power,
    /// `ready` for a database.
    admin: Admin,
    /// `automatic` for a database.
    cookie: CookieChoice,
    /// 0 for what Cordée does not start.
    generation: u32,
    /// Of a database only.
    slot: Option<u8>,
    /// A web server is a member until it leaves.
    #[serde(default)]
    standing: Standing,
    /// Of a web server only.
    #[serde(default)]
    anyway: bool,
    /// Of a web server only.
    #[serde(default)]
    kept: bool,
}

/// The pool of the web servers.
pub(super) mod web {
    use super::*;

    /// Writes it.
    pub fn serialize<S: Serializer>(pool: &Pool, to: S) -> Result<S::Ok, S::Error> {
        write(pool, to)
    }

    /// Reads it.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Pool, D::Error> {
        read(from, |stored| {
            Kind::Web(WebFacts {
                cookie: stored.cookie.clone(),
                admin: stored.admin,
                leaving: stored.standing == Standing::Leaving,
                anyway: stored.anyway,
                kept: stored.kept,
            })
        })
    }
}

/// The pool of the databases.
pub(super) mod databases {
    use super::*;

    /// Writes it.
    pub fn serialize<S: Serializer>(pool: &Pool, to: S) -> Result<S::Ok, S::Error> {
        write(pool, to)
    }

    /// Reads it.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Pool, D::Error> {
        read(from, |stored| {
            // Each database was given a place; one that says none had the first one's numbers.
            Kind::Database(DatabaseFacts {
                slot: stored.slot.unwrap_or(1),
                standing: stored.standing.clone(),
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
        let common = |admin, cookie, slot, standing| Self {
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
            standing,
            anyway: false,
            kept: false,
        };
        match kind {
            Kind::Web(WebFacts { cookie, admin, leaving, anyway, kept }) => {
                let standing = if leaving { Standing::Leaving } else { Standing::Member };
                Self { anyway, kept, ..common(admin, cookie, None, standing) }
            }
            Kind::Database(DatabaseFacts { slot, standing }) => {
                common(Admin::Ready, CookieChoice::Automatic, Some(slot), standing)
            }
        }
    }
}
