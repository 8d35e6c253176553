//! The site's own addresses, requested every second: as a visitor, and as an application.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::http::HeaderValue;
use cordee_domain::desired::Desired;
use cordee_domain::door::{Answer, Door};
use cordee_domain::fault::Fault;
use cordee_domain::ids::{Millis, PoolId, ProcessId};
use cordee_domain::text;
use cordee_node::clock::now;
use cordee_node::knock;
use cordee_node::questions::Numbers;
use cordee_node::random;
use tokio::time::{Instant, sleep_until, timeout};

use crate::board::Board;

use super::{Engine, Sight};

/// Time between two requests to one address.
const PACE: Duration = Duration::from_millis(cordee_domain::figures::VISIT);
/// The same after a wrong answer that came at once, to learn soon whether it lasts.
const AGAIN: Duration = Duration::from_millis(cordee_domain::figures::VISIT_AGAIN);
/// Time limit for an answer. Together with `PACE`, an address that does not answer is reported within three
/// seconds.
const PATIENCE: Duration = Duration::from_millis(1_800);
/// How long a request waits for the log receiver to listen. When it does not, the site is requested all the same.
const LISTENING: Duration = Duration::from_secs(2);

impl Engine {
    /// Notes which HAProxy instances run and can be visited, and since when each address should serve.
    pub(super) fn watch_doors(&mut self, desired: &Desired) {
        let there = |p: &PoolId| self.observed.process(&ProcessId::Proxy(*p)).leader.is_some();
        let answering: BTreeSet<PoolId> = PoolId::ALL.into_iter().filter(there).collect();
        self.answering.send_if_modified(|before| std::mem::replace(before, answering) != *before);
        self.observed.expect_doors(desired, now());
    }

    /// Takes in an answer.
    pub(super) fn answered(&mut self, door: Door, asked: Millis, answer: Result<Answer, Fault>) {
        let desired = self.parts.board.desired();
        self.observed.doors.entry(door).or_default().take(&desired, door, (asked, now()), answer);
    }

    /// Starts the requests. Each address has one request at a time; no address waits for another.
    pub(super) fn ask_doors(&mut self) {
        for door in Door::ALL {
            let (board, out) = (self.parts.board.clone(), self.out.clone());
            let (password, mut numbers) =
                (self.parts.machine.secrets.app.clone(), Numbers::after_the_last(&self.parts.machine.home));
            let mut answering = self.answering.subscribe();
            self.work.spawn(async move {
                loop {
                    let there = answering.wait_for(|there| there.contains(&door.proxy())).await.is_ok();
                    if !there {
                        return;
                    }
                    let (begun, asked) = (Instant::now(), now());
                    let answer = match door {
                        Door::Site => visit(&board, &mut numbers).await,
                        _ => knock::as_application(door.address(&board.desired()), &password, PATIENCE).await,
                    };
                    let wrong = !matches!(answer, Ok(Answer::Page | Answer::Landed { .. }));
                    if out.send(Sight::Door { door, asked, answer }).await.is_err() {
                        return;
                    }
                    sleep_until(begun + if wrong { AGAIN } else { PACE }).await;
                }
            });
        }
    }
}

async fn visit(board: &Board, numbers: &mut Numbers) -> Result<Answer, Fault> {
    // Requests that were served while the log receiver did not listen are counted first: this one must not be
    // taken for a visit that was missed.
    let _ = timeout(LISTENING, board.watch_heard().wait_for(|heard| *heard)).await;
    let secret = random::token(16).ok_or_else(|| Fault::Unasked(Box::new(text!("door-no-secret").into())))?;
    let name = board.own_question(numbers.next_number(), &secret);
    let name =
        HeaderValue::try_from(name).map_err(|_| Fault::Unasked(Box::new(text!("door-no-secret").into())))?;
    knock::as_visitor(Door::Site.address(&board.desired()), name, PATIENCE).await
}
