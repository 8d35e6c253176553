//! Whether the state folder is complete. A folder that lost a file of its state is refused, and never silently
//! begun again: new passwords would lock Cordée out of its own databases, and a new state would forget which
//! database is the writer.
//!
//! The mark [`COMPLETE`] is written last, when a first start has made everything. Without the mark, the first start
//! continues.

use std::io::{self, Read as _};
use std::path::Path;

use cordee_domain::text;
use cordee_domain::text::Text;

use crate::files;
use crate::paths::{self, HomeError};
use crate::secrets::Secrets;
use crate::vault::Vault;

/// The mark: a copy of [`IDENTITY`], so that either file is enough to stop what runs.
pub const COMPLETE: &str = "complete";
/// The file that says which cluster it is.
pub const IDENTITY: &str = "cluster.json";
/// The files that must not be lost. Everything else can be recreated.
pub const STATE: [&str; 4] = [IDENTITY, "state.db", "secrets.json", "logins.key"];
/// The folder that a file system creates in its own root.
const FOREIGN_BUT_FINE: &str = "lost+found";
/// The draft that an interrupted first start leaves: it is written again.
const DRAFT: &str = "cluster.new";
/// The first octets of an SQLite file ("Database File Format", 1.3).
const SQLITE: &[u8] = b"SQLite format 3\0";
/// How many octets of a file are read: ours are much shorter.
const MOST: u64 = 1 << 20;
/// How many names a refusal lists.
const NAMED: usize = 8;

fn wrap(path: &Path) -> impl FnOnce(io::Error) -> HomeError + use<> {
    let path = path.to_owned();
    move |source| HomeError::Io { path, source }
}

fn there(path: &Path) -> Result<bool, HomeError> {
    path.try_exists().map_err(wrap(path))
}

/// Reports whether a first start was completed: by the mark, or, in a folder of a version without a mark, by a
/// database.
pub fn begun(root: &Path) -> Result<bool, HomeError> {
    if there(&root.join(COMPLETE))? {
        return Ok(true);
    }
    let servers = root.join("servers");
    if !there(&servers)? {
        return Ok(false);
    }
    for entry in std::fs::read_dir(&servers).map_err(wrap(&servers))? {
        let path = entry.map_err(wrap(&servers))?.path();
        if paths::server_at(&path).is_some() && there(&path.join("data"))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Reports whether the folder carries our mark, complete or not.
pub fn ours(root: &Path) -> Result<bool, HomeError> {
    Ok(there(&root.join(IDENTITY))? || there(&root.join(COMPLETE))?)
}

/// Returns a file's text; `None` if there is no such file. The folder may not be proven ours yet, so it is only
/// read.
fn text(path: &Path) -> io::Result<Option<String>> {
    let read = || -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        files::plain(path)?.take(MOST).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    match read() {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns the entries of a folder, sorted; none if there is no such folder.
fn content(root: &Path) -> Result<Vec<String>, HomeError> {
    let entries = match std::fs::read_dir(root) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(wrap(root))?,
    };
    let mut all = Vec::new();
    for entry in entries {
        let name = entry.map_err(wrap(root))?.file_name().to_string_lossy().into_owned();
        if name != FOREIGN_BUT_FINE && name != DRAFT {
            all.push(name);
        }
    }
    all.sort();
    Ok(all)
}

/// Returns the files of the state that are missing.
pub fn missing(root: &Path) -> Result<Vec<&'static str>, HomeError> {
    let mut all = Vec::new();
    for name in STATE {
        if !there(&root.join(name))? {
            all.push(name);
        }
    }
    Ok(all)
}

/// Refuses a folder that is not ours, one of ours that is not complete, and one that is not where it was made: the
/// index files of its databases hold absolute paths, so these databases would delete the logs of the original.
/// Creates and alters nothing.
pub fn check(root: &Path) -> Result<(), HomeError> {
    paths::plain(root)?;
    if !ours(root)? {
        let content = content(root)?;
        return if content.is_empty() {
            Ok(())
        } else {
            Err(HomeError::Unmarked { path: root.to_owned(), names: shown(&content) })
        };
    }
    for name in [IDENTITY, COMPLETE] {
        // A first start that continues would overwrite this file, whatever it is.
        let path = root.join(name);
        text(&path).map_err(wrap(&path))?;
    }
    if !begun(root)? {
        return Ok(());
    }
    let missing = missing(root)?;
    if !missing.is_empty() {
        return Err(HomeError::Missing { path: root.to_owned(), names: missing.join(", ") });
    }
    if let Some(name) = damaged(root)? {
        return Err(HomeError::Damaged { path: root.join(name) });
    }
    let here = root.canonicalize().map_err(wrap(root))?;
    match paths::made_at(root).filter(|made| *made != here) {
        Some(made) => Err(HomeError::Elsewhere { path: here, made }),
        None => Ok(()),
    }
}

fn shown(names: &[String]) -> String {
    let more = if names.len() > NAMED { ", …" } else { "" };
    // The names of another user's files are shown on a terminal.
    let names = names.iter().take(NAMED).map(|n| n.chars().filter(|c| !c.is_control()).collect::<String>());
    names.collect::<Vec<_>>().join(", ") + more
}

/// Returns the first file of the state that cannot be parsed. Of the state file only the beginning is read: when
/// SQLite opens an empty file, it deletes the log beside it, and with it what is only in that log.
pub fn damaged(root: &Path) -> Result<Option<&'static str>, HomeError> {
    let state = root.join("state.db");
    if !is_sqlite(&state).map_err(wrap(&state))? {
        return Ok(Some("state.db"));
    }
    spoiled(root)
}

/// Does the same without the state file. That file must not be opened while SQLite uses it: closing it would
/// release SQLite's locks.
fn spoiled(root: &Path) -> Result<Option<&'static str>, HomeError> {
    let read = |name: &str| {
        let path = root.join(name);
        text(&path).map(Option::unwrap_or_default).map_err(wrap(&path))
    };
    if serde_json::from_str::<serde_json::Value>(&read(IDENTITY)?).is_err() {
        return Ok(Some(IDENTITY));
    }
    if serde_json::from_str::<Secrets>(&read("secrets.json")?).is_err() {
        return Ok(Some("secrets.json"));
    }
    Ok((!Vault::is_key(&read("logins.key")?)).then_some("logins.key"))
}

