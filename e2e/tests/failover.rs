//! The writer dies or freezes and the standby takes over with every acknowledged write; where it may lack one, nobody
//! takes over; and what only looks like a death moves nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is how a test ends")]

use std::time::{Duration, Instant};

use cordee_e2e::api::Status;
use cordee_e2e::callers::around;
use cordee_e2e::case;
use cordee_e2e::cluster::Cluster;
use cordee_e2e::db::Db;
use cordee_e2e::pair::{Pair, READY, open, server_id, wait_for_no_ack};
use cordee_e2e::ports::local;
use cordee_e2e::prober::Probers;
use cordee_e2e::procs::Frozen;
use cordee_e2e::suite::File;
use cordee_e2e::tables::Tables;
use cordee_e2e::turns::{Spread, servers, turns};
use cordee_e2e::wait;
use cordee_e2e::writers::{Report, Running, Write, Writers, fill};
use rustix::process::Signal;

/// Clients of the load.
const CLIENTS: u32 = 8;
/// Acceptance: the first acknowledged write after the death of the writer.
const FIRST_WRITE: Duration = Duration::from_secs(2);
/// Acceptance: the same, in the median.
const MEDIAN_FIRST_WRITE: Duration = Duration::from_millis(500);
/// Acceptance: the same after it froze, the time to be sure of it included.
const AFTER_FREEZE: Duration = Duration::from_secs(4);
/// Acceptance: 1 s of semi-synchronous patience for a standby that is gone, and the pace of the load.
const LONGEST_PAUSE: Duration = Duration::from_millis(1_200);
/// When another database is waited for: long enough to measure a failure of the bounds above rather than to miss it.
const SWITCHED: Duration = Duration::from_secs(15);
/// How soon the API shows what has changed: it polls every 500 ms, and semi-sync gives up after 1 s.
const SHOWN: Duration = Duration::from_secs(5);
/// The longest that a new connection waits, as the guide says it.
const LONGEST_WAIT: Duration = Duration::from_millis(1_600);
/// How long nothing may happen where nothing should.
const QUIET: Duration = Duration::from_secs(6);

/// Its cases.
pub fn file() -> File {
    File::new(
        "failover",
        &[],
        &[
            case!(ten_deaths_of_the_writer_lose_no_acknowledged_write),
            case!(who_connects_after_a_death_waits_for_the_next_writer),
            case!(no_database_takes_a_write_out_of_its_turn),
            case!(five_freezes_of_the_writer_end_with_another_one),
            case!(a_dead_standby_stalls_the_writer_for_a_second_at_most),
            case!(a_frozen_standby_stalls_the_writer_for_a_second_at_most),
            case!(a_writer_without_a_standby_is_restarted_in_place),
            case!(a_standby_that_is_behind_is_not_elected),
            case!(a_full_writer_is_no_dead_writer),
            case!(a_locked_writer_is_no_dead_writer),
        ],
    )
}

fn load(cluster: &Cluster, tables: &Tables) -> Running {
    let application = Db::new(cluster, &["--account", "app"]);
    assert_eq!(application.dsn().port, cluster.db().port());
    Writers::new(cluster.db(), application.dsn(), tables).start()
}

fn go_on(load: &Running) {
    load.wait_for_more(200, Duration::from_secs(10));
}

/// One change of writer.
struct Switch {
    at: Instant,
    old: u32,
    new: u32,
}

/// Does harm to the writer of a pair that is ready, and waits until the pair is ready again with the other writer.
fn fail_over(
    cluster: &Cluster,
    load: &Running,
    before: &Pair,
    harm: impl FnOnce(u32) -> Instant,
) -> (Switch, Pair) {
    let old = server_id(cluster, &before.writer.name);
    let expected = server_id(cluster, &before.standby.name);
    go_on(load);
    let at = harm(before.writer.pid.expect("it runs"));
    let new = load.wait_for_another(old, SWITCHED);
    assert_eq!(new, expected, "{} was to take over", before.standby.name);
    let after = Pair::wait_switched(cluster, before);
    println!(
        "#   epoch {}: {} took over from {}, which could take over again after {:.1} s",
        after.epoch,
        after.writer.name,
        after.standby.name,
        at.elapsed().as_secs_f64()
    );
    (Switch { at, old, new }, after)
}

