//! What a user who may write in a folder can put there, before and during an operation. A canary lies outside.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rustix::fs::{CWD, FileType, Mode, RenameFlags, mkdirat, mknodat, openat, renameat_with};

use super::super::files::{self, folder};
use super::super::logs;
use super::{FOLDER, Folder};
use crate::users::User;

/// The user `nobody`, if we may give files away.
const NOBODY: User = User { uid: 65_534, gid: 65_534 };
const SECRET: &str = "SECRET";

fn nobody() -> Option<User> {
    rustix::process::geteuid().is_root().then_some(NOBODY)
}

/// A folder that a program may write, and a secret of ours beside it.
struct Scene {
    root: PathBuf,
}

impl Scene {
    fn new(name: &str) -> Self {
        let root = PathBuf::from(env!("OUT_DIR")).join(format!("below-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(root.join("outside/below")).unwrap();
        let scene = Self { root: root.canonicalize().unwrap() };
        let line = format!("{SECRET}\n");
        fs::write(scene.canary(), line.repeat(30_000)).unwrap();
        fs::set_permissions(scene.canary(), fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(scene.outside().join("below/error.log"), line.repeat(30_000)).unwrap();
        folder(&scene.theirs(), 0o755, nobody()).unwrap();
        scene
    }

    fn theirs(&self) -> PathBuf {
        self.root.join("theirs")
    }

    fn outside(&self) -> PathBuf {
        self.root.join("outside")
    }

    fn canary(&self) -> PathBuf {
        self.outside().join("secrets.json")
    }

    /// Returns everything that can be observed of what lies outside.
    fn seen(&self) -> Vec<(PathBuf, u32, u32, u64, Vec<u8>)> {
        let outside = self.outside();
        [outside.clone(), outside.join("below"), self.canary(), outside.join("below/error.log")]
            .into_iter()
            .map(|path| {
                let meta = fs::symlink_metadata(&path).unwrap();
                let bytes = if meta.is_dir() { Vec::new() } else { fs::read(&path).unwrap() };
                (path, meta.mode(), meta.uid(), meta.nlink(), bytes)
            })
            .collect()
    }

    /// Puts a file of the other user into that user's folder.
    fn put(&self, name: &str, text: &str) -> PathBuf {
        let path = self.theirs().join(name);
        fs::write(&path, text).unwrap();
        if let Some(user) = nobody() {
            chown(&path, Some(user.uid), Some(user.gid)).unwrap();
        }
        path
    }

    fn link(&self, name: &str, to: &Path) -> PathBuf {
        let path = self.theirs().join(name);
        symlink(to, &path).unwrap();
        path
    }

    /// Puts a link, a hard link, a FIFO and a folder in the place of files.
    fn traps(&self) -> Vec<PathBuf> {
        let link = self.link("link.log", &self.canary());
        let hard = self.theirs().join("hard.log");
        fs::hard_link(self.canary(), &hard).unwrap();
        let fifo = self.theirs().join("fifo.log");
        mknodat(CWD, &fifo, FileType::Fifo, Mode::from_raw_mode(0o666), 0).unwrap();
        let inner = self.theirs().join("folder.log");
        fs::create_dir(&inner).unwrap();
        symlink(self.outside(), inner.join("out")).unwrap();
        vec![link, hard, fifo, inner]
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

#[test]
fn a_log_is_bounded_into_a_file_of_its_own_whatever_stood_there() {
    let scene = Scene::new("older");
    scene.link("error.log.1", &scene.canary());
    let log = scene.put("error.log", &"x".repeat(600));
    let before = scene.seen();
    logs::bound(&log, 100).unwrap();
    assert!(scene.seen() == before, "what lies outside was changed");
    assert_eq!(fs::read(&log).unwrap(), b"");
    let older = fs::symlink_metadata(scene.theirs().join("error.log.1")).unwrap();
    assert!(older.is_file() && older.len() == 100, "{older:?}");
}

#[test]
fn what_is_no_plain_file_is_neither_shown_nor_written_nor_given_away() {
    let scene = Scene::new("plain");
    let traps = scene.traps();
    let before = scene.seen();
    for trap in &traps {
        let name = trap.file_name().unwrap();
        assert!(logs::tail(trap, 9).is_err(), "{} was shown", trap.display());
        assert!(files::read(trap, 9).is_err(), "{} was read", trap.display());
        assert!(logs::bound(trap, 1).is_err(), "{} was bounded", trap.display());
        assert!(files::append(trap).is_err(), "{} was opened", trap.display());
        let theirs = Folder::open(&scene.theirs()).unwrap();
        assert!(theirs.hand_over(name, 0o666, nobody()).is_err(), "{} was given away", trap.display());
    }
    assert!(scene.seen() == before, "what lies outside was changed");
    // A file of ours may replace them, and they may be removed.
    for trap in &traps {
        files::write(trap, "ours", 0o600, None).unwrap();
        assert_eq!(fs::read(trap).unwrap(), b"ours");
        files::remove(trap).unwrap();
    }
    let names = files::entries(&scene.theirs()).unwrap();
    assert_eq!(names, Vec::<PathBuf>::new());
    assert_eq!(fs::read_to_string(scene.canary()).unwrap().lines().next(), Some(SECRET));
}

#[test]
fn a_file_of_a_third_in_their_folder_is_left_alone() {
    let Some(user) = nobody() else { return };
    let scene = Scene::new("third");
    let log = scene.put("error.log", "theirs\n");
    chown(&log, Some(user.uid - 1), None).unwrap();
    assert!(logs::tail(&log, 9).is_err());
    chown(&log, Some(user.uid), None).unwrap();
    assert_eq!(logs::tail(&log, 9).unwrap(), ["theirs"]);
}

#[test]
fn no_part_of_a_path_is_a_link_and_no_name_leads_up() {
    let scene = Scene::new("path");
    let link = scene.link("log", &scene.outside().join("below"));
    let inside = link.join("error.log");
    let before = scene.seen();
    assert!(folder(&link, 0o777, nobody()).is_err());
    assert!(folder(&link.join("new"), 0o777, nobody()).is_err());
    assert!(logs::prepare(&link, &["error.log"], nobody()).is_err());
    assert!(logs::tail(&inside, 9).is_err());
    assert!(logs::bound(&inside, 1).is_err());
    assert!(files::append(&inside).is_err());
    assert!(files::write(&inside, "ours", 0o600, None).is_err());
    assert!(files::replace(&inside, "ours", 0o600, None).is_err());
    assert!(files::remove(&inside).is_err());
    assert!(files::entries(&link).is_err());
    assert!(files::size(&inside).is_err());
    let theirs = Folder::open(&scene.theirs()).unwrap();
    for name in ["..", "../outside", "../outside/secrets.json", "/", "log", "log/error.log"].map(OsStr::new) {
        assert!(theirs.inside(name).is_err(), "{name:?}");
        assert!(theirs.file(name, rustix::fs::OFlags::RDONLY).is_err(), "{name:?}");
        assert!(theirs.create(name, 0o600, None).is_err(), "{name:?}");
    }
    assert!(scene.seen() == before, "what lies outside was changed");
    // Removing removes the link itself, not its target; a link has the size of a link.
    assert!(files::size(&link).unwrap() < 4_096);
    files::remove(&link).unwrap();
    assert!(scene.seen() == before, "what lies outside was changed");
}

#[test]
fn the_logs_of_an_earlier_version_become_ours_and_what_was_slipped_in_goes() {
    let scene = Scene::new("prepare");
    let traps = scene.traps();
    scene.put("error.log", "kept\n");
    fs::write(scene.theirs().join("error.log.1"), "older\n").unwrap();
    scene.link("php.log", &scene.canary());
    let hard = scene.theirs().join("hard.log");
    let before = |n: u64| {
        let mut seen = scene.seen();
        seen[2].3 = n;
        seen
    };
    let expected = before(1);
    logs::prepare(&scene.theirs(), &["access.log", "error.log", "php.log"], nobody()).unwrap();
    assert!(scene.seen() == expected, "the hard link went, the canary stayed");
    let meta = fs::metadata(scene.theirs()).unwrap();
    assert_eq!((meta.uid(), meta.mode() & 0o777), (rustix::process::geteuid().as_raw(), 0o750));
    assert!(traps.iter().chain([&hard]).all(|trap| fs::symlink_metadata(trap).is_err()));
    let names: Vec<String> = files::entries(&scene.theirs())
        .unwrap()
        .iter()
        .map(|p| p.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["access.log", "error.log", "error.log.1", "php.log"]);
    for name in ["access.log", "error.log", "php.log"] {
        let meta = fs::symlink_metadata(scene.theirs().join(name)).unwrap();
        assert!(meta.is_file());
        assert_eq!(nobody().map_or(meta.uid(), |u| u.uid), meta.uid(), "{name}");
    }
    assert_eq!(logs::tail(&scene.theirs().join("error.log"), 9).unwrap(), ["kept"]);
    // A second call loses nothing.
    logs::prepare(&scene.theirs(), &["access.log", "error.log", "php.log"], nobody()).unwrap();
    assert_eq!(logs::tail(&scene.theirs().join("error.log"), 9).unwrap(), ["kept"]);
}

#[test]
fn a_writer_goes_on_in_a_log_that_was_cut() {
    let scene = Scene::new("bound");
    let log = scene.put("a.log", "");
    let mut writer = fs::OpenOptions::new().append(true).open(&log).unwrap();
    writer.write_all(&[b'a'; 600]).unwrap();
    logs::bound(&log, 1_000).unwrap();
    assert_eq!(fs::metadata(&log).unwrap().len(), 600, "below the bound nothing happens");
    writer.write_all(&[b'b'; 600]).unwrap();
    logs::bound(&log, 1_000).unwrap();
    writer.write_all(b"after").unwrap();
    assert_eq!(fs::read(&log).unwrap(), b"after");
    let older = fs::read(log.with_extension("log.1")).unwrap();
    assert_eq!((older.len(), older.last()), (1_000, Some(&b'b')));
}

#[test]
fn the_tail_is_the_last_lines_and_never_more() {
    let scene = Scene::new("tail");
    let log = scene.put("a.log", "1\n2\n3\n");
    assert_eq!(logs::tail(&log, 2).unwrap(), ["2", "3"]);
    assert_eq!(logs::tail(&log, 9).unwrap(), ["1", "2", "3"]);
    let even = |line: &str| line == "2" || line == "4";
    fs::write(&log, "2\n1\n2\n3\n2\n4\n").unwrap();
    assert_eq!(
        logs::tail_without(&log, 1, even).unwrap(),
        (vec!["3".to_owned()], 2),
        "counted since the first shown"
    );
    assert_eq!(logs::tail_without(&log, 9, even).unwrap(), (vec!["1".to_owned(), "3".to_owned()], 4));
    assert_eq!(logs::tail_without(&log, 0, even).unwrap(), (Vec::new(), 0));
    fs::write(&log, b"\xff\n").unwrap();
    assert_eq!(logs::tail(&log, 9).unwrap(), ["\u{fffd}"]);
}

#[test]
fn a_replaced_file_is_private_and_whole() {
    let scene = Scene::new("replace");
    let file = scene.theirs().join("a.cfg");
    files::replace(&file, "one", 0o600, None).unwrap();
    files::replace(&file, "two", 0o600, None).unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), "two");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_file_that_one_adds_to_is_made_once() {
    let scene = Scene::new("append");
    let file = scene.theirs().join("a.log");
    for line in ["one\n", "two\n"] {
        files::append(&file).unwrap().write_all(line.as_bytes()).unwrap();
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "one\ntwo\n");
}

#[test]
fn a_folder_of_any_depth_is_measured_and_goes() {
    let scene = Scene::new("deep");
    let top = scene.theirs().join("top");
    fs::create_dir(&top).unwrap();
    fs::write(top.join("going.0"), "a name that is taken").unwrap();
    fs::create_dir(top.join("going.1")).unwrap();
    symlink(scene.outside(), top.join("out")).unwrap();
    let mut at = openat(CWD, &top, FOLDER, Mode::empty()).unwrap();
    for _ in 0..3_000 {
        mkdirat(&at, "d", Mode::from_raw_mode(0o700)).unwrap();
        at = openat(&at, "d", FOLDER, Mode::empty()).unwrap();
    }
    drop(at);
    let before = scene.seen();
    let blocks = fs::symlink_metadata(top.join("going.1")).unwrap().blocks() * 512;
    assert!(files::size(&top).unwrap() >= 3_000 * blocks, "each of them is counted");
    files::remove(&top).unwrap();
    assert!(fs::symlink_metadata(&top).is_err());
    assert!(scene.seen() == before, "what lies outside was changed");
}

/// Exchanges two names `wanted` times while `act` runs again and again, and continues until `act` has succeeded
/// more than ten times, up to a limit. Returns how often it succeeded.
fn race(wanted: usize, one: &Path, other: &Path, mut act: impl FnMut() -> bool) -> usize {
    let (over, done) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut swaps = 0;
            // On a busy machine one thread may get far ahead of the other.
            while swaps < wanted || (done.load(Ordering::Relaxed) <= 10 && swaps < 100 * wanted) {
                // Either name may be gone for a moment.
                swaps += usize::from(renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).is_ok());
                std::thread::yield_now();
            }
            over.store(true, Ordering::Relaxed);
        });
        while !over.load(Ordering::Relaxed) {
            done.fetch_add(usize::from(act()), Ordering::Relaxed);
        }
    });
    done.into_inner()
}

