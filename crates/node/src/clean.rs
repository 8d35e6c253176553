//! "Clean configuration": finds files that provably serve nothing any more.
//!
//! No file is offered because it is unknown. Its name must say what it is, its age or a socket that nobody answers
//! must say that it is not in use, and the kernel must say that no process holds it. Everything else stays.

use std::collections::BTreeSet;
use std::io;
use std::os::unix::fs::FileTypeExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use cordee_domain::ids::{PoolId, ServerName};
use cordee_domain::text;
use cordee_domain::text::Text;
use serde::{Deserialize, Serialize};

use crate::by_hand;
use crate::logs::entries;
use crate::paths::{self, Home};
use crate::{files, process};

/// The result of "clean configuration".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cleaning {
    /// What may be removed, or was removed.
    pub items: Vec<Leftover>,
    /// What is not Cordée's, and stays.
    pub foreign: Vec<Leftover>,
}

/// A file or folder that no wish explains.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leftover {
    /// Its path, relative to `CORDEE_HOME`.
    pub path: String,
    /// What it is, and why it may be removed or stays.
    pub why: Text,
    /// Its size.
    pub bytes: u64,
}

/// A draft is renamed within a moment: an older one was left by an operation that did not finish.
const DRAFT_AGE: Duration = Duration::from_secs(60);

/// Returns what may be removed, and what is foreign. With `apply` the former is removed, and only what was removed
/// is returned. `names` are the servers that are wished or still exist.
pub fn clean(home: &Home, names: &BTreeSet<ServerName>, apply: bool) -> Cleaning {
    let told = |path: PathBuf, why: Text, bytes: u64| {
        let shown = path.strip_prefix(&home.root).unwrap_or(&path);
        Leftover { path: shown.to_string_lossy().into_owned(), why, bytes }
    };
    let foreign = entries(&home.servers()).into_iter().filter(|path| paths::server_at(path).is_none());
    let foreign = foreign.map(|path| (size(&path), path));
    Cleaning {
        items: leftovers(home, names, apply)
            .into_iter()
            .map(|(path, why, bytes)| told(path, why, bytes))
            .collect(),
        foreign: foreign.map(|(bytes, path)| told(path, text!("clean-foreign"), bytes)).collect(),
    }
}

/// Returns what may be removed, or was removed, with its size.
fn leftovers(home: &Home, names: &BTreeSet<ServerName>, apply: bool) -> Vec<(PathBuf, Text, u64)> {
    let mut found = candidates(home, names);
    match process::held_below(&[&home.root, &home.run()]) {
        Ok(held) => found.retain(|(path, _)| !held.iter().any(|file| file.starts_with(path))),
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "looking who holds what");
            return Vec::new();
        }
    }
    let mut told = Vec::new();
    for (path, why) in found {
        let bytes = size(&path);
        if apply && let Err(error) = files::remove(&path) {
            tracing::warn!(path = %path.display(), error = &error as &dyn std::error::Error, "clean");
            continue;
        }
        told.push((path, why, bytes));
    }
    told
}

/// Selects candidates by name and age: folders of removed servers, older halves of logs, drafts of files, dead
/// sockets.
fn candidates(home: &Home, names: &BTreeSet<ServerName>) -> Vec<(PathBuf, Text)> {
    let mut found: Vec<(PathBuf, Text)> = Vec::new();
    found.extend(entries(&home.trash()).into_iter().map(|path| {
        let why = thrown_away(&path, names);
        (path, why)
    }));
    let files = PoolId::ALL.iter().flat_map(|p| [home.proxy_config(*p), home.proxy_worker(*p)]);
    let files = files.chain([home.session_map(), home.own_questions()]);
    let drafts: BTreeSet<PathBuf> = files.map(|file| files::draft(&file)).collect();
    found.extend(drafts.into_iter().filter(|path| aged(path)).map(|path| (path, text!("clean-draft"))));
    let mut logs = entries(&home.logs());
    for name in names {
        logs.extend(entries(&home.server(name).join("log")));
    }
    let older = logs.into_iter().filter(|path| path.extension().is_some_and(|e| e == "1"));
    found.extend(older.map(|path| (path, text!("clean-log"))));
    let sockets = entries(&home.run()).into_iter().filter(|path| gone(path, names) && dead(path));
    found.extend(sockets.map(|path| (path, text!("clean-socket"))));
    found
}

/// Returns why an entry is in the trash. Its name says whose folder it was, or that it was changed by hand, and
/// when.
fn thrown_away(path: &Path, names: &BTreeSet<ServerName>) -> Text {
    let entry = path.file_name().unwrap_or_default().to_string_lossy();
    if PoolId::ALL.iter().any(|proxy| entry.starts_with(&by_hand::prefix(*proxy))) {
        return text!("clean-trash-hand");
    }
    let name = entry.rsplit_once('-').and_then(|(name, _)| ServerName::parse(name).ok());
    match name.filter(|name| names.iter().any(|known| known.same_as(name))) {
        Some(name) => text!("clean-trash-former", name = name.as_str()),
        None => text!("clean-trash"),
    }
}

/// Reports whether a file is at least `DRAFT_AGE` old.
fn aged(path: &Path) -> bool {
    let modified = std::fs::symlink_metadata(path).and_then(|meta| meta.modified());
    modified.is_ok_and(|at| SystemTime::now().duration_since(at).is_ok_and(|age| age >= DRAFT_AGE))
}

