//! The tables of a load: made with the owner's account, and compared on both databases afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::cluster::Cluster;
use crate::db::Db;
use crate::wait;
use crate::writers::{Report, What, Write};

/// A standby that lacks nothing but time has caught up by then.
const CAUGHT_UP: Duration = Duration::from_secs(20);

/// Names of one case's tables.
#[derive(Clone, Debug)]
pub struct Tables {
    schema: String,
    case: String,
    clients: u32,
}

impl Tables {
    /// Makes them through the writer's port: rows and a counter for each client, and rows for probers.
    #[track_caller]
    pub fn make(cluster: &Cluster, case: &str, clients: u32) -> Self {
        let owner = Db::new(cluster, &["--account", "owner"]).through(cluster, cluster.db_writer().port());
        let tables = Self { schema: owner.dsn().schema.clone(), case: case.to_owned(), clients };
        let like = "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4";
        let counters: Vec<String> = (0..clients).map(|c| format!("({c}, 0, 0)")).collect();
        owner.query(&format!(
            "CREATE TABLE {rows} (client INT UNSIGNED NOT NULL, number INT UNSIGNED NOT NULL, \
             server INT UNSIGNED NOT NULL, PRIMARY KEY (client, number)) {like}; \
             CREATE TABLE {counter} (client INT UNSIGNED NOT NULL PRIMARY KEY, value BIGINT UNSIGNED NOT NULL, \
             server INT UNSIGNED NOT NULL) {like}; \
             CREATE TABLE {probe} (prober INT UNSIGNED NOT NULL, number INT UNSIGNED NOT NULL, \
             server INT UNSIGNED NOT NULL, PRIMARY KEY (prober, number)) {like}; \
             INSERT INTO {counter} VALUES {counters}",
            rows = tables.name("row"),
            counter = tables.name("counter"),
            probe = tables.name("probe"),
            counters = counters.join(", "),
        ));
        tables
    }

    /// How many clients have a counter.
    pub fn clients(&self) -> u32 {
        self.clients
    }

    fn name(&self, of: &str) -> String {
        format!("{}.e2e_{}_{of}", self.schema, self.case)
    }

    /// The insert of one client's row.
    pub fn insert(&self, client: u32, number: u32) -> String {
        format!("INSERT INTO {} VALUES ({client}, {number}, LAST_INSERT_ID(@@server_id))", self.name("row"))
    }

    /// The update of one client's counter.
    pub fn update(&self, client: u32, value: u64) -> String {
        format!(
            "UPDATE {} SET value = {value}, server = LAST_INSERT_ID(@@server_id) WHERE client = {client}",
            self.name("counter")
        )
    }

    /// The insert of one prober's row.
    pub fn probe(&self, prober: u32, number: u32) -> String {
        format!("INSERT INTO {} VALUES ({prober}, {number}, LAST_INSERT_ID(@@server_id))", self.name("probe"))
    }

    /// Waits until both databases hold the same in every table of the site, then looks for everything that was
    /// acknowledged, on both.
    #[track_caller]
    pub fn verify(&self, cluster: &Cluster, report: &Report) {
        self.verify_all(cluster, &["db1", "db2"], report);
    }

    /// The same on as many databases as are named.
    #[track_caller]
    pub fn verify_all(&self, cluster: &Cluster, servers: &[&str], report: &Report) {
        wait_for_equal_on(cluster, servers);
        for server in servers {
            self.verify_on(cluster, server, report);
        }
    }

    /// Looks for everything that was acknowledged, on one database.
    #[track_caller]
    pub fn verify_on(&self, cluster: &Cluster, server: &str, report: &Report) {
        let root = Db::root(cluster, server);
        let found: BTreeSet<(u32, u32)> = root
            .query(&format!("SELECT client, number FROM {}", self.name("row")))
            .iter()
            .map(|row| (number(&row[0]), number(&row[1])))
            .collect();
        let (kept, sent) = (report.rows(), report.attempted_rows());
        let lost: Vec<_> = kept.difference(&found).collect();
        let examples = &lost[..lost.len().min(10)];
        assert!(lost.is_empty(), "{server} lacks {} of {} rows: {examples:?}", lost.len(), kept.len());
        let strange: Vec<_> = found.difference(&sent).take(10).collect();
        assert!(strange.is_empty(), "{server} has rows that nobody sent: {strange:?}");
        let values: BTreeMap<u32, u64> = root
            .query(&format!("SELECT client, value FROM {}", self.name("counter")))
            .iter()
            .map(|row| (number(&row[0]), number(&row[1])))
            .collect();
        for (client, counter) in report.counters() {
            let value = values.get(&client).copied();
            assert!(
                value.is_some_and(|v| (counter.acknowledged..=counter.attempted).contains(&v)),
                "client {client} on {server}: {value:?}, its client knows {counter:?}"
            );
        }
        println!(
            "#   {server}: {} acknowledged rows, {} unacknowledged ones, {} counters",
            kept.len(),
            found.len() - kept.len(),
            values.len()
        );
    }