/// Returns which files that a start needs a served folder lacks, or which cannot be parsed. Reports nothing before
/// a first start was completed.
pub fn lost(root: &Path) -> Result<Vec<&'static str>, HomeError> {
    let mut all = missing(root)?;
    if !there(&root.join("servers"))? {
        all.push("servers");
    }
    if all.is_empty() {
        all.extend(spoiled(root)?);
    }
    Ok(all)
}

/// Reports whether a file begins as SQLite files do.
pub fn is_sqlite(path: &Path) -> io::Result<bool> {
    let mut begins = Vec::new();
    files::plain(path)?.take(SQLITE.len() as u64).read_to_end(&mut begins)?;
    Ok(begins == SQLITE)
}

/// Writes the mark. Called when all files that must not be lost exist.
pub fn complete(root: &Path) -> io::Result<()> {
    let identity = files::plain_text(&root.join(IDENTITY))?;
    let mark = root.join(COMPLETE);
    if text(&mark)?.as_deref() == Some(identity.as_str()) {
        return Ok(());
    }
    files::replace(&mark, &identity, 0o600, None)
}

/// Returns why a folder cannot be used, as a sentence for the operator.
pub fn words(error: &HomeError) -> Text {
    let shown = |path: &Path| path.display().to_string();
    match error {
        HomeError::Unmarked { path, names } => {
            text!("folder-unmarked", folder = shown(path), names = names.as_str())
        }
        HomeError::Missing { path, names } => {
            text!("folder-missing", folder = shown(path), names = names.as_str())
        }
        HomeError::Damaged { path } => text!("folder-damaged", path = shown(path)),
        HomeError::Newer { path, found } => text!("folder-newer", folder = shown(path), found = *found),
        HomeError::Io { path, source } => {
            text!("folder-unusable", path = shown(path), why = crate::trouble::words(source))
        }
        HomeError::Foreign { path } => text!("folder-foreign", path = shown(path)),
        HomeError::Letters { path, found } => {
            // The path is shown on a terminal.
            let path: String = shown(path).chars().filter(|c| !c.is_control()).collect();
            let letter = match found {
                ' ' => text!("letter-blank"),
                hidden if hidden.is_control() || *hidden == char::REPLACEMENT_CHARACTER => {
                    text!("letter-hidden")
                }
                other => text!("letter-other", letter = other.to_string()),
            };
            text!("folder-letters", path = path, letter = letter)
        }
        HomeError::Elsewhere { path, made } => {
            text!("folder-elsewhere", folder = shown(path), made = shown(made))
        }
        HomeError::Closed { path, uid } => text!("folder-closed", path = shown(path), uid = *uid),
        HomeError::Lost { path, owner, uid } => {
            text!("folder-lost", path = shown(path), owner = *owner, uid = *uid)
        }
        HomeError::Random => text!("folder-random"),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::paths::Home;

    /// A folder that is removed with the test. Its path is short enough for the sockets, so that none is made for
    /// them elsewhere.
    struct Place(PathBuf);

    impl std::ops::Deref for Place {
        type Target = Path;

        fn deref(&self) -> &Path {
            &self.0
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn place(name: &str) -> Place {
        let folder = std::env::temp_dir().join(format!("cordee-{name}-{}", std::process::id()));
        // An existing folder would be another user's.
        std::fs::create_dir(&folder).unwrap();
        Place(folder.canonicalize().unwrap())
    }

    /// Returns a folder as a first start leaves it.
    fn whole(name: &str) -> Place {
        let root = place(name);
        let home = Home::open(&root).unwrap();
        std::fs::write(home.state(), SQLITE).unwrap();
        Secrets::load(&home.secrets()).unwrap();
        Vault::load(&home.login_key()).unwrap();
        complete(&root).unwrap();
        root
    }

    #[test]
    fn a_folder_that_lost_a_file_of_its_state_is_refused_and_the_file_is_named() {
        for name in STATE {
            let root = whole("lost");
            assert!(check(&root).is_ok());
            std::fs::remove_file(root.join(name)).unwrap();
            let error = Home::open(&root).unwrap_err();
            assert!(matches!(&error, HomeError::Missing { names, .. } if names == name), "{name}: {error}");
            assert!(!root.join(name).exists(), "{name} was not made anew");
            assert!(
                Home::found(&root).unwrap().is_some(),
                "it can be stopped, examined and forgotten all the same"
            );
        }
    }

    #[test]
    fn a_folder_whose_files_cannot_be_understood_is_refused() {
        let cases = [
            (IDENTITY, "{"),
            ("secrets.json", ""),
            ("secrets.json", "{}"),
            ("logins.key", "x"),
            ("state.db", ""),
            ("state.db", "garbage"),
        ];
        for (name, text) in cases {
            let root = whole("damaged");
            let before = Home::open(&root).unwrap().id;
            std::fs::write(root.join(name), text).unwrap();
            let error = Home::open(&root).unwrap_err();
            assert!(matches!(&error, HomeError::Damaged { path } if path.ends_with(name)), "{name}: {error}");
            assert_eq!(Home::found(&root).unwrap().map(|home| home.id), Some(before), "{name}");
        }
    }

    /// Runs `work` with a time limit: a read from a pipe without a writer would wait forever.
    fn at_once<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
        let (done, ended) = std::sync::mpsc::channel();
        std::thread::spawn(move || done.send(work()));
        ended.recv_timeout(std::time::Duration::from_secs(10)).expect("it does not wait")
    }

    fn pipe(path: &Path) {
        let _ = std::fs::remove_file(path);
        rustix::fs::mknodat(
            rustix::fs::CWD,
            path,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::from_raw_mode(0o600),
            0,
        )
        .unwrap();
    }

    #[test]
    fn a_pipe_or_a_link_where_a_file_should_be_is_refused_at_once() {
        for name in STATE.iter().chain(&[COMPLETE]) {
            for link in [false, true] {
                let root = whole("pipe");
                let path = root.join(name);
                if link {
                    std::fs::rename(&path, root.join("other")).unwrap();
                    std::os::unix::fs::symlink(root.join("other"), &path).unwrap();
                } else {
                    pipe(&path);
                }
                let opened = root.to_path_buf();
                let error = at_once(move || Home::open(&opened).unwrap_err());
                assert!(matches!(&error, HomeError::Io { path: at, .. } if *at == path), "{name}: {error}");
                let asked = root.to_path_buf();
                at_once(move || drop((crate::paths::socket_of(&asked), Home::found(&asked), lost(&asked))));
            }
        }
        let root = place("pipe-alone");
        pipe(&root.join(IDENTITY));
        let opened = root.to_path_buf();
        assert!(at_once(move || Home::open(&opened).is_err()), "it is not put aside for a first start");
    }

    #[test]
    fn what_is_lost_while_it_is_served_is_named() {
        let root = whole("lost-later");
        let home = Home::open(&root).unwrap();
        files::folder(&home.servers(), 0o755, None).unwrap();
        assert_eq!(lost(&root).unwrap(), [""; 0]);
        for name in STATE.iter().copied().chain(["servers"]) {
            std::fs::rename(root.join(name), root.join("aside")).unwrap();
            assert_eq!(lost(&root).unwrap(), [name]);
            std::fs::rename(root.join("aside"), root.join(name)).unwrap();
        }
        std::fs::write(root.join("secrets.json"), "").unwrap();
        assert_eq!(lost(&root).unwrap(), ["secrets.json"]);
    }

    #[test]
    fn a_folder_is_started_only_where_it_was_made() {
        let root = whole("made-here");
        let other = place("made-elsewhere");
        for name in STATE.iter().chain(&[COMPLETE]) {
            std::fs::copy(root.join(name), other.join(name)).unwrap();
        }
        let before = std::fs::read_to_string(other.join(IDENTITY)).unwrap();
        for _ in 0..2 {
            let error = Home::open(&other).unwrap_err();
            assert!(matches!(&error, HomeError::Elsewhere { made, .. } if *made == *root), "{error}");
            assert!(Home::found(&other).unwrap().is_some(), "it can be stopped and forgotten");
        }
        assert_eq!(std::fs::read_to_string(other.join(IDENTITY)).unwrap(), before);
        // Even when it is put back to its path, it is another folder with the same name.
        let former = Home::open(&root).unwrap().id;
        std::fs::remove_dir_all(&*root).unwrap();
        std::fs::rename(&*other, &*root).unwrap();
        assert_ne!(Home::open(&root).unwrap().id, former);
    }

    #[test]
    fn a_first_start_that_was_broken_off_goes_on_and_an_older_folder_is_taken_when_it_is_whole() {
        let root = place("first");
        let id = Home::open(&root).unwrap().id;
        assert_eq!(Home::open(&root).unwrap().id, id, "nothing is missing that was never made");
        let root = whole("older");
        std::fs::remove_file(root.join(COMPLETE)).unwrap();
        assert!(Home::open(&root).is_ok());
        std::fs::create_dir_all(root.join("servers/db1/data")).unwrap();
        assert!(Home::open(&root).is_ok(), "whole, and without a mark");
        std::fs::remove_file(root.join("secrets.json")).unwrap();
        assert!(Home::open(&root).is_err(), "its databases know the passwords that are gone");
    }

    #[test]
    fn somebody_elses_folder_is_refused_with_what_lies_in_it_and_left_as_it_is() {
        let root = place("foreign");
        std::fs::create_dir(root.join(FOREIGN_BUT_FINE)).unwrap();
        assert!(check(&root).is_ok());
        std::fs::write(root.join("thesis.tex"), "").unwrap();
        let error = Home::open(&root).unwrap_err();
        assert!(matches!(&error, HomeError::Unmarked { names, .. } if names == "thesis.tex"), "{error}");
        assert!(Home::found(&root).unwrap().is_none());
        assert_eq!(content(&root).unwrap(), ["thesis.tex"]);
    }
}
