//! The end-to-end tests: one program, one module per file.

mod add_remove;
mod bad_input;
mod balance;
mod cold_start;
mod compare;
mod cut_off;
mod cuts;
mod databases;
mod death;
mod doors;
mod drills;
mod external;
mod failover;
mod guests;
mod histories;
mod join;
mod join_killed;
mod members;
mod owners;
mod page;
mod ports;
mod promote;
mod reload;
mod repair;
mod repair_rows;
mod security;
mod sessions;
mod watch;

use std::process::ExitCode;

use cordee_e2e::runner::{self, Place, Row};
use cordee_e2e::suite::File;

fn main() -> ExitCode {
    if let Some(port) = ports::thief() {
        return ports::steal(port);
    }
    runner::main(&[
        // Those on one cluster, in this order: the last of them locks this machine's address out of the page.
        row(bad_input::file(), Place::Shared, 6),
        row(balance::file(), Place::Shared, 5),
        row(databases::file(), Place::Shared, 8),
        row(add_remove::file(), Place::Shared, 37),
        row(reload::file(), Place::Shared, 0),
        row(security::file(), Place::Shared, 0),
        row(cold_start::file(), Place::Works, 25),
        row(external::file(), Place::Works, 77),
        row(guests::file(), Place::Works, 85),
        row(histories::file(), Place::Works, 0),
        row(join::file(), Place::Works, 162),
        row(join_killed::file(), Place::Works, 0),
        row(members::file(), Place::Works, 0),
        row(owners::file(), Place::Works, 0),
        row(page::file(), Place::Works, 0),
        row(repair::file(), Place::Works, 0),
        row(repair_rows::file(), Place::Works, 0),
        row(sessions::file(), Place::Works, 0),
        row(watch::file(), Place::Works, 0),
        row(cuts::file(), Place::Waits, 170),
        row(cut_off::file(), Place::Waits, 61),
        row(compare::file(), Place::Waits, 68),
        row(death::file(), Place::Alone, 38),
        row(doors::file(), Place::Alone, 40),
        row(ports::file(), Place::Alone, 0),
        row(failover::file(), Place::Alone, 103),
        row(promote::file(), Place::Alone, 0),
        row(drills::file(), Place::Alone, 210),
    ])
}

/// The seconds are measured, in a run of all on the machine of the continuous integration.
const fn row(file: File, place: Place, budget: u32) -> Row {
    Row { file, place, budget }
}
