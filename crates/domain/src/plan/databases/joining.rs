//! A new database, from its first answer until it is a member.

use super::mesh::{acks, channels};
use super::{NEAR, rows};
use crate::db::DatabaseSeen;
use crate::decision::{Basis, Decision};
use crate::desired::Database;
use crate::ids::ProcessName;
use crate::plan::donor::donor;
use crate::plan::{Plan, hosts};
use crate::scene::Scene;
use crate::step::{HostStep, SqlStep, Step, Subject};
use crate::text;

/// Plans the next step for a new database. It copies the members, and none copies it: first its position is set to
/// the end of its copy, then it catches up, then its rows are compared, then it becomes a member.
pub(super) fn joining(plan: &mut Plan, scene: Scene<'_>, server: Database<'_>, seen: &DatabaseSeen) {
    let Scene { desired, observed, now } = scene;
    let name = &server.name;
    if seen.server_id != server.id {
        return;
    }
    if observed.own.unread.contains(name) {
        let target = Subject::Process(ProcessName::Server(name.clone()));
        plan.waiting.push((target, text!("wait-unread", name = name)));
        return;
    }
    if !server.is_ours() && observed.initialised.get(name) != Some(&server.id) {
        let process = observed.process(&server.process());
        if !hosts::at_home(plan, observed, &server, process) {
            // What another server left under its name goes first.
        } else if let Some(donor) = donor(scene) {
            plan.steps.push(Step::Host(HostStep::ImportDatabase {
                name: name.clone(),
                id: server.id,
                donor,
            }));
        } else {
            let target = Subject::Process(ProcessName::Server(name.clone()));
            plan.waiting.push((target, text!("wait-donor", name = name)));
        }
        return;
    }
    if observed.unseeded.contains(name) {
        plan.steps.push(Step::Sql(SqlStep::SeedPosition { name: name.clone() }));
        return;
    }
    let before = plan.steps.len();
    acks(plan, desired, server, seen);
    channels(plan, scene, (server, seen), false, None);
    if plan.steps.len() > before {
        return;
    }
    let behind = desired.members().filter(|p| !p.stopped()).find(|peer| {
        seen.channels.get(&peer.name).is_none_or(|l| l.error != 0 || l.delay_ms.is_none_or(|ms| ms > NEAR))
    });
    if let Some(peer) = behind {
        let text = text!("wait-near", name = name, peer = &peer.name);
        plan.waiting.push((Subject::Database(name.clone()), text));
        return;
    }
    let comparison = observed.comparison(server);
    let report = comparison.and_then(|c| c.of(server.id));
    let Some(writer) = &desired.writer else { return };
    let again =
        comparison.is_some_and(|c| c.unsettled < SETTLING) && report.is_some_and(|r| r.unsettled() > 0);
    match report {
        _ if comparison.is_some_and(|c| c.running.is_some()) => {}
        Some(report) if report.different() == 0 && !again => {
            // What no comparison can settle came with the copy; it is named, and stays a warning.
            plan.steps.push(Step::Wish(Decision::Admit(Basis::of(desired, &server))));
        }
        // What the next comparison may settle waits for it.
        Some(report) if report.different() == 0 && now.saturating_sub(report.at_end) < SETTLING_PAUSE => {
            let text = text!("wait-unsettled", name = name, count = report.unsettled());
            plan.waiting.push((Subject::Database(name.clone()), text));
        }
        None => rows::compared(plan, observed, server, writer, now),
        Some(report) if report.different() == 0 => rows::compared(plan, observed, server, writer, now),
        Some(report) => {
            let text = text!("wait-copy-differs", name = name, count = report.different());
            plan.waiting.push((Subject::Database(name.clone()), text));
        }
    }
}

/// A new database whose comparison leaves something open is compared this many times in all, and then admitted with
/// it.
const SETTLING: u32 = 3;
/// Milliseconds between these comparisons.
const SETTLING_PAUSE: u64 = 10_000;
