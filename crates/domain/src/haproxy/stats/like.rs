//! Whether two observations of a HAProxy instance lead to the same decisions.

use super::{Check, Running, RunningServer};

impl Running {
    /// Whether this observation leads to the same decisions as the earlier one: only time has passed, and visitors
    /// have come and gone.
    pub fn is_like(&self, earlier: &Self) -> bool {
        // The destructuring makes the compiler refuse a new field that is not considered here.
        let Self {
            pid,
            shape,
            version,
            mode,
            frontends,
            limits,
            waits,
            servers,
            uptime_s: _,
            rate: _,
            sessions: _,
            requests: _,
            unsent: _,
        } = self;
        (pid, shape, version, mode) == (&earlier.pid, &earlier.shape, &earlier.version, &earlier.mode)
            && (frontends, limits, waits) == (&earlier.frontends, &earlier.limits, &earlier.waits)
            && servers.len() == earlier.servers.len()
            && servers
                .iter()
                .zip(&earlier.servers)
                .all(|((name, server), (was_name, was))| name == was_name && server.is_like(was))
    }
}

impl RunningServer {
    fn is_like(&self, earlier: &Self) -> bool {
        let Self {
            id,
            ip,
            port,
            maintenance,
            writer_maintenance,
            drain,
            weight,
            most,
            checked,
            checked_elsewhere,
            verdict,
            sessions,
            total: _,
            cookie,
            since_s,
            check,
            uniform,
        } = self;
        // The number of sessions matters where Cordée waits for their end, and the time where the server drains.
        let counted = (*maintenance || *drain).then_some(*sessions);
        let since = drain.then_some(*since_s);
        let Check { code, status, duration_ms: _, detail, health, goal } = check;
        let was = &earlier.check;
        (id, ip, port) == (&earlier.id, &earlier.ip, &earlier.port)
            && (maintenance, writer_maintenance) == (&earlier.maintenance, &earlier.writer_maintenance)
            && (drain, weight, most) == (&earlier.drain, &earlier.weight, &earlier.most)
            && (checked, checked_elsewhere) == (&earlier.checked, &earlier.checked_elsewhere)
            && (verdict, cookie, uniform) == (&earlier.verdict, &earlier.cookie, &earlier.uniform)
            && counted == (earlier.maintenance || earlier.drain).then_some(earlier.sessions)
            && since == earlier.drain.then_some(earlier.since_s)
            && (code, status, detail, health, goal)
                == (&was.code, &was.status, &was.detail, &was.health, &was.goal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::PoolId;
    use crate::observed::Observed;
    use crate::plan::tests::{first, settle};
    use crate::sim::World;

    /// Returns what HAProxy `web` reports once the cluster is settled.
    fn settled() -> Running {
        let (mut desired, mut world, mut memory) = (first(), World::at(1_000_000), Observed::default());
        settle(&mut desired, &mut world, &mut memory);
        memory.proxy(PoolId::Web).running.value().expect("it runs").clone()
    }

    fn altered(alter: impl Fn(&mut Running)) -> bool {
        let earlier = settled();
        let mut later = earlier.clone();
        alter(&mut later);
        assert_ne!(later, earlier, "nothing was altered");
        later.is_like(&earlier)
    }

    fn server(alter: impl Fn(&mut RunningServer)) -> bool {
        altered(|running| alter(running.servers.values_mut().next().expect("one")))
    }

    #[test]
    fn time_and_visitors_are_no_reason_to_plan() {
        assert!(altered(|r| (r.uptime_s, r.rate, r.sessions, r.requests, r.unsent) = (9, 9, 9, 9, 9)));
        assert!(server(|s| (s.sessions, s.total, s.since_s) = (9, 9, 9)));
        assert!(server(|s| s.check.duration_ms = Some(99)));
    }

    #[test]
    fn all_else_is() {
        assert!(!altered(|r| r.pid += 1) && !altered(|r| r.shape = None) && !altered(|r| r.waits = !r.waits));
        assert!(!altered(|r| r.version.push('x')) && !altered(|r| r.limits.most += 1));
        assert!(!altered(|r| r.mode = r.mode.map(crate::sessions::Mode::other)));
        assert!(!altered(|r| drop(r.servers.pop_first())) && !altered(|r| drop(r.frontends.pop_first())));
        let changes: [fn(&mut RunningServer); 16] = [
            |s| s.id += 1,
            |s| s.ip = None,
            |s| s.port += 1,
            |s| s.maintenance = !s.maintenance,
            |s| s.writer_maintenance = !s.writer_maintenance,
            |s| s.drain = !s.drain,
            |s| s.weight += 1,
            |s| s.most += 1,
            |s| s.checked = !s.checked,
            |s| s.checked_elsewhere = !s.checked_elsewhere,
            |s| s.verdict = super::super::CheckState::Failing,
            |s| s.cookie.push('x'),
            |s| s.uniform = !s.uniform,
            |s| s.check.code.push('x'),
            |s| (s.check.status, s.check.health, s.check.goal) = (Some(418), 7, 9),
            |s| s.check.detail.push('x'),
        ];
        for (n, change) in changes.into_iter().enumerate() {
            assert!(!server(change), "{n}");
        }
    }

    #[test]
    fn connections_and_seconds_are_where_they_are_waited_for() {
        let out = |alter: fn(&mut RunningServer), drain: bool| {
            let mut earlier = settled();
            let first = |r: &mut Running, alter: &dyn Fn(&mut RunningServer)| {
                alter(r.servers.values_mut().next().expect("one"));
            };
            first(&mut earlier, &|s| (s.maintenance, s.drain) = (!drain, drain));
            let mut later = earlier.clone();
            first(&mut later, &alter);
            later.is_like(&earlier)
        };
        assert!(!out(|s| s.sessions += 1, false), "it is deleted once nobody is there");
        assert!(!out(|s| s.sessions += 1, true) && !out(|s| s.since_s += 1, true));
        assert!(out(|s| s.since_s += 1, false));
    }
}
