//! Processes that are frozen, and processes that a dead leader left behind.

use std::collections::BTreeMap;
use std::io;

use cordee_domain::haproxy::stats::CheckState;
use cordee_domain::ids::{PoolId, ProcessId, ServerName};
use cordee_domain::observed::ProxySeen;

use crate::process::{self, Found};

/// Returns the frozen processes that do a leader's work: the worker of a HAProxy instance, without which the
/// instance answers nothing although its master is well; and the children of an Apache. The children are many, so
/// they are looked at only if the leader is frozen or HAProxy's checks fail.
pub fn standing_still(
    id: &ProcessId,
    leader: u32,
    frozen: bool,
    proxies: &BTreeMap<PoolId, ProxySeen>,
) -> io::Result<Vec<u32>> {
    let workers = match id {
        ProcessId::Proxy(proxy) => match proxies.get(proxy).and_then(|p| p.worker.or(p.recorded)) {
            Some(worker) => vec![worker],
            None => process::children(leader)?,
        },
        ProcessId::Web(name) if frozen || fails(name, proxies) => process::children(leader)?,
        // The work is done by the leader's threads.
        ProcessId::Web(_) | ProcessId::Database(_) => Vec::new(),
    };
    let mut still = Vec::new();
    for pid in workers {
        // A recorded pid may belong to another process by now.
        if process::state(pid)?.is_some_and(|s| s.frozen && s.group == leader) {
            still.push(pid);
        }
    }
    Ok(still)
}

/// Reports whether HAProxy's checks of a web server fail.
fn fails(name: &ServerName, proxies: &BTreeMap<PoolId, ProxySeen>) -> bool {
    let running = proxies.get(&PoolId::Web).and_then(|p| p.running.value());
    let seen = running.and_then(|r| r.servers.get(name)).filter(|s| !s.maintenance);
    seen.is_some_and(|s| matches!(s.verdict, CheckState::Down | CheckState::Failing))
}

/// Returns the members of a group whose leader is gone. While the leader lives, they are its own concern.
pub fn orphans(found: &[Found], id: &ProcessId) -> Vec<u32> {
    process::by_id(found)
        .get(id)
        .filter(|members| !members.iter().any(|p| p.pid == p.group))
        .map(|members| members.iter().map(|p| p.pid).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt as _;
    use std::process::{Child, Command, Stdio};
    use std::time::{Duration, Instant};

    use rustix::process::Signal;

    use super::*;

    /// A parent that leads a process group, and its child.
    struct Family(Child, u32);

    impl Family {
        fn new() -> Self {
            let mut command = Command::new("/usr/bin/timeout");
            command.args(["60", "/usr/bin/sleep", "60"]).stdout(Stdio::null()).process_group(0);
            let parent = command.spawn().unwrap();
            let pid = parent.id();
            let child = until(|| process::children(pid).unwrap().first().copied());
            Self(parent, child)
        }
    }

    impl Drop for Family {
        fn drop(&mut self) {
            let _ = process::signal_group(self.0.id(), Signal::KILL);
            let _ = self.0.wait();
        }
    }

    fn until<T>(look: impl Fn() -> Option<T>) -> T {
        let deadline = Instant::now() + Duration::from_secs(10);
        while Instant::now() < deadline {
            if let Some(found) = look() {
                return found;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("not within ten seconds");
    }

    #[test]
    fn who_does_the_work_and_stands_still_is_found() {
        let (family, other) = (Family::new(), Family::new());
        let (parent, child) = (family.0.id(), family.1);
        for frozen in [child, other.1] {
            process::signal(frozen, Signal::STOP).unwrap();
            until(|| process::state(frozen).unwrap().filter(|s| s.frozen));
        }
        let proxy = ProcessId::Proxy(PoolId::Web);
        let told = |worker, recorded| {
            let seen = ProxySeen { worker, recorded, ..ProxySeen::default() };
            standing_still(&proxy, parent, false, &BTreeMap::from([(PoolId::Web, seen)])).unwrap()
        };
        assert_eq!(told(Some(child), None), [child], "the worker that answered last");
        assert_eq!(told(None, None), [child], "one that never answered");
        assert_eq!(told(None, Some(other.1)), [0; 0], "a number that is somebody else's by now");
        let server = |frozen| {
            let id = ProcessId::Web(ServerName::parse("web1").unwrap());
            standing_still(&id, parent, frozen, &BTreeMap::new()).unwrap()
        };
        assert_eq!(server(true), [child], "with its parent");
        assert_eq!(server(false), [0; 0], "nothing is amiss: nobody looks");
        process::signal(child, Signal::CONT).unwrap();
        until(|| process::state(child).unwrap().filter(|s| !s.frozen));
        assert_eq!(told(Some(child), None), [0; 0]);
    }
}