fn kill(cluster: &Cluster) -> impl FnOnce(u32) -> Instant {
    |pid| cluster.signal_group(pid, Signal::KILL)
}

/// From each harm to the first write that the new writer acknowledged.
fn gaps(report: &Report, switches: &[Switch]) -> Spread {
    let gap = |s: &Switch| report.gap_after(s.at, s.old).expect("another database acknowledged");
    let in_order: Vec<Duration> = switches.iter().map(gap).collect();
    println!("#   in order: {:?} ms", in_order.iter().map(Duration::as_millis).collect::<Vec<_>>());
    let spread = Spread::new(in_order);
    println!("#   first acknowledged write after {spread}");
    spread
}

/// The turns that clients can prove must be those of the changes of writer, and no more.
fn assert_turns<'a>(report: &'a Report, tries: impl IntoIterator<Item = &'a Write>, switches: &[Switch]) {
    let proven = turns(report.writes.iter().chain(tries));
    let mut expected: Vec<u32> = switches.iter().map(|s| s.old).collect();
    expected.extend(switches.last().map(|s| s.new));
    assert_eq!(
        servers(&proven),
        expected,
        "who wrote in turn, as the acknowledgements prove it: {proven:#?}"
    );
}

/// Nobody fails back: the same pair for a while after the last change.
fn assert_stays(cluster: &Cluster, pair: &Pair) {
    wait::always("the writer stays", Duration::from_secs(3), || {
        let now = Pair::try_read(cluster)?;
        let same = (now.epoch, &now.writer.name) == (pair.epoch, &pair.writer.name);
        if same { Ok(()) } else { Err(format!("{now:?}")) }
    });
}

// ---- the writer dies or freezes

fn ten_deaths_of_the_writer_lose_no_acknowledged_write(cluster: &Cluster) {
    let tables = Tables::make(cluster, "deaths", CLIENTS);
    let first = Pair::wait(cluster);
    assert_eq!(cluster.api().snapshot().routing.as_deref(), Some("one-writer"), "what a cluster begins with");
    let load = load(cluster, &tables);
    let (mut pair, mut switches) = (first.clone(), Vec::new());
    for _ in 0..10 {
        let (switch, after) = fail_over(cluster, &load, &pair, kill(cluster));
        switches.push(switch);
        pair = after;
    }
    assert_stays(cluster, &pair);
    let report = load.stop();
    println!("#   {report}");
    assert_eq!(pair.epoch, first.epoch + 10, "one epoch per death");
    assert_turns(&report, [], &switches);
    tables.verify(cluster, &report);
    let gaps = gaps(&report, &switches);
    assert!(gaps.longest() <= FIRST_WRITE, "{gaps}");
    assert!(gaps.median() <= MEDIAN_FIRST_WRITE, "{gaps}");
}

/// HAProxy takes a dead database out within this time, and ends what it has just led there (decision 031).
const TAKEN_OUT: Duration = Duration::from_millis(100);

/// An application without a retry of its own. What was begun before the death died with the writer, and so may the one
/// that HAProxy was just leading there.
fn who_connects_after_a_death_waits_for_the_next_writer(cluster: &Cluster) {
    let application = Db::new(cluster, &["--account", "app"]);
    let mut pair = Pair::wait(cluster);
    for round in 0..4 {
        // In turn: the address that follows the routing, and that of the one writer.
        let to = if round % 2 == 0 { cluster.db() } else { cluster.db_writer() };
        let (old, new) = (pair.writer.clone(), pair.standby.name.clone());
        let id = server_id(cluster, &new);
        let calls = around(
            application.dsn(),
            to,
            || {
                cluster.signal_group(old.pid.expect("it runs"), Signal::KILL);
            },
            || {
                wait::until("the new writer is open", SWITCHED, || {
                    if open(cluster, &new)? { Ok(()) } else { Err("closed".to_owned()) }
                });
            },
        );
        let after: Vec<_> = calls.after().collect();
        let longest = calls.longest();
        println!("#   {} connections after the death of {}, longest {longest:?}", after.len(), old.name);
        let (lost, later) = (calls.failed(), calls.failed_after(TAKEN_OUT));
        assert!(lost.len() <= 1 && later.is_empty(), "of {}: {lost:#?}", after.len());
        assert!(after.iter().all(|call| call.outcome.is_err() || call.outcome == Ok(id)), "{after:#?}");
        assert!(longest <= LONGEST_WAIT, "{longest:?}");
        pair = Pair::wait_switched(cluster, &pair);
    }
}

