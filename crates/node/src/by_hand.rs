//! What a person wrote into HAProxy's configuration file: it is kept before the file is overwritten, and shown
//! beside the wish.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use cordee_domain::fault::Fault;
use cordee_domain::haproxy::config::untouched;
use cordee_domain::ids::{Millis, PoolId};

use crate::clock::now;
use crate::paths::Home;
use crate::trouble::fault;
use crate::{files, process};

/// A file above this many bytes is no configuration of HAProxy's; only its beginning is kept.
const MOST_BYTES: u64 = 1 << 20;
/// How many files are kept: a program that writes there again and again must not fill the disk.
const MOST_FILES: usize = 10;

/// Keeps the file that is about to be replaced, if it is not as Cordée wrote it. Returns the path of the kept file
/// relative to the state folder.
pub fn keep(home: &Home, proxy: PoolId) -> Result<Option<String>, Fault> {
    let config = home.proxy_config(proxy);
    let path = home.trash().join(format!("{}{}", prefix(proxy), now()));
    let other = std::fs::symlink_metadata(&config).is_ok_and(|meta| !meta.is_file());
    if other {
        // A link, a pipe or a folder is moved as it is, and never opened.
        std::fs::rename(&config, &path).map_err(|e| fault(&e))?;
        prune(home, proxy).map_err(|e| fault(&e))?;
        return Ok(Some(relative(home, &path)));
    }
    let text = match read(&config) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(fault(&error)),
    };
    if untouched(&text) {
        return Ok(None);
    }
    files::write(&path, &text, 0o600, None).map_err(|e| fault(&e))?;
    prune(home, proxy).map_err(|e| fault(&e))?;
    Ok(Some(relative(home, &path)))
}

/// Removes the oldest kept files of one proxy. A folder that somebody put in the place of the file stays in the trash
/// until the operator cleans it: nothing in it is Cordée's.
fn prune(home: &Home, proxy: PoolId) -> io::Result<()> {
    let kept = kept(home, proxy);
    for (_, old) in kept.iter().rev().skip(MOST_FILES) {
        if !std::fs::symlink_metadata(old).is_ok_and(|meta| meta.is_dir()) {
            process::remove_file(old)?;
        }
    }
    Ok(())
}

/// Returns the newest kept file of one proxy: when it was kept, where (relative to the state folder), and its text.
pub fn last(home: &Home, proxy: PoolId) -> Option<(Millis, String, String)> {
    let (at, path) = kept(home, proxy).pop()?;
    let text = read(&path).ok()?;
    Some((at, relative(home, &path), text))
}

fn read(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    files::plain(path)?.take(MOST_BYTES).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Returns the prefix of the names of the kept files.
pub fn prefix(proxy: PoolId) -> String {
    format!("{proxy}.cfg-by-hand-")
}

fn relative(home: &Home, path: &Path) -> String {
    path.strip_prefix(&home.root).unwrap_or(path).to_string_lossy().into_owned()
}

/// Returns the kept files of one proxy, sorted by time.
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A folder in the place of the file went to the trash. It made every later replacement fail, once it was older
    /// than the files that are kept.
    #[test]
    fn a_folder_in_the_trash_is_left_alone_and_stands_in_nobodys_way() {
        let root = PathBuf::from(env!("OUT_DIR")).join(format!("by-hand-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(&root).unwrap();
        let home = Home::open(&root).unwrap();
        for folder in [home.root.join("conf"), home.trash()] {
            fs::create_dir_all(folder).unwrap();
        }
        let config = home.proxy_config(PoolId::Web);
        let at = |n: usize| home.trash().join(format!("{}{n}", prefix(PoolId::Web)));
        fs::create_dir(at(1)).unwrap();
        for n in 2..=MOST_FILES + 3 {
            fs::write(at(n), "by hand").unwrap();
        }
        fs::write(&config, "# somebody's own\n").unwrap();
        assert!(keep(&home, PoolId::Web).unwrap().is_some());
        assert!(at(1).is_dir(), "what is in it is somebody's");
        assert_eq!(kept(&home, PoolId::Web).len(), MOST_FILES + 1, "the oldest files are gone");
        let folder = home.proxy_config(PoolId::Db);
        fs::create_dir(&folder).unwrap();
        assert!(keep(&home, PoolId::Db).unwrap().is_some(), "a folder is moved as it is");
        assert!(!folder.exists());
        fs::remove_dir_all(&root).unwrap();
    }
}
