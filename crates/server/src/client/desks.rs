//! What takes a while: the comparison of sessions, and failover drills.

use std::collections::BTreeMap;

use cordee_domain::text;
use cordee_domain::text::Text;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Door, Failure, Said, pretty, read, show};
use crate::cli::{CompareCommand, DrillArgs, DrillCommand};
use crate::web::api::trials::Cancelled;

pub(super) async fn compare(door: &Door, command: CompareCommand) -> Result<Said, Failure> {
    let none = text!("cli-no-trial");
    match command {
        CompareCommand::Begin => {
            door.post("/api/v1/trials", None).await?;
            Ok(Said::well(door.say(&text!("trial-running"))))
        }
        CompareCommand::Cancel => cancel(door, "trials", &text!("trial-cancelled"), &none).await,
        CompareCommand::Show => newest(door, "trials", &none, |run| show::trial(run, door.lang)).await,
    }
}

pub(super) async fn drill(door: &Door, command: DrillCommand) -> Result<Said, Failure> {
    let none = text!("cli-no-drill");
    match command {
        DrillCommand::Begin(order) => {
            door.post("/api/v1/drills", Some(&members(&order))).await?;
            Ok(Said::well(door.say(&text!("drill-running"))))
        }
        DrillCommand::Cancel => cancel(door, "drills", &text!("drill-cancelled"), &none).await,
        DrillCommand::Show { json: true } => newest(door, "drills", &none, pretty).await,
        DrillCommand::Show { json: false } => {
            newest(door, "drills", &none, |drill| show::drill(drill, door.lang)).await
        }
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

/// The newest one, when there is one.
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
