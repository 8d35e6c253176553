//! A writer that is not ours, on a network that is cut: Cordée cannot end it, so nobody else is ever opened by itself.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is how a test ends")]

use std::time::{Duration, Instant};

use cordee_e2e::case;
use cordee_e2e::cluster::Cluster;
use cordee_e2e::cuts::{Network, Way, enter};
use cordee_e2e::db::Db;
use cordee_e2e::foreign::{Guest, lines};
use cordee_e2e::mesh::{brief, databases, shown, wait_for_members, wait_for_mesh};
use cordee_e2e::pair::{Pair, epoch, open, promote, server_id};
use cordee_e2e::suite::File;
use cordee_e2e::tables::Tables;
use cordee_e2e::turns::{servers, turns};
use cordee_e2e::wait;
use cordee_e2e::writers::{Running, Writers};

/// Acceptance: how long each cut lasts.
const CUT: Duration = Duration::from_secs(20);
/// Until it is shown: a channel is silent for 10 s before MariaDB itself gives it up.
const SHOWN: Duration = Duration::from_secs(15);
const ALL: [&str; 3] = ["db1", "db2", "db3"];

/// Its cases.
pub fn file() -> File {
    File::new(
        "cut_off",
        &[],
        &[case!(only_cordee_does_not_reach_the_writer), case!(neither_cordee_nor_a_standby_hears_the_writer)],
    )
    .needs(enter)
}

/// A load through HAProxy on a writer that is not ours.
struct Watched<'a> {
    cluster: &'a Cluster,
    // Dropped before the guest, so that nothing is cut when it ends.
    network: Network,
    tables: Tables,
    load: Running,
    epoch: u64,
    _guest: Guest,
}

impl<'a> Watched<'a> {
    #[track_caller]
    fn start(cluster: &'a Cluster, case: &str, spare: u16) -> Self {
        Pair::wait(cluster);
        let guest = Guest::start(cluster, "db3", cluster.spare_port(spare), &lines(cluster));
        guest.join(cluster);
        wait_for_members(cluster, &ALL);
        let reply = promote(cluster, "db3", false);
        assert!(reply.ok(), "{reply:?}");
        wait::until("db3 writes", SHOWN, || {
            if open(cluster, "db3")? { Ok(()) } else { Err(format!("{:?}", shown(cluster, "db3")?)) }
        });
        wait_for_members(cluster, &ALL);
        let network = Network::new(cluster, "db3", "db1");
        let tables = Tables::make(cluster, case, 4);
        let application = Db::new(cluster, &["--account", "app"]);
        let load = Writers::new(cluster.db(), application.dsn(), &tables).pace(50, 50).start();
        load.wait_for_more(50, SHOWN);
        let epoch = epoch(&cluster.api().snapshot()).expect("an epoch");
        Self { cluster, network, tables, load, epoch, _guest: guest }
    }

    /// Cut for its time: db3 keeps the writes, nobody else is ever open, and the page says `words` of db3, once.
    #[track_caller]
    fn cut(&self, ways: &[Way], words: &str) {
        let cluster = self.cluster;
        self.network.cut(ways);
        let at = Instant::now();
        let told = || -> Result<Vec<String>, String> {
            let all = databases(cluster)?;
            let unwell = all.iter().filter(|s| s.status.severity != "good");
            Ok(unwell.map(brief).filter(|said| said.contains(words)).collect())
        };
        let (said, took) = wait::until(&format!("{words:?} is shown"), SHOWN, || match told()?.as_slice() {
            [one] => Ok(one.clone()),
            other => {
                Err(format!("{other:?} of {:?}", databases(cluster)?.iter().map(brief).collect::<Vec<_>>()))
            }
        });
        println!("#   after {:.1} s: {said}", took.as_secs_f64());
        self.load.wait_for_more(200, CUT);
        wait::always("db1 and db2 are closed, and the epoch stays", CUT.saturating_sub(at.elapsed()), || {
            let closed = open(cluster, "db1") == Ok(false) && open(cluster, "db2") == Ok(false);
            let now = epoch(&cluster.api().try_snapshot()?)?;
            if closed && now == self.epoch { Ok(()) } else { Err(format!("closed: {closed}, epoch {now}")) }
        });
        assert_eq!(told().expect("snapshot").len(), 1, "it is still said, once");
        println!("#   writes went on; cut for {:.1} s", at.elapsed().as_secs_f64());
    }

    /// The network is whole again: the same writer, and everything acknowledged is on all three. Then it leaves.
    #[track_caller]
    fn heal(self) {
        let Self { cluster, network, tables, load, epoch: before, _guest } = self;
        network.cut(&[]);
        let healed = Instant::now();
        let took = wait_for_members(cluster, &ALL);
        println!("#   all are well {:.1} s after the network was whole", took.as_secs_f64());
        load.wait_for_more(50, SHOWN);
        let report = load.stop();
        println!("#   {report}");
        let pause = |from, to| report.longest_pause(from, to).as_millis();
        println!(
            "#   longest time without a write: {} ms while it was cut, {} ms afterwards",
            pause(healed.checked_sub(CUT).expect("a time"), healed),
            pause(healed, Instant::now())
        );
        assert_eq!(epoch(&cluster.api().snapshot()), Ok(before), "nobody was to take over");
        let wrote = servers(&turns(report.writes.iter()));
        assert_eq!(wrote, [server_id(cluster, "db3")], "who wrote, as the acknowledgements prove it");
        tables.verify_all(cluster, &ALL, &report);
        let reply = promote(cluster, "db1", false);
        assert!(reply.ok(), "{reply:?}");
        wait::until("db1 is the writer", SHOWN, || match epoch(&cluster.api().try_snapshot()?) {
            Ok(now) if now > before => Ok(()),
            other => Err(format!("{other:?}")),
        });
        wait_for_members(cluster, &ALL);
        wait_for_mesh(cluster, &ALL);
        cordee_e2e::mesh::remove(cluster, "db3");
        cordee_e2e::mesh::wait_until_left(cluster, "db3", &["db1", "db2"]);
    }
}

/// The standbys hear it, so it lives: applications go on, and the page says what Cordée does not know.
fn only_cordee_does_not_reach_the_writer(cluster: &Cluster) {
    let watched = Watched::start(cluster, "unseen", 0);
    watched.cut(&[Way::Cordee], "does not answer");
    watched.heal();
}

/// It may live and acknowledge to those who still reach it, as here: a person decides, and one sentence says so.
fn neither_cordee_nor_a_standby_hears_the_writer(cluster: &Cluster) {
    let watched = Watched::start(cluster, "apart", 1);
    watched.cut(&[Way::Cordee, Way::Forth], "a person decides");
    watched.heal();
}
