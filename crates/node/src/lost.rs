//! What the state folder lacks while Cordée serves it.

use std::io;
use std::path::PathBuf;

use cordee_domain::observed::Lost;

use crate::files;
use crate::paths::{Home, HomeError};
use crate::users::Users;

/// Recreates folders that somebody removed and whose content Cordée can also recreate. Returns those folders.
pub fn made_anew(home: &Home, users: &Users) -> Vec<PathBuf> {
    let all = [home.run(), home.conf(), home.trash(), home.logs()];
    let gone: Vec<_> = all.into_iter().filter(|path| files::is_gone(path)).collect();
    // If the whole state folder was moved away, nothing is created in its place, so that it can come back.
    if gone.is_empty() || !matches!(home.root.try_exists(), Ok(true)) {
        return Vec::new();
    }
    if let Err(error) = home.make_folders(users) {
        tracing::warn!(error = &error as &dyn std::error::Error, "making folders anew");
        return Vec::new();
    }
    gone
}

/// Returns what the state folder lacks, with the names as one list. Fails if that cannot be told: what could not be
/// looked at is not lost.
pub fn lost(home: &Home) -> io::Result<Option<Lost>> {
    let names = match home.lost() {
        Ok(names) => names.join(", "),
        // The entry exists and is not a plain file.
        Err(HomeError::Io { path, source }) if files::is_no_file(&source) => {
            path.file_name().unwrap_or_default().to_string_lossy().into_owned()
        }
        Err(HomeError::Io { source, .. }) => return Err(source),
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "looking at the state folder");
            String::new()
        }
    };
    Ok((!names.is_empty()).then(|| Lost { folder: home.root.display().to_string(), names }))
}
