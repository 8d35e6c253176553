//! One `cordee serve` that dies at a named step, once.

use std::fs::File;
use std::process::{Child, Stdio};
use std::time::Duration;

use crate::cluster::Cluster;
use crate::wait;

/// `cordee serve` answers by then.
const ANSWERS: Duration = Duration::from_secs(20);

/// A `cordee serve` without a keeper. Dropped, it is ended.
#[derive(Debug)]
pub struct Mortal {
    child: Child,
}

impl Mortal {
    /// Kills Cordée with its keeper and starts one `serve` that dies at `failpoint`, for example `before:SetChannel`.
    #[track_caller]
    pub fn start(cluster: &Cluster, failpoint: &str) -> Self {
        cluster.kill_cordee();
        let log = cluster.home().join("e2e").join("mortal.log");
        std::fs::create_dir_all(cluster.home().join("e2e")).expect("folder");
        let output = File::options().create(true).append(true).open(&log).expect("log");
        let child = cluster
            .command(&["serve"])
            .env("CORDEE_FAILPOINT", failpoint)
            .stdin(Stdio::null())
            .stdout(output.try_clone().expect("log"))
            .stderr(output)
            .spawn()
            .expect("cordee serve");
        let mut mortal = Self { child };
        wait::until(&format!("serve with {failpoint} answers"), ANSWERS, || {
            let alive = mortal.alive();
            assert!(
                alive,
                "it died of {failpoint} before it was asked anything; its log ends with {:?}",
                std::fs::read_to_string(&log).unwrap_or_default().lines().next_back()
            );
            cluster.api().try_snapshot().map(drop)
        });
        mortal
    }

    /// Whether it lives.
    pub fn alive(&mut self) -> bool {
        self.child.try_wait().expect("wait").is_none()
    }

    /// Ends it, if it still lives, and waits until its port is free.
    #[track_caller]
    pub fn end(self, cluster: &Cluster) {
        drop(self);
        wait::until_true("nobody listens for the page", ANSWERS, || cluster.serve().is_none());
    }

    /// Waits until it has died of its failpoint; `false` when `done` becomes true before.
    #[track_caller]
    pub fn wait_for_death(&mut self, bound: Duration, done: impl Fn() -> bool) -> bool {
        let mut died = false;
        wait::until_true("serve dies of its failpoint, or what it was asked for is done", bound, || {
            died = !self.alive();
            died || done()
        });
        died
    }
}

impl Drop for Mortal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
