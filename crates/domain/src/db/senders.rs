//! Connections over which the writer still sends its log to a standby that has given them up.
//!
//! When that standby comes back, MariaDB ends the old connection first. It does so under a lock that every new
//! connection needs, and while the writer waits for ACKs, MariaDB continues only once a packet has arrived over the
//! old connection. After a network cut that took 5 s, and it takes longer the longer the cut was; until then the
//! writer accepts no connection (seen on 10.11.19; `Ack_receiver::remove_slave` under `kill_zombie_dump_threads`).
//! So Cordée ends the old connection while the standby is still away: then nothing else waits for that.

use crate::desired::Database;
use crate::observed::{Observed, STALE};
use crate::scene::Scene;

use super::Thread;

/// The least age of a connection, in seconds. It is more than the time between two looks that count as current, so a
/// connection that a standby has opened since it was seen without one is younger.
const OLD: u64 = 3;

/// Returns which of the writer's connections to end. The list does not say which standby a connection belongs to: if
/// another standby receives, its connection is ended too, and it reconnects at once.
pub fn left_behind(scene: Scene<'_>) -> Vec<u64> {
    let Scene { desired, observed, now } = scene;
    let asked = |server: Database<'_>| observed.databases.get(&server.name)?.fresh(now, STALE);
    let Some(writer) = desired.writer_server() else { return Vec::new() };
    let Some(seen) = asked(writer).filter(|seen| seen.semi_sync) else { return Vec::new() };
    let (mut receiving, mut away) = (0, 0);
    for server in desired.databases().filter(|s| s.name != writer.name) {
        match asked(server) {
            Some(other) => match other.channels.get(&writer.name).map(|l| l.receiving) {
                Some(Thread::Running) => receiving += 1,
                Some(Thread::Connecting | Thread::Stopped) => away += 1,
                None => {}
            },
            // A standby that cannot be asked may still be receiving.
            None if may_run(observed, server) => receiving += 1,
            None => {}
        }
    }
    let old = seen.senders.iter().filter(|(_, seconds)| **seconds >= OLD);
    let old: Vec<u64> = old.map(|(id, _)| *id).collect();
    if away > 0 && old.len() > receiving { old } else { Vec::new() }
}

fn may_run(observed: &Observed, server: Database<'_>) -> bool {
    !server.is_ours() || observed.process(&server.process()).leader.is_some()
}

#[cfg(test)]
mod tests {
    use crate::db::failover::tests::scene::{Scene, cluster, name};

    use super::*;

    /// The writer sends over these connections, each with its age in seconds.
    fn sending(standbys: u32, senders: &[(u64, u64)]) -> Scene {
        cluster(standbys).database("db1", |d| d.senders = senders.iter().copied().collect())
    }

    fn channel(scene: Scene, on: &'static str, receiving: Thread) -> Scene {
        scene.database(on, |d| {
            if let Some(channel) = d.channels.get_mut(&name("db1")) {
                channel.receiving = receiving;
            }
        })
    }

    fn ends(scene: &Scene) -> Vec<u64> {
        left_behind(scene.scene())
    }

    #[test]
    fn what_a_standby_has_given_up_is_ended() {
        for receiving in [Thread::Connecting, Thread::Stopped] {
            assert_eq!(ends(&channel(sending(1, &[(7, 20)]), "db2", receiving)), [7]);
        }
        assert_eq!(ends(&channel(sending(1, &[(7, 3)]), "db2", Thread::Connecting)), [7]);
    }

    #[test]
    fn what_a_standby_receives_over_is_left() {
        assert!(ends(&sending(1, &[(7, 20)])).is_empty());
        // The standby came back after the look at it.
        assert!(ends(&channel(sending(1, &[(7, 2)]), "db2", Thread::Connecting)).is_empty());
        assert_eq!(ends(&channel(sending(1, &[(7, 20), (8, 2)]), "db2", Thread::Connecting)), [7]);
    }

    #[test]
    fn another_standby_counts() {
        let one_away = |senders| channel(sending(2, senders), "db2", Thread::Connecting);
        assert!(ends(&one_away(&[(8, 20)])).is_empty());
        assert_eq!(ends(&one_away(&[(7, 20), (8, 20)])), [7, 8]);
        // db3 cannot be asked, and may receive over the connection that is left.
        assert!(ends(&one_away(&[(8, 20)]).unanswered("db3")).is_empty());
    }

    #[test]
    fn without_a_current_word_nothing_is_ended() {
        let away = || channel(sending(1, &[(7, 20)]), "db2", Thread::Connecting);
        assert!(ends(&away().unanswered("db2")).is_empty());
        assert!(ends(&away().unanswered("db1")).is_empty());
        assert!(ends(&away().looked("db2", STALE + 1)).is_empty());
        // There is something to prevent only while the writer waits for ACKs.
        assert!(ends(&away().database("db1", |d| d.semi_sync = false)).is_empty());
    }
}
