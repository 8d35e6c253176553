//! What a process inherits from its parent and must not depend on: the umask, the open files and their limit, the
//! working folder.

use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::Mode;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit, umask};

/// With a lower limit a first cluster may start, but fails as soon as visitors come.
pub const FEWEST: u64 = 1_024;
/// A higher limit has no benefit: some programs clear a table of that size at their start.
const MOST: u64 = 65_536;

/// Sets the usual umask. With a stricter one the programs' users could not enter the folders that are made for
/// them, with a looser one every user could write there. Secret files are created with modes of their own.
pub fn usual_mask() {
    umask(Mode::from_raw_mode(0o022));
}

/// Keeps the files that our parent left open (a terminal's, a script's, perhaps readable by root only) from the
/// programs that we start: Apache would pass them on to the site's code, and the keeper would hold them as long as
/// the cluster runs.
pub fn pass_no_files_on() {
    close_fds::set_fds_cloexec(3, &[]);
}

/// Returns an absolute path, which stays valid whatever the working folder of Cordée and its keeper.
pub fn absolute(path: &Path) -> io::Result<PathBuf> {
    std::path::absolute(path)
}

/// Raises the limit of open files as far as allowed, and returns it. Started programs inherit it. Root may raise
/// the hard limit too, unless it is root only inside a container.
pub fn raise_descriptors() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let mut allowed = [limits(&limit, true), limits(&limit, false)].into_iter().flatten();
    let raised = allowed.find(|wanted| setrlimit(Resource::Nofile, *wanted).is_ok());
    raised.unwrap_or(limit).current.unwrap_or(u64::MAX)
}

/// Returns the limits to set if the current ones are too low: with a higher hard limit if `harder`, otherwise up to
/// the current hard limit.
fn limits(now: &Rlimit, harder: bool) -> Option<Rlimit> {
    if now.current.is_none_or(|current| current >= MOST) {
        return None;
    }
    let maximum = now.maximum.map(|most| if harder { most.max(MOST) } else { most });
    Some(Rlimit { current: Some(maximum.unwrap_or(MOST).min(MOST)), maximum })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_raised_as_far_as_may_be_and_never_lowered() {
        let limit = |current, maximum| Rlimit { current, maximum };
        let both = |now: Rlimit| [true, false].map(|harder| limits(&now, harder));
        let soft = Some(limit(Some(MOST), Some(1 << 20)));
        assert_eq!(both(limit(Some(1_024), Some(1 << 20))), [soft, soft]);
        let (hard, present) = (limit(Some(MOST), Some(MOST)), limit(Some(256), Some(256)));
        assert_eq!(both(limit(Some(256), Some(256))), [Some(hard), Some(present)]);
        assert_eq!(limits(&limit(Some(256), None), true), Some(limit(Some(MOST), None)));
        for enough in [limit(Some(MOST), Some(MOST)), limit(Some(MOST + 1), None), limit(None, None)] {
            assert_eq!(both(enough), [None, None]);
        }
    }

    #[test]
    fn a_relative_path_begins_where_one_stands() {
        let here = std::env::current_dir().unwrap();
        assert_eq!(absolute(Path::new("state")).unwrap(), here.join("state"));
        assert_eq!(absolute(Path::new("/a/b")).unwrap(), Path::new("/a/b"));
        assert!(absolute(Path::new("")).is_err());
    }
}