#[test]
fn a_folder_that_turns_into_a_link_leads_nowhere() {
    let scene = Scene::new("race-folder");
    let own = scene.theirs().join("log");
    fs::create_dir(&own).unwrap();
    let link = scene.link("link", &scene.outside().join("below"));
    let before = scene.seen();
    let log = own.join("error.log");
    let written = race(10_000, &own, &link, || {
        let written = files::write(&log, "x".repeat(500), 0o644, None).is_ok();
        let shown = logs::tail(&log, 500).unwrap_or_default();
        assert!(!shown.iter().any(|line| line.contains(SECRET)), "{shown:?}");
        let _ = logs::bound(&log, 100);
        let _ = files::append(&log).and_then(|mut file| file.write_all(b"ours"));
        let _ = folder(&own, 0o777, nobody());
        assert!(files::size(&own).unwrap_or(0) < 9_096, "what lies outside was counted");
        written
    });
    assert!(written > 10, "only {written} times");
    assert!(scene.seen() == before, "what lies outside was changed");
}

#[test]
fn a_log_that_turns_into_a_link_is_not_followed() {
    let scene = Scene::new("race-file");
    let log = scene.put("error.log", "");
    let link = scene.link("link", &scene.canary());
    scene.link("error.log.1", &scene.canary());
    let before = scene.seen();
    let bounded = race(10_000, &log, &link, || {
        let _ = files::append(&log).and_then(|mut file| file.write_all(&[b'x'; 200]));
        let shown = logs::tail(&log, 500).unwrap_or_default();
        assert!(!shown.iter().any(|line| line.contains(SECRET)), "{shown:?}");
        logs::bound(&log, 100).is_ok()
    });
    assert!(bounded > 10, "only {bounded} times");
    assert!(scene.seen() == before, "what lies outside was changed");
}

#[test]
fn what_is_removed_while_it_changes_takes_nothing_with_it() {
    let scene = Scene::new("race-remove");
    let tree = scene.theirs().join("tree");
    let (inner, link) = (tree.join("a"), tree.join("b"));
    let before = scene.seen();
    let new = scene.theirs().join("new");
    // Each exists only for a moment, so few exchanges meet it.
    let removed = race(500, &inner, &link, || {
        // The folders are made where nothing is exchanged: otherwise the test itself would write outside.
        if !tree.exists() {
            fs::create_dir_all(new.join("a/deeper")).unwrap();
            File::create(new.join("a/deeper/file")).unwrap();
            symlink(scene.outside(), new.join("b")).unwrap();
            fs::rename(&new, &tree).unwrap();
        }
        // The size of its folders, some of which may be counted under two names.
        assert!(files::size(&tree).unwrap_or(0) < 30_000, "what lies outside was counted");
        files::remove(&tree).is_ok()
    });
    assert!(removed > 10, "only {removed} times");
    assert!(scene.seen() == before, "what lies outside was changed");
}