/// A prober on each database tries a write every 50 ms while the writer dies and freezes. Its successes and the
/// load's are put in the order that their clients' clocks prove (see `turns`): a database that took a write before it
/// was opened, or after the other one was, adds a turn. Comparing with the times of the journal would need a bound on
/// how late a line is written, and would either miss something or cry wolf on a busy machine.
fn no_database_takes_a_write_out_of_its_turn(cluster: &Cluster) {
    let tables = Tables::make(cluster, "turns", CLIENTS);
    let mut pair = Pair::wait(cluster);
    let probers = Probers::start(cluster, &tables);
    let load = load(cluster, &tables);
    let mut switches = Vec::new();
    let (one, after) = fail_over(cluster, &load, &pair, kill(cluster));
    switches.push(one);
    pair = after;
    let mut frozen = None;
    let freeze = |pid| frozen.insert(Frozen::group(cluster.home(), pid)).at();
    let (two, after) = fail_over(cluster, &load, &pair, freeze);
    switches.push(two);
    pair = after;
    drop(frozen);
    let (three, after) = fail_over(cluster, &load, &pair, kill(cluster));
    switches.push(three);
    pair = after;
    assert_stays(cluster, &pair);
    let (tries, report) = (probers.stop(), load.stop());
    println!("#   {report}");
    for server in [0, 1] {
        let own = tries.iter().filter(|t| t.client == server);
        let (taken, refused): (Vec<_>, Vec<_>) = own.partition(|t| t.acknowledged());
        let closed = refused.iter().filter(|t| t.outcome == Err("1290".to_owned())).count();
        println!(
            "#   db{}: {} tries taken, {} refused, {closed} as read-only",
            server + 1,
            taken.len(),
            refused.len()
        );
        assert!(!taken.is_empty() && closed > 0, "the prober of db{} saw only one side", server + 1);
    }
    assert_turns(&report, &tries, &switches);
    tables.verify(cluster, &report);
    tables.verify_probes(cluster, &tries);
}

fn five_freezes_of_the_writer_end_with_another_one(cluster: &Cluster) {
    let tables = Tables::make(cluster, "freezes", CLIENTS);
    let first = Pair::wait(cluster);
    let load = load(cluster, &tables);
    let (mut pair, mut switches) = (first.clone(), Vec::new());
    for _ in 0..5 {
        let old = server_id(cluster, &pair.writer.name);
        go_on(&load);
        let frozen = Frozen::group(cluster.home(), pair.writer.pid.expect("it runs"));
        let new = load.wait_for_another(old, SWITCHED);
        // It goes on only after another one writes; it may be gone by then.
        let at = frozen.at();
        println!(
            "#   the frozen process {}",
            if frozen.process().lives() { "still lives" } else { "is gone" }
        );
        drop(frozen);
        pair = Pair::wait_switched(cluster, &pair);
        assert!(!open(cluster, &pair.standby.name).unwrap(), "{} is open again", pair.standby.name);
        switches.push(Switch { at, old, new });
    }
    assert_stays(cluster, &pair);
    let report = load.stop();
    println!("#   {report}");
    assert_eq!(pair.epoch, first.epoch + 5, "one epoch per freeze");
    assert_turns(&report, [], &switches);
    tables.verify(cluster, &report);
    let gaps = gaps(&report, &switches);
    assert!(gaps.longest() <= AFTER_FREEZE, "{gaps}");
}

// ---- the standby dies or freezes

