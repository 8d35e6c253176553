//! Jobs that take a while: the comparison of sessions, and failover drills.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use cordee_api::drills::DrillJson;
use cordee_api::trials::{Cancelled, RunId, TrialJson};
use cordee_api::words::RunState;
use cordee_domain::text;
use cordee_domain::text::Text;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Door, Failure, Said, pretty, read, show};
use crate::cli::{CompareCommand, DrillArgs, DrillCommand};

pub(super) async fn compare(door: &Door, command: CompareCommand) -> Result<Said, Failure> {
    let none = text!("cli-no-trial");
    match command {
        CompareCommand::Begin => {
            let begun = door.post("/api/v1/trials", None).await?;
            let show = |run: &TrialJson| (run.state, show::trial(run, door.lang));
            over(door, "trials", read(begun)?, &text!("trial-running"), show).await
        }
        CompareCommand::Cancel => cancel(door, "trials", &text!("trial-cancelled"), &none).await,
        CompareCommand::Show => newest(door, "trials", &none, |run| show::trial(run, door.lang)).await,
    }
}

pub(super) async fn drill(door: &Door, command: DrillCommand) -> Result<Said, Failure> {
    let none = text!("cli-no-drill");
    match command {
        DrillCommand::Begin(order) => {
            let begun = door.post("/api/v1/drills", Some(&members(&order))).await?;
            let show = |drill: &DrillJson| (drill.state, show::drill(drill, door.lang));
            over(door, "drills", read(begun)?, &text!("drill-running"), show).await
        }
        DrillCommand::Cancel => cancel(door, "drills", &text!("drill-cancelled"), &none).await,
        DrillCommand::Show { json: true } => newest(door, "drills", &none, pretty).await,
        DrillCommand::Show { json: false } => {
            newest(door, "drills", &none, |drill| show::drill(drill, door.lang)).await
        }
    }
}

/// The interval between two looks at a running job.
const GLANCE: Duration = Duration::from_millis(500);

/// Prints that the job has begun; with `--wait` also how it ended, unless the time is over before. Interrupting
/// this does not cancel the job.
async fn over<T: DeserializeOwned>(
    door: &Door,
    kind: &str,
    RunId { id }: RunId,
    begun: &Text,
    show: impl Fn(&T) -> (RunState, String),
) -> Result<Said, Failure> {
    let Some(most) = door.said else { return Ok(Said::well(door.say(begun))) };
    super::show::out(&door.say(begun));
    let until = Instant::now() + most;
    loop {
        match door.get(&format!("/api/v1/{kind}/{id}")).await {
            // Cordée may be restarting, which ends its running jobs.
            Err(Failure::Unreachable(_) | Failure::Broken(_)) if Instant::now() < until => {}
            Err(Failure::Unreachable(why) | Failure::Broken(why)) => {
                return Err(Failure::UnderWay(text!("cli-under-way", why = why)));
            }
            answer => match show(&read(answer?)?) {
                (RunState::Running, _) if Instant::now() >= until => {
                    return Err(Failure::UnderWay(text!("cli-under-way", why = begun.clone())));
                }
                (RunState::Running, _) => {}
                (end, text) => return Ok(Said::of(text, end == RunState::Done)),
            },
        }
        tokio::time::sleep(GLANCE.min(until.saturating_duration_since(Instant::now()))).await;
    }
}

fn members(order: &DrillArgs) -> Value {
    let (target, how) = (Some(&order.target), Some(&order.how));
    let given = [
        ("target", target),
        ("how", how),
        ("rate", order.rate.as_ref()),
        ("visitors", order.visitors.as_ref()),
        ("before", order.before.as_ref()),
        ("held", order.held.as_ref()),
        ("after", order.after.as_ref()),
        ("url", order.url.as_ref()),
        ("status", order.status.as_ref()),
        ("confirm", order.confirm.as_ref()),
    ];
    let members: BTreeMap<&str, &String> = given.into_iter().filter_map(|(n, v)| Some((n, v?))).collect();
    json!(members)
}

async fn cancel(door: &Door, kind: &str, done: &Text, none: &Text) -> Result<Said, Failure> {
    let answer = door.post(&format!("/api/v1/{kind}/cancel"), None).await?;
    let Cancelled { cancelled } = read(answer)?;
    Ok(Said::of(door.say(if cancelled { done } else { none }), cancelled))
}

/// Shows the newest job, if there is one.
async fn newest<T: DeserializeOwned>(
    door: &Door,
    kind: &str,
    none: &Text,
    show: impl FnOnce(&T) -> String,
) -> Result<Said, Failure> {
    let all: Vec<T> = read(door.get(&format!("/api/v1/{kind}")).await?)?;
    let nothing = || Said::of(door.say(none), false);
    Ok(all.first().map_or_else(nothing, |one| Said::well(show(one))))
}