    /// Looks for every acknowledged row of the probers, on both.
    #[track_caller]
    pub fn verify_probes(&self, cluster: &Cluster, tries: &[Write]) {
        let kept: BTreeSet<(u32, u32)> =
            tries.iter().filter(|t| t.acknowledged()).filter_map(probe_of).collect();
        for server in ["db1", "db2"] {
            let found: BTreeSet<(u32, u32)> = Db::root(cluster, server)
                .query(&format!("SELECT prober, number FROM {}", self.name("probe")))
                .iter()
                .map(|row| (number(&row[0]), number(&row[1])))
                .collect();
            let lost: Vec<_> = kept.difference(&found).take(10).collect();
            assert!(lost.is_empty(), "{server} lacks acknowledged rows of the probers: {lost:?}");
        }
        println!("#   {} of {} direct tries were taken", kept.len(), tries.len());
    }
}

fn probe_of(write: &Write) -> Option<(u32, u32)> {
    match write.what {
        What::Probe(number) => Some((write.client, number)),
        What::Row(_) | What::Counter(_) => None,
    }
}

#[track_caller]
fn number<T: std::str::FromStr>(text: &str) -> T {
    text.parse().unwrap_or_else(|_| panic!("{text:?} is no number"))
}

/// Waits until every table of the site has the same checksum on both databases.
#[track_caller]
pub fn wait_for_equal(cluster: &Cluster) {
    wait_for_equal_on(cluster, &["db1", "db2"]);
}

/// Waits until every table of the site has the same checksum on all of these databases.
#[track_caller]
pub fn wait_for_equal_on(cluster: &Cluster, servers: &[&str]) {
    let schema = Db::new(cluster, &[]).dsn().schema.clone();
    let roots: Vec<Db> = servers.iter().map(|s| Db::root(cluster, s)).collect();
    let (tables, took) = wait::until(&format!("{servers:?} hold the same"), CAUGHT_UP, || {
        let sums = roots.iter().map(|r| checksums(r, &schema)).collect::<Result<Vec<_>, _>>()?;
        let first = &sums[0];
        if sums.iter().all(|s| s == first) {
            return Ok(first.len());
        }
        let differs = |(table, sum): &(&String, &String)| sums.iter().any(|s| s.get(*table) != Some(*sum));
        let tables: Vec<_> = first.iter().filter(differs).map(|(table, _)| table).collect();
        Err(format!("different: {tables:?}; {sums:?}"))
    });
    println!("#   {tables} tables are equal on {servers:?}, after {} ms", took.as_millis());
}

fn checksums(root: &Db, schema: &str) -> Result<BTreeMap<String, String>, String> {
    let tables = root.try_query(&format!(
        "SELECT CONCAT(TABLE_SCHEMA, '.', TABLE_NAME) FROM information_schema.TABLES \
         WHERE TABLE_SCHEMA = '{schema}' AND TABLE_TYPE = 'BASE TABLE' ORDER BY TABLE_NAME"
    ))?;
    let names: Vec<&str> = tables.iter().map(|row| row[0].as_str()).collect();
    if names.is_empty() {
        return Err(format!("no table in {schema}"));
    }
    let sums = root.try_query(&format!("CHECKSUM TABLE {}", names.join(", ")))?;
    // A table that cannot be read has NULL for its sum, and is equal to nothing.
    if let Some(row) = sums.iter().find(|row| row.len() != 2 || row[1] == "NULL") {
        return Err(format!("no sum: {row:?}"));
    }
    Ok(sums.into_iter().map(|row| (row[0].clone(), row[1].clone())).collect())
}
