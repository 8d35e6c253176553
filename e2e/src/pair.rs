//! The two databases as the API shows them: who writes, and whether the other could take over now.

use std::time::Duration;

use serde_json::Value;

use crate::api::{Reply, Server, Snapshot};
use crate::cluster::Cluster;
use crate::db::Db;
use crate::wait;

/// A database that was killed is back, compared, admitted and has caught up by then, its back-off included.
pub const READY: Duration = Duration::from_secs(60);
/// A copy is fresh below this: the heartbeat comes once a second.
const FRESH_MS: u64 = 2_000;

/// One writer, one standby.
#[derive(Clone, Debug)]
pub struct Pair {
    /// Rises by one with each new writer.
    pub epoch: u64,
    /// The writer by decision, dead or alive.
    pub writer: Server,
    /// The other.
    pub standby: Server,
    /// The change of writer that goes on now.
    pub handover: Option<Value>,
}

impl Pair {
    /// Who has which role, whatever their state.
    pub fn try_read(cluster: &Cluster) -> Result<Self, String> {
        let snapshot = cluster.api().try_snapshot()?;
        let epoch = epoch(&snapshot)?;
        let with = |role: &str| -> Result<Server, String> {
            let all: Vec<&Server> =
                databases(&snapshot).filter(|s| s.role.as_deref() == Some(role)).collect();
            match all.as_slice() {
                [one] => Ok((*one).clone()),
                other => Err(format!("{} databases have the role {role}", other.len())),
            }
        };
        Ok(Self {
            epoch,
            writer: with("writer")?,
            standby: with("standby")?,
            handover: snapshot.handover.clone(),
        })
    }

    /// The same, when it must be readable.
    #[track_caller]
    pub fn read(cluster: &Cluster) -> Self {
        Self::try_read(cluster).expect("one writer and one standby")
    }

    /// Waits until the standby could take over now: both are members that hear each other, commits wait for its
    /// ACK, and nothing is being handed over.
    #[track_caller]
    pub fn wait(cluster: &Cluster) -> Self {
        Self::wait_until(cluster, "the standby could take over", |_| Ok(()))
    }

    /// The same, and `also` agrees.
    #[track_caller]
    pub fn wait_until(cluster: &Cluster, what: &str, also: impl Fn(&Self) -> Result<(), String>) -> Self {
        wait::until(what, READY, || {
            let pair = Self::try_ready(cluster)?;
            also(&pair).map(|()| pair)
        })
        .0
    }

    /// Who has which role, when the standby could take over now.
    pub fn try_ready(cluster: &Cluster) -> Result<Self, String> {
        let pair = Self::try_read(cluster)?;
        pair.ready()?;
        Ok(pair)
    }

    /// Waits until the standby could take over, after the writer changed from `before` to the other one. Fails as
    /// soon as any other than that is decided: nothing fails back by itself.
    #[track_caller]
    pub fn wait_switched(cluster: &Cluster, before: &Self) -> Self {
        let (writer, standby) = (&before.standby.name, &before.writer.name);
        let after = Self::wait_until(cluster, &format!("{standby} could take over from {writer}"), |now| {
            assert!(
                now.epoch <= before.epoch + 1,
                "more than one new epoch after {}: {now:#?}",
                before.epoch
            );
            if now.epoch == before.epoch {
                return Err(format!("still epoch {}", now.epoch));
            }
            // Seen with its old process, the picture is older than what was done to it.
            if now.standby.name == before.writer.name && now.standby.pid == before.writer.pid {
                return Err(format!("{} has still its old process", now.standby.name));
            }
            Ok(())
        });
        assert_eq!((&after.writer.name, after.epoch), (writer, before.epoch + 1), "{after:#?}");
        after
    }

    fn ready(&self) -> Result<(), String> {
        let [writer, standby] = [&self.writer, &self.standby];
        if let Some(handover) = &self.handover {
            return Err(format!("handover {handover}"));
        }
        if writer.semi_sync != Some(true) {
            return Err(format!("no commit waits for a receipt: {writer:?}"));
        }
        for (on, from) in [(writer, standby), (standby, writer)] {
            let fresh = on.channels.iter().any(|l| {
                l.from == from.name && l.severity == "good" && l.delay_ms.is_some_and(|ms| ms < FRESH_MS)
            });
            if on.membership.as_deref() != Some("member") || on.pid.is_none() || !fresh {
                return Err(format!("{on:?}"));
            }
        }
        Ok(())
    }
}

/// The epoch that a snapshot must tell.
pub fn epoch(snapshot: &Snapshot) -> Result<u64, String> {
    snapshot.epoch.ok_or_else(|| "the snapshot tells no epoch".to_owned())
}

fn databases(snapshot: &Snapshot) -> impl Iterator<Item = &Server> {
    snapshot.servers.iter().filter(|s| s.pool == "db")
}

/// The `server_id` of a database that runs, as it says itself.
#[track_caller]
pub fn server_id(cluster: &Cluster, server: &str) -> u32 {
    let id = Db::root(cluster, server).number("SELECT @@server_id");
    u32::try_from(id).expect("a server_id has 32 bits")
}

/// Whether a database takes writes; an error while it cannot be asked.
pub fn open(cluster: &Cluster, server: &str) -> Result<bool, String> {
    let rows = Db::root(cluster, server).try_query("SELECT @@read_only")?;
    Ok(rows.first().and_then(|row| row.first()).is_some_and(|v| v == "0"))
}

/// Asks for a planned change of writer; with `accept_loss` also when the writer may have what nobody else has.
#[track_caller]
pub fn promote(cluster: &Cluster, server: &str, accept_loss: bool) -> Reply {
    let query = if accept_loss { "?accept_loss=true" } else { "" };
    let path = format!("/v1/pools/db/servers/{server}/promote{query}");
    cluster.api().call("POST", &path, None).expect("promote")
}

/// Waits until semi-synchronous replication is off on the writer, as the API shows it.
#[track_caller]
pub fn wait_for_no_ack(cluster: &Cluster, bound: Duration) -> Duration {
    wait::until("the API says that commits wait for nobody", bound, || {
        let pair = Pair::try_read(cluster)?;
        if pair.writer.semi_sync == Some(false) { Ok(()) } else { Err(format!("{:?}", pair.writer)) }
    })
    .1
}
