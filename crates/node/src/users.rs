//! The users that the programs run as.

use std::os::unix::fs::MetadataExt as _;

/// The user that a program runs as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct User {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
}

impl User {
    /// Reports whether this user may pass through a folder, by its mode alone.
    pub fn may_pass(self, folder: &std::fs::Metadata) -> bool {
        let bit = match () {
            () if folder.uid() == self.uid => 0o100,
            () if folder.gid() == self.gid => 0o010,
            () => 0o001,
        };
        folder.mode() & bit != 0
    }
}

/// The users of the programs that Cordée starts: Debian's users if Cordée runs as root, otherwise Cordée's own user
/// for all.
#[derive(Clone, Copy, Debug)]
pub struct Users {
    /// HAProxy.
    pub haproxy: Option<User>,
    /// Apache.
    pub apache: Option<User>,
    /// MariaDB, which refuses to run as root.
    pub mariadb: Option<User>,
}

impl Users {
    /// Looks up the users. `Err` names the user that is missing.
    pub fn find() -> Result<Self, &'static str> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self { haproxy: None, apache: None, mariadb: None });
        }
        let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        let find = |name: &'static str| {
            passwd
                .lines()
                .map(|line| line.split(':').collect::<Vec<_>>())
                .find(|f| f.first() == Some(&name))
                .and_then(|f| Some(User { uid: f.get(2)?.parse().ok()?, gid: f.get(3)?.parse().ok()? }))
                .ok_or(name)
        };
        Ok(Self {
            haproxy: Some(find("haproxy")?),
            apache: Some(find("www-data")?),
            mariadb: Some(find("mysql")?),
        })
    }
}
