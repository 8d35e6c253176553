//! MariaDB's configuration file.

use std::fmt::Write as _;
use std::path::Path;

use super::ids::Numbering;
use super::promise::ACK_LIMIT;

/// The place of one MariaDB server.
#[derive(Clone, Debug)]
pub struct Instance<'a> {
    /// The name that it reports.
    pub name: &'a str,
    /// `server_id` and GTID domain.
    pub id: u32,
    /// How the server numbers new rows.
    pub numbering: Numbering,
    /// TCP port, on loopback.
    pub port: u16,
    /// The server's folder.
    pub home: &'a Path,
    /// The folder of its socket.
    pub run: &'a Path,
    /// Whether crash recovery keeps what was logged and not yet committed in the tables.
    pub keeps: bool,
    /// Whether the server sends ACKs for what it receives.
    pub acks: bool,
    /// The file of statements that the server runs at each start.
    pub rights: &'a Path,
}

/// The log file that the server opens by itself, in the folder `log`.
pub const LOGS: [&str; 1] = ["mariadb.log"];
/// The output of the program that created the data folder.
pub const INSTALL: &str = "install.log";

/// The size of the redo log, from its creation on: a log of another size is created anew at the first start.
pub const REDO_LOG: &str = "48M";

/// The longest statement that a database accepts, in octets: the most that MariaDB supports. Every database then
/// accepts what one of them accepted; `mariadb-dump` finds its position only if no event of the log is longer than
/// that.
pub const PACKET: u64 = 1 << 30;

/// Returns the first log in a database's list of logs (`log.index`) that is outside the database's folder. Such a
/// list came with a copy of another cluster's folder: this database would read, and delete, that cluster's logs.
pub fn elsewhere<'a>(list: &'a str, home: &Path) -> Option<&'a Path> {
    list.lines().map(Path::new).find(|log| log.is_absolute() && !log.starts_with(home))
}

/// Renders the file. Every server starts closed (`read_only`): only Cordée opens it, after it has stored the
/// decision.
pub fn render(instance: &Instance<'_>) -> String {
    let Instance { name, id, numbering, port, home, run, keeps, acks, rights } = instance;
    let home = home.display();
    // Crash recovery of a master commits what it had logged; that of a replica rolls back what no replica
    // acknowledged (MariaDB Knowledge Base, "init_rpl_role").
    let role = if *keeps { "MASTER" } else { "SLAVE" };
    let mut text = String::from("# Written by Cordée at each start of this server.\n[mariadbd]\n");
    let _ = write!(
        text,
        "datadir={home}/data\ntmpdir={home}/tmp\nlog_error={home}/log/{log}\nsocket={run}/mariadb.sock\n\
         pid-file={run}/mariadb.pid\n\
         bind-address=127.0.0.1\nport={port}\nskip-name-resolve\nmax_connect_errors=4294967295\n\
         max_connections={connections}\ndefault_time_zone=+00:00\ncharacter-set-server=utf8mb4\n\
         collation-server=utf8mb4_unicode_ci\nlocal_infile=0\nsymbolic-links=0\nperformance_schema=0\n\
         read_only=1\ninit-rpl-role={role}\n\
         server_id={id}\nreport_host={name}\ngtid_domain_id={id}\nauto_increment_increment={step}\n\
         auto_increment_offset={place}\n\
         log_bin={home}/binlog/log\nlog_slave_updates=1\nrelay_log={home}/relay/log\nbinlog_format=ROW\n\
         binlog_row_image=FULL\nsync_binlog=1\ninnodb_flush_log_at_trx_commit=1\nbinlog_expire_logs_seconds={kept}\n\
         gtid_strict_mode=1\ngtid_ignore_duplicates=1\nskip-slave-start\nslave_net_timeout=10\n\
         slave_parallel_threads=4\n\
         slave_parallel_mode=optimistic\nrpl_semi_sync_slave_enabled={acks}\nrpl_semi_sync_master_enabled=0\n\
         rpl_semi_sync_master_wait_point=AFTER_SYNC\nrpl_semi_sync_master_wait_no_slave=0\n\
         rpl_semi_sync_master_timeout={ACK_LIMIT}\ninnodb_buffer_pool_size=64M\ninnodb_log_file_size={REDO_LOG}\n\
         key_buffer_size=8M\nmax_allowed_packet={PACKET}\nslave_max_allowed_packet={PACKET}\ninit_file={rights}\n\
         log_bin_trust_function_creators=1\nevent_scheduler=OFF\n",
        connections = crate::figures::CONNECTIONS,
        kept = crate::figures::BINLOG_KEPT / 1_000,
        step = numbering.step,
        place = numbering.place,
        run = run.display(),
        log = LOGS[0],
        acks = u8::from(*acks),
        rights = rights.display(),
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_names_logs_of_another_folder_is_found_out() {
        let home = Path::new("/a/servers/db1");
        let own = "/a/servers/db1/relay/log-db2.000003\n/a/servers/db1/relay/log-db2.000004\n";
        for list in ["", "\n", own, "./log.000001\nlog.000002\n"] {
            assert_eq!(elsewhere(list, home), None, "{list:?}");
        }
        let other = Path::new("/b/servers/db1/relay/log-db2.000005");
        assert_eq!(elsewhere(&format!("{own}{}\n", other.display()), home), Some(other));
        let alike = "/a/servers/db10/binlog/log.000001\n";
        assert_eq!(elsewhere(alike, home), Some(Path::new(alike.trim())), "another one's name begins alike");
    }
}
