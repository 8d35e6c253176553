//! Comparing a database's rows with the writer's and repairing them: the request, the wait, and the result.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use cordee_api::view::ComparisonJson;
use cordee_api::wishes::Done;
use cordee_domain::text;
use serde_json::json;

use super::{Door, Failure, Said, read, show, snapshot};
use crate::words::Lang;

/// The interval between two looks.
const GLANCE: Duration = Duration::from_millis(500);

/// What the command waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaited {
    /// A comparison: one that fails is retried automatically.
    Verify,
    /// A repair: one that fails is not retried.
    Repair,
}

/// The progress.
#[derive(Debug, PartialEq, Eq)]
enum Far {
    Ended,
    Failed(String),
    UnderWay(Option<String>),
}

pub(super) async fn verify(door: &Door, to: &str, name: &str) -> Result<Said, Failure> {
    let begun = Instant::now();
    let Done { message, .. } = read(door.post(to, None).await?)?;
    wait(door, name, &message, Awaited::Verify, begun).await
}

pub(super) async fn repair(door: &Door, to: &str, name: &str, take: &str) -> Result<Said, Failure> {
    let begun = Instant::now();
    let Done { message, .. } = read(door.post(to, Some(&json!({ "take": take }))).await?)?;
    wait(door, name, &message, Awaited::Repair, begun).await
}

/// Prints the answer to the request at once, then how the work ended. Interrupting this does not cancel the work.
async fn wait(
    door: &Door,
    name: &str,
    message: &str,
    what: Awaited,
    begun: Instant,
) -> Result<Said, Failure> {
    let message = format!("{}\n", crate::complain::plain(message));
    if door.patience.is_zero() {
        return Ok(Said::well(message));
    }
    show::out(&message);
    loop {
        let since = begun.elapsed();
        let found = match snapshot(door).await {
            // Cordée may be restarting; the request is stored all the same.
            Err(Failure::Unreachable(why) | Failure::Broken(why)) => {
                (Far::UnderWay(Some(door.lang.say(&why))), None)
            }
            Err(other) => return Err(other),
            Ok(seen) => {
                let server = seen.servers.into_iter().find(|s| s.name.eq_ignore_ascii_case(name));
                let Some(server) = server else {
                    return Err(Failure::Refused(vec![(
                        "name".to_owned(),
                        door.lang.say(&text!("problem-server-unknown", name = name)),
                    )]));
                };
                let Some(comparison) = server.comparison else {
                    // The server became the writer meanwhile.
                    let text = text!("problem-verify-writer", name = server.name.as_str());
                    return Err(Failure::Refused(vec![("name".to_owned(), door.lang.say(&text))]));
                };
                (far(&comparison, what, since), Some((server.name, comparison)))
            }
        };
        match found {
            (Far::Ended, Some((name, comparison))) => return Ok(said(&name, &comparison, door.lang)),
            (Far::Failed(why), _) => return Err(Failure::Refused(vec![(String::new(), why)])),
            (Far::UnderWay(why), _) if begun.elapsed() >= door.patience => {
                let why = why.unwrap_or_else(|| door.lang.say(&text!("cli-rows-comparing")));
                return Err(Failure::UnderWay(text!("cli-under-way", why = why)));
            }
            _ => tokio::time::sleep(GLANCE.min(door.patience.saturating_sub(begun.elapsed()))).await,
        }
    }
}

/// Returns the progress, `since` the request was made: a result from before that says nothing.
fn far(seen: &ComparisonJson, what: Awaited, since: Duration) -> Far {
    let newer = |age: Option<u64>| age.is_some_and(|age| u128::from(age) < since.as_millis());
    let waits = seen.running.is_some() || seen.wanted || (what == Awaited::Repair && seen.repairing);
    let failed = seen.failed.clone().filter(|_| newer(seen.failed_age_ms));
    match failed {
        Some(why) if what == Awaited::Repair && !seen.repairing && seen.running.is_none() => Far::Failed(why),
        _ if !waits && newer(seen.age_ms) => Far::Ended,
        failed => Far::UnderWay(failed),
    }
}

/// Returns the result in words. Only rows that were proven equal give the exit code 0.
fn said(name: &str, found: &ComparisonJson, lang: Lang) -> Said {
    let (name, tables) = (crate::complain::plain(name), found.tables);
    let (text, well) = if found.different > 0 {
        (text!("cli-rows-differ", name = name, count = found.different), false)
    } else if found.unproven > 0 {
        let count = tables.saturating_sub(found.unproven);
        (text!("event-rows-equal-of", name = name, count = count, tables = tables, rows = found.rows), false)
    } else {
        (text!("event-rows-equal", name = name, tables = tables, rows = found.rows), true)
    };
    let mut out = format!("{}\n", lang.say(&text));
    for table in &found.left_out {
        let _ = writeln!(
            out,
            "  {}: {}",
            crate::complain::plain(&table.table),
            crate::complain::plain(&table.why)
        );
    }
    Said::of(out, well)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen() -> ComparisonJson {
        ComparisonJson {
            wanted: false,
            repairing: false,
            running: None,
            age_ms: Some(100),
            failed: None,
            failed_age_ms: None,
            tables: 3,
            rows: 7,
            different: 0,
            unproven: 0,
            left_out: Vec::new(),
        }
    }

    const SINCE: Duration = Duration::from_secs(2);

    #[test]
    fn only_what_ended_since_it_was_asked_for_is_its_end() {
        assert_eq!(far(&seen(), Awaited::Verify, SINCE), Far::Ended);
        for still in [
            ComparisonJson { age_ms: Some(2_000), ..seen() },
            ComparisonJson { age_ms: None, ..seen() },
            ComparisonJson { wanted: true, ..seen() },
            ComparisonJson { running: Some(3), ..seen() },
        ] {
            assert_eq!(far(&still, Awaited::Verify, SINCE), Far::UnderWay(None), "{still:?}");
        }
        let repairing = ComparisonJson { repairing: true, ..seen() };
        assert_eq!(far(&repairing, Awaited::Repair, SINCE), Far::UnderWay(None));
    }

    #[test]
    fn a_repair_that_failed_is_at_its_end_and_a_comparison_is_tried_again() {
        let why = "cut off".to_owned();
        let failed = |age| ComparisonJson {
            failed: Some(why.clone()),
            failed_age_ms: Some(age),
            age_ms: Some(9_000),
            ..seen()
        };
        assert_eq!(far(&failed(500), Awaited::Repair, SINCE), Far::Failed(why.clone()));
        assert_eq!(far(&failed(500), Awaited::Verify, SINCE), Far::UnderWay(Some(why.clone())));
        assert_eq!(far(&failed(5_000), Awaited::Repair, SINCE), Far::UnderWay(None), "an older one");
    }

    #[test]
    fn only_rows_that_are_proven_equal_are_well() {
        let code = |found: &ComparisonJson| said("db2", found, Lang::En).code;
        assert_eq!(code(&seen()), 0);
        assert_eq!(code(&ComparisonJson { different: 1, ..seen() }), 1);
        assert_eq!(code(&ComparisonJson { unproven: 1, ..seen() }), 1, "not equal: unproven");
    }
}
