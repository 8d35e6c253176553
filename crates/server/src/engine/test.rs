//! The connection test: what is tried is said here, and tried by `node::attempt`.

use cordee_domain::desired::{Desired, Power, Server, Standing};
use cordee_domain::ids::PoolId;
use cordee_node::attempt::{self, Goal, TestReport};

use super::Engine;

impl Engine {
    /// A test of that server, ready to run.
    pub(super) fn trial(
        &self,
        pool: PoolId,
        server: &Server,
        desired: &Desired,
    ) -> impl Future<Output = TestReport> + Send + 'static + use<> {
        let others = desired.members().filter(|s| s.id != server.id && s.power == Power::On);
        let goal = Goal {
            name: server.name.clone(),
            id: server.id,
            host: server.host.clone(),
            port: server.port,
            member: server.standing == Standing::Member,
            password: self.parts.machine.secrets.app.clone(),
            writes: desired.takes_writes(server),
            session: desired.session,
            own: self.database(&server.name),
            peers: match pool {
                PoolId::Db => others.map(|s| (s.name.clone(), s.id, self.database(&s.name))).collect(),
                PoolId::Web => Vec::new(),
            },
        };
        async move { attempt::test(pool, &goal).await }
    }
}
