//! The experiments, one function each: visitors request the probe page of the lab's cluster, and their answers are
//! counted.

use std::time::{Duration, Instant};

use cordee_domain::haproxy::setting::COOKIE;
use cordee_domain::text;
use cordee_domain::text::Text;
use cordee_domain::trial::{Experiment, Measure, Way};
use cordee_node::trial::UNLOCKED_TABLE;
use cordee_node::visitor::{Answer, Visitor};
use futures_util::future::join_all;
use serde::Deserialize;
use tokio::time::sleep;

use super::sandbox::Sandbox;

/// The table of the session handler with a lock.
const LOCKED_TABLE: &str = "php_sessions";
/// By how many seconds two writers apply each other's writes late, so that a conflict is certain.
pub(super) const APART: u32 = 2;

/// The number of requests of one visitor, and below it of visitors of one server.
const REQUESTS: u32 = 100;
const PEOPLE: u32 = 50;
/// The server that is killed; the cluster's first server always has this name.
const TARGET: &str = "web1";
/// The number of simultaneous requests of one session, and below it of repetitions.
const AT_ONCE: u32 = 8;
const ROUNDS: u32 = 5;
/// How often a log-out is tried if other requests decide which server it reaches.
const TURNS: u32 = 4;
/// The number of requests whose times are measured.
const TIMED: u32 = 200;
/// How long requests are counted.
const COUNTED_FOR: Duration = Duration::from_secs(3);

/// The answer of the probe page.
#[derive(Debug, Deserialize)]
struct Said {
    /// The user who is signed in.
    user: Option<String>,
    /// The value of the counter.
    count: u32,
    /// The keys that were set.
    keys: Vec<String>,
    /// The value that was stored.
    value: Option<u32>,
}

fn said(answer: &Answer) -> Option<Said> {
    if answer.status == 200 { serde_json::from_slice(&answer.body).ok() } else { None }
}

/// One way to keep sessions, on the lab's cluster.
#[derive(Debug)]
pub(super) struct Setup<'a> {
    pub(super) sandbox: &'a Sandbox,
    pub(super) way: Way,
}

