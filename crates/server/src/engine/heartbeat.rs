//! The databases that may do so write a heartbeat of their own every second; how long it takes to arrive on the
//! others is the replication delay. The server's own `Seconds_Behind_Master` says 0 while its master is frozen.

use std::time::{Duration, Instant};

use cordee_domain::ids::ServerName;
use cordee_node::clock::now;
use cordee_node::mysql::Database;
use tokio::sync::mpsc;

use super::doors::connections;
use super::{Engine, Sight, paced};

const PACE: Duration = Duration::from_millis(cordee_domain::figures::HEARTBEAT);

impl Engine {
    /// Starts to write heartbeats.
    pub(super) fn heartbeat(&mut self) {
        let (board, doors, parts, out) =
            (self.parts.board.clone(), self.doors.clone(), self.parts.clone(), self.out.clone());
        let beating = self.beating.subscribe();
        self.work.spawn(async move {
            let mut pace = paced(PACE);
            loop {
                pace.tick().await;
                let desired = board.desired();
                let allowed = beating.borrow().clone();
                let all: Vec<(ServerName, u32, Database)> = desired
                    .db
                    .servers
                    .iter()
                    .filter(|s| !s.stopped())
                    .map(|s| (s.name.clone(), s.id, connections(&doors, &parts, s)))
                    .collect();
                let beats = all.iter().filter(|f| allowed.contains(&f.0)).map(|from| beat(from, &all, &out));
                futures_util::future::join_all(beats).await;
            }
        });
    }
}

/// Time between two short looks at the writer: several of them fit into the time for which a promise counts.
const PULSE: Duration = Duration::from_millis(cordee_domain::figures::PULSE);

impl Engine {
    /// Starts the short looks at the writer.
    pub(super) fn pulse(&mut self) {
        let (board, doors, out) = (self.parts.board.clone(), self.doors.clone(), self.out.clone());
        self.work.spawn(async move {
            let mut pace = paced(PULSE);
            loop {
                pace.tick().await;
                let Some(name) = board.desired().writer.clone() else { continue };
                let Some(database) = doors.known(&name) else { continue };
                let at = now();
                // Why the writer does not answer is reported by the full looks.
                if let Ok(seen) = database.pulse().await {
                    let _ = out.send(Sight::Pulse { name, at, seen }).await;
                }
            }
        });
    }
}

/// Writes one heartbeat of one database, and measures its arrival on each other database.
async fn beat(
    from: &(ServerName, u32, Database),
    all: &[(ServerName, u32, Database)],
    out: &mpsc::Sender<Sight>,
) {
    let started = Instant::now();
    let gtid = from.2.beat(from.1).await;
    let result = gtid.as_ref().map(|_| ()).map_err(Clone::clone);
    let _ = out.send(Sight::Beat { name: from.0.clone(), result }).await;
    let committed = Instant::now();
    let arrivals = all.iter().filter(|on| on.0 != from.0).map(|on| {
        let gtid = &gtid;
        async move {
            let reached = match gtid {
                Ok(gtid) if !gtid.is_empty() => on.2.reaches(gtid).await.unwrap_or(false),
                _ => false,
            };
            let ms = if reached {
                // With semi-sync the ACK arrives before the commit returns: the delay then counts from the start.
                let since = if committed.duration_since(started) > Duration::from_millis(50) {
                    committed
                } else {
                    started
                };
                Some(u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX))
            } else {
                on.2.beat_age(from.1).await.ok().flatten()
            };
            if let Some(ms) = ms {
                let _ = out.send(Sight::Delay { on: on.0.clone(), from: from.0.clone(), ms }).await;
            }
        }
    });
    futures_util::future::join_all(arrivals).await;
}
