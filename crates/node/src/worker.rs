//! Records which worker of a HAProxy instance is known to run Cordée's own file, for the next start of Cordée.

use std::io;

use cordee_domain::ids::PoolId;

use crate::paths::Home;
use crate::{files, process};

/// Records the worker. Returns `false` if there is no process with that id any more.
pub fn record(home: &Home, proxy: PoolId, worker: u32) -> io::Result<bool> {
    let Some(started) = process::started(worker) else { return Ok(false) };
    let line = format!("{worker} {started}\n");
    files::replace_unflushed(&home.proxy_worker(proxy), &line, 0o600).map(|()| true)
}

/// Returns the worker that an earlier Cordée knew to run its file, if it is still the same process.
pub fn recorded(home: &Home, proxy: PoolId) -> Option<u32> {
    let line = files::plain_text(&home.proxy_worker(proxy)).ok()?;
    let (worker, started) = line.trim().split_once(' ')?;
    let (worker, started): (u32, u64) = (worker.parse().ok()?, started.parse().ok()?);
    (process::started(worker) == Some(started)).then_some(worker)
}
