//! One big table, and statements that take longer than a test would allow.

use std::process::Command;
use std::time::{Duration, Instant};

use cordee_e2e::cluster::{Cluster, run};
use cordee_e2e::db::Db;
use cordee_e2e::pair::Pair;

/// Rows of one statement: about 32 MiB, so that a standby is never a minute behind.
const STATEMENT: u64 = 32_768;
/// Octets of a row's text; with its key a row is about 1 KiB.
const MIB_ROWS: u64 = 1_024;
/// No statement takes longer, on a machine that compiles something else meanwhile.
const BOUND: Duration = Duration::from_secs(900);

/// Rows of text, from the administrator at a database's own socket.
#[track_caller]
pub fn ask(cluster: &Cluster, server: &str, sql: &str) -> Vec<Vec<String>> {
    let socket = cluster.home().join("run").join(server).join("mariadb.sock");
    let mut command = Command::new("/usr/bin/mariadb");
    // The tables of numbers (`seq_1_to_9`) want a schema that is in use.
    command.args(["--no-defaults", "--user=root", "--database=mysql", "--batch", "--skip-column-names"]);
    command.arg(format!("--socket={}", socket.display())).args(["--execute", sql]);
    let said = run(&mut command, BOUND);
    assert_eq!(said.code, 0, "{sql}: {said:?}");
    said.out.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

/// A table of about the asked size, on both databases.
#[derive(Clone, Debug)]
pub struct Big {
    /// With its schema.
    pub name: String,
    /// Its rows.
    pub rows: f64,
    /// Its size as the database says it, in MiB.
    pub mib: f64,
}

impl Big {
    /// Makes it on the writer, with few statements, and waits until the standby has it.
    pub fn make(cluster: &Cluster, size_mib: u64) -> Self {
        let pair = Pair::wait(cluster);
        let (writer, standby) = (pair.writer.name.as_str(), pair.standby.name.as_str());
        let schema = Db::new(cluster, &[]).dsn().schema.clone();
        let name = format!("{schema}.bench_big");
        let begun = Instant::now();
        ask(
            cluster,
            writer,
            &format!(
                "CREATE TABLE {name} (id BIGINT UNSIGNED NOT NULL PRIMARY KEY, part INT UNSIGNED NOT NULL, \
                 body VARCHAR(1024) CHARACTER SET ascii NOT NULL) ENGINE=InnoDB"
            ),
        );
        let (mut from, last) = (1, size_mib * MIB_ROWS);
        while from <= last {
            let to = last.min(from + STATEMENT - 1);
            ask(
                cluster,
                writer,
                &format!(
                    "INSERT INTO {name} SELECT seq, seq DIV {STATEMENT}, REPEAT(SHA2(seq, 512), 7) \
                     FROM seq_{from}_to_{to}"
                ),
            );
            let at = ask(cluster, writer, "SELECT @@gtid_binlog_pos").remove(0).remove(0);
            ask(cluster, standby, &format!("SELECT MASTER_GTID_WAIT('{at}', 600)"));
            from = to + 1;
        }
        ask(cluster, standby, &format!("ANALYZE TABLE {name}"));
        let size = ask(
            cluster,
            standby,
            &format!(
                "SELECT DATA_LENGTH FROM information_schema.TABLES \
                 WHERE CONCAT(TABLE_SCHEMA, '.', TABLE_NAME) = '{name}'"
            ),
        );
        let octets: f64 = size[0][0].parse().expect("DATA_LENGTH");
        let rows = f64::from(u32::try_from(last).expect("fewer rows"));
        let big = Self { name, rows, mib: octets / 1_048_576.0 };
        eprintln!("# {:.0} MiB, {rows} rows, on both after {:.0} s", big.mib, begun.elapsed().as_secs_f64());
        Pair::wait(cluster);
        big
    }
}