impl Setup<'_> {
    /// Measures one cell. A failure gives its reason.
    pub(super) async fn measure(&self, experiment: Experiment) -> Measure {
        let measured = match experiment {
            Experiment::LoginAcross => self.login_across().await,
            Experiment::StaleRead => self.stale_read().await,
            Experiment::LostUpdates => self.lost_updates().await,
            Experiment::DifferentKeys => self.different_keys().await,
            Experiment::LogoutFinal => self.logout_final().await,
            Experiment::ServerDeath => self.server_death().await,
            Experiment::Latency => self.latency().await,
            Experiment::Throughput => self.throughput().await,
            Experiment::Copies => self.copies().await,
        };
        measured.unwrap_or_else(|why| Measure::Failed { why })
    }

    fn visitor(&self) -> Visitor {
        Visitor::new(self.sandbox.site, if self.way.is_sticky() { "" } else { COOKIE })
    }

    /// Returns the probe's address for one operation.
    fn path(&self, act: &str) -> String {
        let (store, base) = match self.way {
            Way::FilesAnywhere | Way::FilesSticky => ("files", "writer"),
            Way::Locked => ("locked", "writer"),
            Way::Unlocked => ("unlocked", "writer"),
            Way::TwoWriters => ("locked", "all"),
        };
        format!("/probe.php?store={store}&base={base}&op={act}")
    }

    async fn who(&self, visitor: &mut Visitor) -> Option<String> {
        said(&visitor.get(&self.path("who")).await.ok()?)?.user
    }

    /// Returns a visitor who has just signed in, and the user's name.
    async fn signed_in(&self) -> Result<(Visitor, String), Text> {
        let mut visitor = self.visitor();
        let answer = visitor.post(&self.path("login")).await.map_err(|_| text!("trial-no-login"))?;
        let user = said(&answer).and_then(|s| s.user).ok_or_else(|| text!("trial-no-login"))?;
        Ok((visitor, user))
    }

    /// Does the same, and with two writers waits until both databases have the session: the conflict must concern
    /// the session's data, not its creation.
    async fn settled(&self) -> Result<(Visitor, String), Text> {
        let (visitor, user) = self.signed_in().await?;
        if self.way == Way::TwoWriters {
            let deadline = Instant::now() + Duration::from_secs(u64::from(APART) + 8);
            let mut known = 0;
            while known < 4 {
                if Instant::now() > deadline {
                    return Err(text!("trial-not-copied"));
                }
                let same = self.who(&mut visitor.fixed()).await.as_ref() == Some(&user);
                known = if same { known + 1 } else { 0 };
                sleep(Duration::from_millis(20)).await;
            }
        }
        Ok((visitor.fixed(), user))
    }

    async fn login_across(&self) -> Result<Measure, Text> {
        let (mut visitor, user) = self.signed_in().await?;
        let mut kept = 0;
        for _ in 0..REQUESTS {
            kept += u32::from(self.who(&mut visitor).await.as_ref() == Some(&user));
        }
        Ok(Measure::Kept { kept, of: REQUESTS })
    }

    async fn stale_read(&self) -> Result<Measure, Text> {
        let (mut visitor, _) = self.settled().await?;
        let (mut stale, mut of) = (0, 0);
        for value in 1..=REQUESTS {
            let put = visitor.post(&format!("{}&value={value}", self.path("put"))).await;
            // A value that was not acknowledged need not be read back.
            if put.is_ok_and(|answer| said(&answer).is_some()) {
                let read = visitor.get(&self.path("who")).await.ok().and_then(|answer| said(&answer));
                of += 1;
                stale += u32::from(read.and_then(|s| s.value) != Some(value));
            }
        }
        Ok(Measure::Stale { stale, of })
    }

    async fn lost_updates(&self) -> Result<Measure, Text> {
        let (visitor, _) = self.settled().await?;
        let path = format!("{}&ms=20", self.path("add"));
        let client = |mut visitor: Visitor| {
            let path = &path;
            async move {
                let mut acknowledged = 0;
                for _ in 0..ROUNDS {
                    let answer = visitor.post(path).await;
                    acknowledged += u32::from(answer.is_ok_and(|a| said(&a).is_some()));
                }
                acknowledged
            }
        };
        let acknowledged = join_all((0..AT_ONCE).map(|_| client(visitor.clone()))).await.into_iter().sum();
        let last = visitor.clone().get(&self.path("who")).await.ok().and_then(|a| said(&a));
        let counted = last.map(|s| s.count).ok_or_else(|| text!("trial-no-answer"))?;
        Ok(Measure::Updates { acknowledged, counted })
    }

    async fn different_keys(&self) -> Result<Measure, Text> {
        let (visitor, _) = self.settled().await?;
        let (mut kept, mut of) = (0, 0);
        for round in 0..ROUNDS {
            let keys = [("cart", 60), ("name", 120)].map(|(key, ms)| (format!("{key}{round}"), ms));
            let set = |(key, ms): &(String, u32)| {
                let (mut window, path) = (visitor.clone(), format!("{}&key={key}&ms={ms}", self.path("set")));
                async move { window.post(&path).await.is_ok_and(|a| said(&a).is_some()) }
            };
            let done = join_all(keys.iter().map(set)).await;
            let there = visitor.clone().get(&self.path("who")).await.ok().and_then(|a| said(&a));
            let there = there.map(|s| s.keys).unwrap_or_default();
            for (_, (key, _)) in done.iter().zip(&keys).filter(|(done, _)| **done) {
                of += 1;
                kept += u32::from(there.contains(key));
            }
        }
        Ok(Measure::Kept { kept, of })
    }

    async fn logout_final(&self) -> Result<Measure, Text> {
        // With two writers the first conflict may stop the channels: one round is enough.
        let rounds = if self.way == Way::TwoWriters { 1 } else { ROUNDS };
        // If the servers take turns, other requests decide which server the log-out reaches; Cordée itself asks
        // every second.
        let tries = if self.way == Way::FilesAnywhere { TURNS } else { 1 };
        let (mut returned, mut of) = (0, 0);
        for round in 0..rounds {
            let (mut counts, mut back) = (false, false);
            for turn in 0..tries {
                if let Some(came) = self.log_out((round + turn) % 2).await? {
                    (counts, back) = (true, back || came);
                }
                if back {
                    break;
                }
            }
            of += u32::from(counts);
            returned += u32::from(back);
        }
        Ok(Measure::Returned { returned, of })
    }

    /// Logs a visitor out while another request is under way, after `before` other requests. Returns whether the
    /// session exists afterwards; `None` if the log-out was not answered.
    async fn log_out(&self, before: u32) -> Result<Option<bool>, Text> {
        let (visitor, _) = self.settled().await?;
        // One more request makes the log-out reach the other server.
        for _ in 0..before {
            self.who(&mut visitor.clone()).await;
        }
        let (mut slow, mut leaving) = (visitor.clone(), visitor.clone());
        let work = format!("{}&ms=500", self.path("add"));
        let leave = async {
            // By then the other request has reached its server, even on a busy machine.
            sleep(Duration::from_millis(250)).await;
            leaving.post(&self.path("logout")).await.is_ok_and(|a| said(&a).is_some())
        };
        let (_, left) = tokio::join!(slow.post(&work), leave);
        if !left {
            return Ok(None);
        }
        let mut back = false;
        // Each server and each database is asked more than once.
        for _ in 0..4 {
            back |= self.who(&mut visitor.clone()).await.is_some();
        }
        Ok(Some(back))
    }

    async fn server_death(&self) -> Result<Measure, Text> {
        let mut people = Vec::new();
        for _ in 0..PEOPLE {
            people.push(self.signed_in().await?);
        }
        self.sandbox.kill(TARGET).await?;
        let (mut kept, mut failed, mut longest) = (0, 0, Duration::ZERO);
        for (visitor, user) in &mut people {
            match visitor.get(&self.path("who")).await {
                Ok(answer) => {
                    longest = longest.max(answer.took);
                    failed += u32::from(answer.status != 200);
                    kept += u32::from(said(&answer).and_then(|s| s.user).as_ref() == Some(user));
                }
                Err(_) => failed += 1,
            }
        }
        self.sandbox.revive(TARGET).await?;
        let longest_ms = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX);
        Ok(Measure::Survived { kept, of: PEOPLE, failed, longest_ms })
    }

    async fn latency(&self) -> Result<Measure, Text> {
        let (mut visitor, _) = self.signed_in().await?;
        let (mut with, mut without) = (Vec::new(), Vec::new());
        // The two operations alternate, so that a busy moment affects both.
        for _ in 0..TIMED {
            for (act, times) in [("work", &mut with), ("none", &mut without)] {
                let answer = visitor.post(&self.path(act)).await;
                if let Some(answer) = answer.ok().filter(|a| a.status == 200) {
                    times.push(u64::try_from(answer.took.as_micros()).unwrap_or(u64::MAX));
                }
            }
        }
        let median = percentile(&mut with, 50).ok_or_else(|| text!("trial-no-answer"))?;
        let high = percentile(&mut with, 99).unwrap_or(median);
        let without = percentile(&mut without, 50).ok_or_else(|| text!("trial-no-answer"))?;
        Ok(Measure::Times { median, high, without })
    }

    async fn throughput(&self) -> Result<Measure, Text> {
        let mut people = Vec::new();
        for _ in 0..AT_ONCE {
            people.push(self.signed_in().await?.0);
        }
        let begun = Instant::now();
        let client = |mut visitor: Visitor| async move {
            let mut requests = 0_u64;
            while begun.elapsed() < COUNTED_FOR {
                let answer = visitor.post(&self.path("work")).await;
                requests += u64::from(answer.is_ok_and(|a| a.status == 200));
            }
            requests
        };
        let requests = join_all(people.into_iter().map(client)).await.into_iter().sum();
        let millis = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(Measure::Rate { requests, millis })
    }

    async fn copies(&self) -> Result<Measure, Text> {
        let table = if self.way == Way::Unlocked { UNLOCKED_TABLE } else { LOCKED_TABLE };
        let (running, different) = self.sandbox.copies(table).await?;
        Ok(Measure::Copies { running, different })
    }
}

/// Returns the value at that percentile (nearest rank).
fn percentile(times: &mut [u64], of_hundred: usize) -> Option<u64> {
    times.sort_unstable();
    let rank = (times.len() * of_hundred).div_ceil(100);
    times.get(rank.checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::percentile;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        assert_eq!(percentile(&mut [], 50), None);
        assert_eq!(percentile(&mut [7], 99), Some(7));
        let mut hundred: Vec<u64> = (1..=100).rev().collect();
        assert_eq!(percentile(&mut hundred, 50), Some(50));
        assert_eq!(percentile(&mut hundred, 99), Some(99));
    }
}
