//! Thirty web servers: two of a cluster's own, and the others somebody else's.

use std::time::Duration;

use serde_json::json;

use crate::cluster::Cluster;
use crate::visitors::{Manner, Stranger, closed_port};
use crate::wait;

/// Of thirty web servers two are Cordée's own, and two do not answer.
const GOOD: usize = 26;
const DEAD: usize = 2;
/// They are taken away by then.
const GONE: Duration = Duration::from_secs(30);
/// They are checked, and shown as found, by then.
const CHECKED: Duration = Duration::from_secs(20);

/// Twenty-eight web servers more, of somebody else's; taken away when dropped.
#[derive(Debug)]
pub struct Crowd<'a> {
    cluster: &'a Cluster,
    /// What they are called.
    pub names: Vec<String>,
    strangers: Vec<Stranger>,
}

impl<'a> Crowd<'a> {
    /// Adds them, and waits until each is shown as it is.
    #[track_caller]
    pub fn gather(cluster: &'a Cluster) -> Self {
        let strangers: Vec<Stranger> = (0..GOOD).map(|_| Stranger::new(Manner::Good("far"))).collect();
        let ports = strangers.iter().map(Stranger::port).chain((0..DEAD).map(|_| closed_port()));
        let mut crowd = Self { cluster, names: Vec::new(), strangers: Vec::new() };
        let api = cluster.api();
        wait::until("those of the case before are gone", GONE, || {
            let left = api.try_snapshot()?.servers.into_iter().map(|s| s.name);
            match left.filter(|name| name.starts_with("far")).collect::<Vec<_>>() {
                left if left.is_empty() => Ok(()),
                left => Err(format!("{left:?}")),
            }
        });
        for (number, port) in ports.enumerate() {
            let name = format!("far{}", number + 1);
            let body = json!({ "name": name, "address": "127.0.0.1", "port": port });
            let reply = api.post("/v1/pools/web/servers", &body);
            assert!(reply.ok(), "{name}: {reply:?}");
            crowd.names.push(name);
        }
        crowd.strangers = strangers;
        for (number, name) in crowd.names.iter().enumerate() {
            let severity = if number < GOOD { "good" } else { "critical" };
            api.wait_for_severity(name, severity, CHECKED);
        }
        crowd
    }
}

impl Drop for Crowd<'_> {
    fn drop(&mut self) {
        let api = self.cluster.api();
        for name in &self.names {
            let _ = api.call("DELETE", &format!("/v1/pools/web/servers/{name}"), None);
        }
        drop(std::mem::take(&mut self.strangers));
    }
}