fn a_dead_standby_stalls_the_writer_for_a_second_at_most(cluster: &Cluster) {
    let tables = Tables::make(cluster, "dead_standby", CLIENTS);
    let before = Pair::wait(cluster);
    let load = load(cluster, &tables);
    go_on(&load);
    let old = before.standby.pid;
    let at = cluster.signal_group(old.expect("it runs"), Signal::KILL);
    // It may be back before a picture without it is taken: whether one was seen is told, not asked for.
    let mut without = None;
    wait::until("the standby has a new process", READY, || {
        let now = Pair::try_read(cluster)?;
        if now.writer.semi_sync == Some(false) {
            without.get_or_insert_with(|| at.elapsed());
        }
        if now.standby.pid.is_some_and(|pid| Some(pid) != old) {
            Ok(())
        } else {
            Err(format!("{:?}", now.standby))
        }
    });
    println!("#   first shown as without receipt after {without:?}");
    let after = Pair::wait(cluster);
    go_on(&load);
    assert_no_stall(cluster, &tables, load, (&before, &after), at);
}

fn a_frozen_standby_stalls_the_writer_for_a_second_at_most(cluster: &Cluster) {
    let tables = Tables::make(cluster, "slow_standby", CLIENTS);
    let before = Pair::wait(cluster);
    let load = load(cluster, &tables);
    go_on(&load);
    let frozen = Frozen::group(cluster.home(), before.standby.pid.expect("it runs"));
    let at = frozen.at();
    let shown = wait_for_no_ack(cluster, SHOWN);
    println!("#   shown as without receipt after {} ms", shown.as_millis());
    load.wait_for_more(1_000, Duration::from_secs(20));
    drop(frozen);
    let after = Pair::wait(cluster);
    go_on(&load);
    assert_no_stall(cluster, &tables, load, (&before, &after), at);
}

fn assert_no_stall(cluster: &Cluster, tables: &Tables, load: Running, pairs: (&Pair, &Pair), at: Instant) {
    let (before, after) = pairs;
    let until = Instant::now();
    let report = load.stop();
    println!("#   {report}");
    let pause = report.longest_pause(at, until);
    println!("#   longest pause {} ms, in {:.1} s", pause.as_millis(), (until - at).as_secs_f64());
    assert_eq!((after.epoch, &after.writer.name), (before.epoch, &before.writer.name));
    assert_eq!(after.writer.pid, before.writer.pid, "the writer was restarted");
    tables.verify(cluster, &report);
    assert!(pause <= LONGEST_PAUSE, "nothing was acknowledged for {pause:?}");
}

// ---- nobody can take over

/// Waits until the writer was restarted in place, with the same epoch, and takes writes.
fn wait_for_restart(cluster: &Cluster, load: &Running, before: &Pair) {
    let ((), took) = wait::until("the writer is restarted in place", READY, || {
        let now = Pair::try_read(cluster)?;
        assert_eq!(
            (now.epoch, &now.writer.name),
            (before.epoch, &before.writer.name),
            "a standby that may lack something was elected: {now:#?}"
        );
        assert_ne!(open(cluster, &now.standby.name), Ok(true), "two databases were opened");
        let restarted = now.writer.pid.is_some() && now.writer.pid != before.writer.pid;
        if restarted && open(cluster, &now.writer.name)? { Ok(()) } else { Err(format!("{:?}", now.writer)) }
    });
    println!("#   restarted in place and open after {:.1} s", took.as_secs_f64());
    go_on(load);
}

fn a_writer_without_a_standby_is_restarted_in_place(cluster: &Cluster) {
    let tables = Tables::make(cluster, "alone", CLIENTS);
    let before = Pair::wait(cluster);
    let standby = format!("/v1/pools/db/servers/{}", before.standby.name);
    let load = load(cluster, &tables);
    go_on(&load);
    cluster.api().act(&format!("{standby}/stop"));
    wait_for_no_ack(cluster, READY);
    wait::until("the standby is off", READY, || {
        let now = Pair::try_read(cluster)?.standby;
        if now.power == "off" && now.pid.is_none() { Ok(()) } else { Err(format!("{now:?}")) }
    });
    go_on(&load);
    cluster.signal_group(before.writer.pid.expect("it runs"), Signal::KILL);
    wait_for_restart(cluster, &load, &before);
    let report = load.stop();
    println!("#   {report}");
    tables.verify_on(cluster, &before.writer.name, &report);
    cluster.api().act(&format!("{standby}/start"));
    let after = Pair::wait(cluster);
    assert_eq!((after.epoch, &after.writer.name), (before.epoch, &before.writer.name));
    tables.verify(cluster, &report);
}

