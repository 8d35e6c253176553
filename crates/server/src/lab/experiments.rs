//! The experiments, each as one function: visitors ask the probe page of the lab's cluster, and what they get is
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

/// The handler's table.
const LOCKED_TABLE: &str = "php_sessions";
/// Seconds for which two writers are held apart, so that a conflict is certain.
pub(super) const APART: u32 = 2;

/// Requests of one visitor, and visitors of one server.
const REQUESTS: u32 = 100;
const PEOPLE: u32 = 50;
/// The server that dies; the cluster's first has always this name.
const TARGET: &str = "web1";
/// Requests of one session at once, and how often.
const AT_ONCE: u32 = 8;
const ROUNDS: u32 = 5;
/// How often a log-out is tried where it may have reached the server that it had to.
const TURNS: u32 = 4;
/// Requests whose times are taken.
const TIMED: u32 = 200;
/// How long requests are counted.
const COUNTED_FOR: Duration = Duration::from_secs(3);

/// What the probe page says.
#[derive(Debug, Deserialize)]
struct Said {
    /// Who is signed in.
    user: Option<String>,
    /// The counter.
    count: u32,
    /// The keys that were set.
    keys: Vec<String>,
    /// The value that was put.
    value: Option<u32>,
}

fn said(answer: &Answer) -> Option<Said> {
    if answer.status == 200 { serde_json::from_slice(&answer.body).ok() } else { None }
}

/// One way, on the lab's cluster.
#[derive(Debug)]
pub(super) struct Setup<'a> {
    pub(super) sandbox: &'a Sandbox,
    pub(super) way: Way,
}

impl Setup<'_> {
    /// Measures one cell. What cannot be measured says why.
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

    /// The probe's address for one act.
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

    /// A visitor who has just signed in, and as whom.
    async fn signed_in(&self) -> Result<(Visitor, String), Text> {
        let mut visitor = self.visitor();
        let answer = visitor.post(&self.path("login")).await.map_err(|_| text!("trial-no-login"))?;
        let user = said(&answer).and_then(|s| s.user).ok_or_else(|| text!("trial-no-login"))?;
        Ok((visitor, user))
    }

    /// The same, known to both databases where there are two: the conflict is to be about the session, not about
    /// its birth.
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
            // What was not acknowledged need not be read.
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
        // With two writers the first conflict may stand the links still: one is enough.
        let rounds = if self.way == Way::TwoWriters { 1 } else { ROUNDS };
        // Where each server has its turn, whoever else asks decides which one the log-out reaches; Cordée does, each
        // second.
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

    /// A visitor logs out while a request is under way, after so many other requests; whether the session is there
    /// afterwards. `None`: the log-out was not answered.
    async fn log_out(&self, before: u32) -> Result<Option<bool>, Text> {
        let (visitor, _) = self.settled().await?;
        // One request more, so that the log-out reaches now this server, now the other.
        for _ in 0..before {
            self.who(&mut visitor.clone()).await;
        }
        let (mut slow, mut leaving) = (visitor.clone(), visitor.clone());
        let work = format!("{}&ms=500", self.path("add"));
        let leave = async {
            // By then the other one has reached its server, on a busy machine too.
            sleep(Duration::from_millis(250)).await;
            leaving.post(&self.path("logout")).await.is_ok_and(|a| said(&a).is_some())
        };
        let (_, left) = tokio::join!(slow.post(&work), leave);
        if !left {
            return Ok(None);
        }
        let mut back = false;
        // Each server, and each database, is asked more than once.
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
        // In turn, so that a busy moment touches both.
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

/// The value below which that many of a hundred lie (nearest rank).
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
