//! Acts on one server.

use std::time::Duration;

use cordee_domain::change::Request;
use cordee_domain::desired::{Server, another};
use cordee_domain::ids::{PoolId, ServerName};
use cordee_domain::problem::Problem;
use cordee_domain::snapshot::{ServerView, Snapshot};
use cordee_domain::text;
use cordee_domain::untimely::untimely;
use cordee_node::clock::now;
use tokio::time::timeout;

use super::act::{Consent, Given, ServerAct};
use super::guard::{Stake, stake};
use super::{Control, Declined, Done, Who};

/// How long a wish that was just stored may take to appear in the snapshot.
const SEEN: Duration = Duration::from_secs(2);

/// An act on a server, as things are now: everything is read once, so that what has to be confirmed and what is
/// asked for refer to the same moment.
#[derive(Debug)]
pub struct Weighed {
    /// The server, as wished.
    pub server: Server,
    /// The snapshot, with the newest wish applied.
    pub picture: Snapshot,
    /// What the act puts at stake.
    pub stake: Stake,
}

impl Weighed {
    /// The server, as it is seen.
    pub fn view(&self) -> Option<&ServerView> {
        self.picture.servers.iter().find(|s| s.name == self.server.name)
    }
}

impl Control<'_> {
    /// Carries out the act, when everything that it takes was confirmed.
    pub(super) async fn on_server(
        self,
        pool: PoolId,
        name: &ServerName,
        act: ServerAct,
        consent: &Consent,
        who: Who,
    ) -> Result<Done, Declined> {
        let Weighed { server, stake, .. } = self.weigh(pool, name, act, consent.about()).await?;
        let given = stake.accept(&server.name, act, consent).map_err(Declined::Refused)?;
        self.wish(act.request(pool, &server, given, now()), who).await
    }

    /// Returns what the act would take now. An act that would be refused in any case is refused here.
    pub async fn question(
        self,
        pool: PoolId,
        name: &ServerName,
        act: ServerAct,
    ) -> Result<Weighed, Declined> {
        let weighed = self.weigh(pool, name, act, None).await?;
        let request = act.request(pool, &weighed.server, weighed.stake.said(), now());
        self.board.desired().apply(&request).map_err(Declined::Refused)?;
        Ok(weighed)
    }

    async fn weigh(
        self,
        pool: PoolId,
        name: &ServerName,
        act: ServerAct,
        about: Option<u32>,
    ) -> Result<Weighed, Declined> {
        let server = self.find(pool, name)?;
        if let Some(elsewhere) = act.misplaced(pool, &server.name) {
            return Err(Problem::conflict("pool", elsewhere).into());
        }
        // Another server may have come under the name while the operator read.
        if about.is_some_and(|id| id != server.id) {
            return Err(another(&server.name).into());
        }
        self.timely(&act.request(pool, &server, Given::default(), now())).await?;
        let picture = self.board.snapshot_as_wished();
        let stake = stake(&picture, pool, &server.name, act);
        Ok(Weighed { server, picture, stake })
    }

    /// Returns the wished server of that name.
    pub(super) fn find(self, pool: PoolId, name: &ServerName) -> Result<Server, Problem> {
        self.board.desired().pool(pool).server(name).cloned().ok_or_else(|| {
            let text = text!("problem-server-unknown", name = name.as_str());
            Problem::unknown("name", text)
        })
    }

    /// Refuses acts to which only the snapshot can object. A snapshot older than the wish cannot tell.
    async fn timely(self, request: &Request) -> Result<(), Problem> {
        if !matches!(request, Request::Insist { .. } | Request::Withdraw { .. } | Request::Recopy { .. }) {
            return Ok(());
        }
        let desired = self.board.desired();
        let mut pictures = self.board.watch_snapshot();
        let newest = pictures.wait_for(|picture| picture.revision >= desired.revision);
        // Without a newer snapshot the last one has to do.
        let picture = match timeout(SEEN, newest).await {
            Ok(Ok(picture)) => picture.clone(),
            _ => self.board.snapshot(),
        };
        untimely(request, &self.board.desired(), &picture).map_or(Ok(()), Err)
    }
}