fn a_standby_that_is_behind_is_not_elected(cluster: &Cluster) {
    let tables = Tables::make(cluster, "behind", CLIENTS);
    let before = Pair::wait(cluster);
    let load = load(cluster, &tables);
    go_on(&load);
    let frozen = Frozen::group(cluster.home(), before.standby.pid.expect("it runs"));
    wait_for_no_ack(cluster, SHOWN);
    // These are on the writer only, unless what stands in for the frozen process fetches them.
    go_on(&load);
    let away = frozen.process().lives();
    cluster.signal_group(before.writer.pid.expect("it runs"), Signal::KILL);
    // Alive again at the very moment at which somebody could take it for a standby that is ready.
    drop(frozen);
    assert!(away, "the frozen standby was replaced: it was not behind, and this case proves nothing");
    wait_for_restart(cluster, &load, &before);
    let report = load.stop();
    println!("#   {report}");
    let after = Pair::wait(cluster);
    assert_eq!((after.epoch, &after.writer.name), (before.epoch, &before.writer.name));
    tables.verify(cluster, &report);
}

// ---- what only looks like a death

/// Watches for a while that nobody takes over, and gives the first status of the writer that is not good, has a
/// reason, and holds `words`. It must come within `soon`.
fn quiet_but_told(cluster: &Cluster, before: &Pair, soon: Duration, words: &str) -> String {
    let begun = Instant::now();
    let mut told = None;
    wait::always("nobody takes over", QUIET, || {
        let now = Pair::try_read(cluster)?;
        if (now.epoch, &now.writer.name, now.writer.pid)
            != (before.epoch, &before.writer.name, before.writer.pid)
        {
            return Err(format!("{now:?}"));
        }
        let Status { severity, word, reason } = &now.writer.status;
        let reason = reason.as_deref().unwrap_or("").trim();
        let said = format!("{severity} {word}: {reason}");
        if told.is_none() && severity != "good" && !reason.is_empty() && said.to_lowercase().contains(words) {
            println!("#   told after {} ms: {said}", begun.elapsed().as_millis());
            told = Some(said.clone());
        }
        if told.is_none() && begun.elapsed() > soon { Err(format!("not told: {said}")) } else { Ok(()) }
    });
    told.expect("told within the time")
}

/// Sets the number of connections that a database takes, and gives it back as it was.
struct Limit {
    root: Db,
    was: u64,
}

impl Limit {
    fn set(root: Db, most: u32) -> Self {
        let was = root.number("SELECT @@GLOBAL.max_connections");
        root.query(&format!("SET GLOBAL max_connections = {most}"));
        Self { root, was }
    }
}

impl Drop for Limit {
    fn drop(&mut self) {
        // The connections that filled it end in their own time.
        let again = format!("SET GLOBAL max_connections = {}", self.was);
        let begun = Instant::now();
        while self.root.try_query(&again).is_err() && begun.elapsed() < SHOWN {
            std::thread::yield_now();
        }
    }
}

fn a_full_writer_is_no_dead_writer(cluster: &Cluster) {
    let before = Pair::wait(cluster);
    let application = Db::new(cluster, &["--server", &before.writer.name]);
    let limit = Limit::set(Db::root(cluster, &before.writer.name), 10);
    let taken = fill(application.dsn(), local(application.dsn().port), 200);
    println!("#   full with {} connections of ours", taken.len());
    let told = quiet_but_told(cluster, &before, QUIET, "too many connections");
    drop(taken);
    drop(limit);
    let after = Pair::wait(cluster);
    assert_eq!((after.epoch, &after.writer.name), (before.epoch, &before.writer.name), "after {told}");
    cluster.settle();
}

fn a_locked_writer_is_no_dead_writer(cluster: &Cluster) {
    let before = Pair::wait(cluster);
    let lock = Db::root(cluster, &before.writer.name).hold("FLUSH TABLES WITH READ LOCK");
    let told = quiet_but_told(cluster, &before, Duration::from_secs(3), "");
    drop(lock);
    let after = Pair::wait(cluster);
    assert_eq!((after.epoch, &after.writer.name), (before.epoch, &before.writer.name), "after {told}");
    cluster.settle();
}
