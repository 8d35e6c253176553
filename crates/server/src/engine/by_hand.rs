//! What somebody wrote into HAProxy's file: kept before it is overwritten, and shown beside the wish.

use std::io::{self, Read as _};
use std::path::PathBuf;

use cordee_domain::fault::Fault;
use cordee_domain::haproxy::config::untouched;
use cordee_domain::haproxy::drift::{self, FileView};
use cordee_domain::ids::{Millis, PoolId};
use cordee_domain::text;
use cordee_domain::text::Thing;
use cordee_node::clock::now;
use cordee_node::paths::Home;
use cordee_node::{files, process};
use tokio::sync::oneshot;

use super::act::io;
use super::{Engine, Parts};

/// A file above this many bytes is not HAProxy's; its beginning is kept.
const MOST_BYTES: u64 = 1 << 20;
/// How many are kept: a program that writes there again and again must not fill the disk.
const MOST_FILES: usize = 10;

/// Keeps the file that is about to be replaced, when it is not as Cordée wrote it, and says so in the journal.
pub(super) fn keep(parts: &Parts, proxy: PoolId) -> Result<(), Fault> {
    let config = parts.home.proxy_config(proxy);
    let other = std::fs::symlink_metadata(&config).is_ok_and(|meta| !meta.is_file());
    if other {
        // A link, a pipe, a folder: kept as it is, and never opened.
        let path = parts.home.trash().join(format!("{}{}", prefix(proxy), now()));
        std::fs::rename(&config, &path).map_err(|e| io(&e))?;
        tell(parts, proxy, &path);
        return Ok(());
    }
    let text = match read(&config) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(io(&error)),
    };
    if untouched(&text) {
        return Ok(());
    }
    let path = parts.home.trash().join(format!("{}{}", prefix(proxy), now()));
    files::write(&path, &text, 0o600, None).map_err(|e| io(&e))?;
    let kept = kept(&parts.home, proxy);
    for (_, old) in kept.iter().rev().skip(MOST_FILES) {
        process::remove_file(old).map_err(|e| io(&e))?;
    }
    tell(parts, proxy, &path);
    Ok(())
}

/// The journal has it before the file is replaced.
fn tell(parts: &Parts, proxy: PoolId, path: &std::path::Path) {
    let file = relative(&parts.home, path);
    let text = text!("config-overwritten", proxy = Thing::Proxy(proxy), file = file);
    parts.store.tell(&format!("haproxy-{proxy}"), None, &text);
    parts.store.write_down();
}

fn read(path: &std::path::Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    files::plain(path)?.take(MOST_BYTES).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// How the name begins under which a file that was changed by hand is kept.
pub(super) fn prefix(proxy: PoolId) -> String {
    format!("{proxy}.cfg-by-hand-")
}

fn relative(home: &Home, path: &std::path::Path) -> String {
    path.strip_prefix(&home.root).unwrap_or(path).to_string_lossy().into_owned()
}

/// The files kept of one proxy, by time.
fn kept(home: &Home, proxy: PoolId) -> Vec<(Millis, PathBuf)> {
    let prefix = prefix(proxy);
    let mut all: Vec<(Millis, PathBuf)> = std::fs::read_dir(home.trash())
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let at = entry.file_name().to_str()?.strip_prefix(&prefix)?.parse().ok()?;
            Some((at, entry.path()))
        })
        .collect();
    all.sort();
    all
}

impl Engine {
    /// Compares the file as wished with the one on disk and with the process.
    pub(super) fn config(&mut self, proxy: PoolId, reply: oneshot::Sender<Box<FileView>>) {
        let (parts, observed) = (self.parts.clone(), self.observed.clone());
        self.work.spawn_blocking(move || {
            let last = kept(&parts.home, proxy).pop().and_then(|(at, path)| {
                let text = read(&path).ok()?;
                Some((at, relative(&parts.home, &path), text))
            });
            let desired = parts.board.desired();
            let view = drift::view(&desired, &observed, &parts.setting, proxy, last, now());
            // A reader who has gone needs nothing.
            let _ = reply.send(Box::new(view));
        });
    }
}
