//! The connection test: this module says what to try, and `node::attempt` tries it.

use cordee_domain::desired::{Desired, Kind, Membership, Server};
use cordee_node::attempt::{self, Goal, TestReport};

use super::Engine;

impl Engine {
    /// Prepares a test of that server.
    pub(super) fn trial(
        &self,
        server: &Server,
        desired: &Desired,
    ) -> impl Future<Output = TestReport> + Send + 'static + use<> {
        let others = desired.members().filter(|s| s.id != server.id && !s.stopped());
        let pool = server.pool();
        let goal = Goal {
            name: server.name.clone(),
            id: server.id,
            host: server.host.clone(),
            port: server.port,
            member: server.as_database().is_some_and(|base| *base.membership == Membership::Member),
            password: self.parts.machine.secrets.app.clone(),
            writes: server.as_database().is_some_and(|base| desired.takes_writes(base)),
            session: desired.session,
            own: self.database(&server.name),
            peers: match server.kind {
                Kind::Database(_) => others.map(|s| (s.name.clone(), s.id, self.database(&s.name))).collect(),
                Kind::Web(_) => Vec::new(),
            },
        };
        async move { attempt::test(pool, &goal).await }
    }
}