/// Reports whether a folder of sockets belongs to a server that does not exist any more.
fn gone(path: &Path, names: &BTreeSet<ServerName>) -> bool {
    let name = path.file_name().and_then(|n| n.to_str()).and_then(|n| ServerName::parse(n).ok());
    let proxies = PoolId::ALL.map(|p| format!("haproxy-{p}"));
    name.is_some_and(|name| {
        !names.iter().any(|known| known.same_as(&name)) && !proxies.iter().any(|p| *p == name.as_str())
    })
}

/// Reports whether no socket in it accepts connections.
fn dead(path: &Path) -> bool {
    let inside = entries(path);
    std::iter::once(path).chain(inside.iter().map(PathBuf::as_path)).all(|path| {
        let socket = std::fs::symlink_metadata(path).map(|meta| meta.file_type().is_socket());
        match socket {
            Ok(false) => true,
            Ok(true) => {
                UnixStream::connect(path).is_err_and(|e| e.kind() == io::ErrorKind::ConnectionRefused)
            }
            Err(_) => false,
        }
    })
}

/// Returns a size to show. A size that cannot be measured is shown as 0, and logged.
fn size(path: &Path) -> u64 {
    files::size(path).unwrap_or_else(|error| {
        tracing::warn!(path = %path.display(), error = &error as &dyn std::error::Error, "measuring");
        0
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::net::UnixListener;

    use super::*;

    fn home(name: &str) -> Home {
        let root = PathBuf::from(env!("OUT_DIR")).join(format!("clean-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(&root).unwrap();
        let home = Home::open(&root).unwrap();
        for folder in [home.root.join("conf"), home.trash(), home.logs(), home.run()] {
            fs::create_dir_all(folder).unwrap();
        }
        home
    }

    fn names() -> BTreeSet<ServerName> {
        ["web1", "db1"].iter().map(|n| ServerName::parse(n).unwrap()).collect()
    }

    fn listed(home: &Home, apply: bool) -> Vec<String> {
        let mut paths: Vec<String> = clean(home, &names(), apply)
            .items
            .into_iter()
            .filter_map(|l| Some(l.path.rsplit_once('/')?.1.to_owned()))
            .collect();
        paths.sort();
        paths
    }

    fn aged_file(path: &Path) {
        let file = fs::File::create(path).unwrap();
        file.set_modified(SystemTime::now() - 2 * DRAFT_AGE).unwrap();
    }

    #[test]
    fn what_is_in_use_or_unknown_is_never_offered() {
        let home = home("used");
        for proxy in PoolId::ALL {
            aged_file(&home.proxy_config(proxy));
            aged_file(&home.proxy_worker(proxy));
        }
        aged_file(&home.session_map());
        aged_file(&home.own_questions());
        // A draft that is being written now, and a file that another program put there.
        fs::write(files::draft(&home.proxy_config(PoolId::Web)), "").unwrap();
        aged_file(&home.root.join("conf/notes.txt"));
        // A log that a process still holds open.
        let log = home.logs().join("haproxy-web.log.1");
        let _open = fs::File::create(&log).unwrap();
        // A server that is wished, a HAProxy instance, a socket that answers, and a name that is no server's.
        for name in ["db1", "haproxy-web", "db8", "db3.import.cnf"] {
            fs::create_dir_all(home.run().join(name)).unwrap();
        }
        let _answers = UnixListener::bind(home.run().join("db8/mariadb.sock")).unwrap();
        assert_eq!(listed(&home, false), [""; 0]);
        assert_eq!(listed(&home, true), [""; 0]);
        assert!(home.session_map().exists() && log.exists());
        home.leave_nothing().unwrap();
    }

    #[test]
    fn what_is_not_ours_is_named_and_stays() {
        let home = home("foreign");
        for folder in ["web1", "lost+found", "web1.bak"] {
            fs::create_dir_all(home.servers().join(folder)).unwrap();
        }
        for apply in [false, true] {
            let found = clean(&home, &names(), apply);
            let foreign: Vec<&str> = found.foreign.iter().map(|f| f.path.as_str()).collect();
            assert_eq!(
                (found.items.as_slice(), foreign),
                (&[][..], vec!["servers/lost+found", "servers/web1.bak"])
            );
        }
        home.leave_nothing().unwrap();
    }

    #[test]
    fn the_trash_says_whose_each_folder_was() {
        let home = home("trash");
        let whys = ["db1-1764460000000", "web3-1764460000000", "db.cfg-by-hand-1764460000000", "odd"]
            .map(|entry| thrown_away(&home.trash().join(entry), &names()).key.to_string());
        assert_eq!(whys, ["clean-trash-former", "clean-trash", "clean-trash-hand", "clean-trash"]);
        home.leave_nothing().unwrap();
    }

    #[test]
    fn what_is_offered_goes_and_afterwards_nothing_is_offered() {
        let home = home("left");
        fs::create_dir_all(home.trash().join("web3-7")).unwrap();
        aged_file(&files::draft(&home.session_map()));
        aged_file(&home.logs().join("haproxy-db.log.1"));
        fs::create_dir_all(home.run().join("db9")).unwrap();
        drop(UnixListener::bind(home.run().join("db9/mariadb.sock")).unwrap());
        let all = ["db9", "haproxy-db.log.1", "session.new", "web3-7"];
        assert_eq!(listed(&home, false), all);
        assert_eq!(listed(&home, true), all);
        assert_eq!(listed(&home, false), [""; 0]);
        home.leave_nothing().unwrap();
    }
}
