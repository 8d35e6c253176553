//! The end-to-end tests: one program, one module per file.

mod add_remove;
mod applications;
mod attack;
mod bad_input;
mod balance;
mod blind;
mod causes;
mod cold_start;
mod compare;
mod cut_off;
mod cuts;
mod databases;
mod death;
mod doors;
mod drill_orders;
mod drills;
mod external;
mod failover;
mod forged;
mod guests;
mod histories;
mod interfaces;
mod join;
mod join_killed;
mod light;
mod many;
mod members;
mod owners;
mod pace;
mod page;
mod ports;
mod promote;
mod reading;
mod reload;
mod repair;
mod repair_rows;
mod returning;
mod rolling;
mod security;
mod sessions;
mod statements;
mod surround;
mod verdicts;
mod watch;
mod watched;
mod zoo;

use std::process::ExitCode;

use cordee_e2e::runner::{self, Place, Row};
use cordee_e2e::suite::File;

fn main() -> ExitCode {
    if let Some(port) = ports::thief() {
        return ports::steal(port);
    }
    if let Some(plan) = attack::attacker() {
        return plan.carry_out();
    }
    runner::main(&[
        // Those on one cluster, in this order: the last of them locks this machine's address out of the page.
        row(bad_input::file(), Place::Shared, 12),
        row(balance::file(), Place::Shared, 14),
        row(databases::file(), Place::Shared, 8),
        row(add_remove::file(), Place::Shared, 37),
        row(reload::file(), Place::Shared, 18),
        row(security::file(), Place::Shared, 65),
        row(applications::file(), Place::Works, 35),
        row(attack::file(), Place::Works, 40),
        row(causes::file(), Place::Works, 32),
        row(cold_start::file(), Place::Works, 28),
        row(drill_orders::file(), Place::Works, 64),
        row(external::file(), Place::Works, 90),
        row(forged::file(), Place::Works, 25),
        row(guests::file(), Place::Works, 80),
        row(histories::file(), Place::Works, 110),
        row(interfaces::file(), Place::Works, 32),
        row(join::file(), Place::Works, 200),
        row(join_killed::file(), Place::Works, 175),
        row(members::file(), Place::Works, 90),
        row(owners::file(), Place::Works, 37),
        row(page::file(), Place::Works, 300),
        row(reading::file(), Place::Works, 70),
        row(repair::file(), Place::Works, 140),
        row(repair_rows::file(), Place::Works, 75),
        row(sessions::file(), Place::Works, 46),
        row(statements::file(), Place::Works, 240),
        row(surround::file(), Place::Works, 80),
        row(verdicts::file(), Place::Quiet, 25),
        row(watched::file(), Place::Works, 95),
        row(watch::file(), Place::Works, 52),
        row(zoo::file(), Place::Works, 90),
        row(cuts::file(), Place::Waits, 176),
        row(cut_off::file(), Place::Waits, 95),
        row(compare::file(), Place::Waits, 105),
        row(blind::file(), Place::Quiet, 175),
        row(death::file(), Place::Alone, 42),
        row(light::file(), Place::Alone, 170),
        row(many::file(), Place::Alone, 135),
        row(pace::file(), Place::Alone, 180),
        row(doors::file(), Place::Quiet, 80),
        row(ports::file(), Place::Quiet, 54),
        row(failover::file(), Place::Alone, 113),
        row(promote::file(), Place::Alone, 80),
        row(returning::file(), Place::Quiet, 60),
        row(rolling::file(), Place::Alone, 90),
        row(drills::file(), Place::Alone, 115),
    ])
}

/// The seconds are measured, in a run of all on the machine of the continuous integration.
const fn row(file: File, place: Place, budget: u32) -> Row {
    Row { file, place, budget }
}
