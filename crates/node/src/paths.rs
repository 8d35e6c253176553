//! The paths under `CORDEE_HOME`, and their owners.

use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use cordee_domain::ids::{PoolId, ProcessId, ServerName};
use serde::{Deserialize, Serialize};

use crate::files;
use crate::random;
use crate::users::{User, Users};

mod error;
pub mod whole;

pub use error::HomeError;

/// The folder of one cluster.
#[derive(Clone, Debug)]
pub struct Home {
    /// `CORDEE_HOME` itself, absolute.
    pub root: PathBuf,
    /// The cluster's identity.
    pub id: String,
    /// Whether the folder was made by a version without a roster, and its processes were not taken over yet.
    pub without_roster: bool,
    run: PathBuf,
}

/// What ties this folder to this cluster. A copy of the folder has another inode, and therefore gets another
/// identity: it must never adopt the processes of the original.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Identity {
    schema: u32,
    id: String,
    path: PathBuf,
    inode: u64,
    device: u64,
    /// The folder of the sockets, if it lies elsewhere.
    #[serde(default)]
    run: Option<PathBuf>,
}

/// The version of the folder's layout: version 2 has a roster.
const SCHEMA: u32 = 2;
/// The longest path of the folder of sockets. HAProxy binds a temporary name first, which leaves 97 octets for a
/// socket's path, and this many for the folder.
const RUN_MOST: usize = 60;

impl Home {
    /// Opens the folder; creates it if it does not exist. Refuses a folder that is not Cordée's, and one of
    /// Cordée's that is not complete any more.
    pub fn open(root: &Path) -> Result<Self, HomeError> {
        whole::check(root)?;
        let home = Self::enter(root)?;
        // Other users may pass through to what is theirs; secret files have modes of their own.
        std::fs::set_permissions(&home.root, std::fs::Permissions::from_mode(0o755))
            .map_err(|source| HomeError::Io { path: home.root.clone(), source })?;
        // A copy that was restored may have lost its modes.
        for path in [home.secrets(), home.login_key(), home.setup_code()] {
            files::close(&path).map_err(|source| HomeError::Io { path, source })?;
        }
        Ok(home)
    }

    /// Returns the cluster of a folder that carries our mark, complete or not. Creates nothing.
    pub fn found(root: &Path) -> Result<Option<Self>, HomeError> {
        if !whole::ours(root)? {
            return Ok(None);
        }
        if identity(root).is_none() {
            return Err(HomeError::Damaged { path: root.join(whole::IDENTITY) });
        }
        let place = Folder::of(root)?;
        let (root, id) = (place.root.clone(), place.id()?);
        let run = place.sockets(&id).unwrap_or_else(|| root.join("run"));
        Ok(Some(Self { root, id, without_roster: place.without_roster(), run }))
    }

    /// Refuses a folder that the programs' users cannot enter, and data folders that do not belong to their user
    /// any more. Otherwise only programs that fail to start would show it.
    pub fn usable_by(&self, users: &Users) -> Result<(), HomeError> {
        let wrap = |path: &Path| {
            let path = path.to_owned();
            move |source| HomeError::Io { path, source }
        };
        for folder in self.root.ancestors() {
            let meta = std::fs::metadata(folder).map_err(wrap(folder))?;
            let shut = |user: &&User| !user.may_pass(&meta);
            let all = [users.haproxy, users.apache, users.mariadb];
            if let Some(user) = all.iter().flatten().find(shut) {
                return Err(HomeError::Closed { path: folder.to_owned(), uid: user.uid });
            }
        }
        self.data_of(users.mariadb.map_or_else(us, |user| user.uid))
    }

    fn data_of(&self, uid: u32) -> Result<(), HomeError> {
        let wrap = |path: &Path| {
            let path = path.to_owned();
            move |source| HomeError::Io { path, source }
        };
        for (_, server) in self.server_folders().map_err(wrap(&self.servers()))? {
            let path = server.join("data");
            match std::fs::symlink_metadata(&path) {
                Ok(meta) if meta.uid() == uid => {}
                Ok(meta) => return Err(HomeError::Lost { path, owner: meta.uid(), uid }),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(HomeError::Io { path, source }),
            }
        }
        Ok(())
    }

    /// Returns the runtime socket of a HAProxy instance, or the socket of a database; a web server has none.
    pub fn socket_of(&self, id: &ProcessId) -> Option<PathBuf> {
        match id {
            ProcessId::Proxy(proxy) => Some(self.proxy_socket(*proxy)),
            ProcessId::Database(name) => Some(self.database_socket(name)),
            ProcessId::Web(_) => None,
        }
    }

    fn enter(root: &Path) -> Result<Self, HomeError> {
        let wrap = |path: &Path| {
            let path = path.to_owned();
            move |source| HomeError::Io { path, source }
        };
        std::fs::create_dir_all(root).map_err(wrap(root))?;
        let place = Folder::of(root)?;
        plain(&place.root)?;
        let id = place.id()?;
        let run = match place.sockets(&id) {
            None if place.is_long() => Some(make_sockets(&id)?),
            found => found,
        };
        let (root, without_roster) = (place.root.clone(), place.without_roster());
        let identity = Identity {
            schema: if without_roster { 1 } else { SCHEMA },
            id: id.clone(),
            path: root.clone(),
            inode: place.inode,
            device: place.device,
            run: run.clone(),
        };
        if place.known.as_ref() != Some(&identity) {
            let file = root.join(whole::IDENTITY);
            let text = serde_json::to_string_pretty(&identity).unwrap_or_default();
            let draft = file.with_extension("new");
            std::fs::write(&draft, text).map_err(wrap(&draft))?;
            std::fs::rename(&draft, &file).map_err(wrap(&file))?;
        }
        let run = run.unwrap_or_else(|| root.join("run"));
        Ok(Self { root, id, without_roster, run })
    }

    /// Removes the folder of sockets, if it lies elsewhere. Called when everything has ended.
    pub fn leave_nothing(&self) -> io::Result<()> {
        if self.run.starts_with(&self.root) {
            return Ok(());
        }
        files::remove(&self.run)
    }

    /// Returns which files that a start needs are missing.
    pub fn lost(&self) -> Result<Vec<&'static str>, HomeError> {
        whole::lost(&self.root)
    }

    /// Returns the path of the state file.
    pub fn state(&self) -> PathBuf {
        self.root.join("state.db")
    }

    /// Returns the path of the setup code, which exists until it is used.
    pub fn setup_code(&self) -> PathBuf {
        self.root.join("setup-code")
    }

    /// Returns the path of the command line's socket.
    pub fn socket(&self) -> PathBuf {
        self.run().join("cordee.sock")
    }

    /// Returns the folder with the records of started processes, which only the user who runs Cordée may read.
    pub fn roster(&self) -> PathBuf {
        self.root.join(ROSTER)
    }

    /// Returns the path of the lock that the one `cordee serve` of this cluster holds. It lies where no other user
    /// can open it, and so take the lock.
    pub fn lock(&self) -> PathBuf {
        self.roster().join("serve.lock")
    }

    /// Returns the path of the generated passwords and keys.
    pub fn secrets(&self) -> PathBuf {
        self.root.join("secrets.json")
    }

    /// Returns the path of the key that encrypts the databases' logins in the state file.
    pub fn login_key(&self) -> PathBuf {
        self.root.join("logins.key")
    }

    /// Returns the folder of sockets: in the cluster's folder, or elsewhere if the paths there would be too long.
    pub fn run(&self) -> PathBuf {
        self.run.clone()
    }

    /// Returns the mode of the folder of sockets. Other users must pass through it to what is theirs, but not in a
    /// place where every user may look for it.
    pub fn run_mode(&self) -> u32 {
        if us() == 0 || self.run.starts_with(&self.root) { 0o755 } else { 0o700 }
    }

    /// Returns the folder of sockets of a HAProxy instance.
    pub fn proxy_run(&self, proxy: PoolId) -> PathBuf {
        self.run().join(format!("haproxy-{proxy}"))
    }

    /// Returns the runtime socket of a HAProxy instance.
    pub fn proxy_socket(&self, proxy: PoolId) -> PathBuf {
        self.proxy_run(proxy).join("admin.sock")
    }

    /// Returns the master socket of a HAProxy instance.
    pub fn proxy_master(&self, proxy: PoolId) -> PathBuf {
        self.proxy_run(proxy).join("master.sock")
    }

    /// Returns the folder of HAProxy's files.
    pub fn conf(&self) -> PathBuf {
        self.root.join("conf")
    }

    /// Makes the folders whose content Cordée can recreate: all except the servers'.
    pub fn make_folders(&self, users: &Users) -> io::Result<()> {
        files::folder(&self.run(), self.run_mode(), None)?;
        let read_by_haproxy = users.haproxy.map(|user| User { uid: us(), gid: user.gid });
        files::folder(&self.conf(), 0o750, read_by_haproxy)?;
        files::folder(&self.trash(), 0o700, None)?;
        files::folder(&self.logs(), 0o750, None)
    }

    /// Returns the configuration file of a HAProxy instance.
    pub fn proxy_config(&self, proxy: PoolId) -> PathBuf {
        self.root.join("conf").join(format!("{proxy}.cfg"))
    }

    /// Returns the file that records which worker of a HAProxy instance is known to run that configuration file.
    pub fn proxy_worker(&self, proxy: PoolId) -> PathBuf {
        self.root.join("conf").join(format!("{proxy}.worker"))
    }

    /// Returns the file with the number of the last question that Cordée asked at the site's own address.
    pub fn own_questions(&self) -> PathBuf {
        self.root.join("conf").join("questions")
    }

    /// Returns the map file that holds the session mode.
    pub fn session_map(&self) -> PathBuf {
        self.root.join("conf").join("session.map")
    }

    /// Returns the folder that holds the servers' folders.
    pub fn servers(&self) -> PathBuf {
        self.root.join("servers")
    }

    /// Returns the servers' folders that exist. Any other entry beside them is not ours.
    pub fn server_folders(&self) -> io::Result<Vec<(ServerName, PathBuf)>> {
        let all = files::entries(&self.servers())?.into_iter();
        Ok(all.filter_map(|path| server_at(&path).map(|name| (name, path))).collect())
    }

    /// Returns a server's folder.
    pub fn server(&self, name: &ServerName) -> PathBuf {
        self.servers().join(name.as_str())
    }

    /// Returns the folder of sockets of a database.
    pub fn database_run(&self, name: &ServerName) -> PathBuf {
        self.run().join(name.as_str())
    }

    /// Returns the socket of a database.
    pub fn database_socket(&self, name: &ServerName) -> PathBuf {
        self.database_run(name).join("mariadb.sock")
    }

    /// Returns the trash: what was removed stays there until "clean configuration".
    pub fn trash(&self) -> PathBuf {
        self.root.join("trash")
    }

    /// Returns the folder of the separate cluster on which sessions are compared. It exists only during a
    /// comparison.
    pub fn sandbox(&self) -> PathBuf {
        self.root.join("sandbox")
    }

    /// Returns the folder of the logs of Cordée and the HAProxy instances.
    pub fn logs(&self) -> PathBuf {
        self.root.join("log")
    }
}

/// Returns the server to which that entry of `servers/` belongs: a server's folder has the server's name. An entry
/// that cannot be looked at may be a folder.
pub fn server_at(path: &Path) -> Option<ServerName> {
    let name = ServerName::parse(path.file_name()?.to_str()?).ok()?;
    let other = std::fs::symlink_metadata(path).is_ok_and(|meta| !meta.is_dir());
    (!other).then_some(name)
}

/// Reports whether no other user may rename or add anything in a folder. The folder `itself` must be ours, the
/// folders above it must be ours or root's. Where every user may write, the sticky bit reserves names for their
/// owners.
fn ours(meta: &std::fs::Metadata, itself: bool) -> bool {
    let us = us();
    let owned = meta.uid() == us || (meta.uid() == 0 && !itself);
    // A user's private group usually has no other member. Root's cluster must not lie in a folder that a group may
    // write.
    let others = if us == 0 && meta.gid() != 0 { 0o022 } else { 0o002 };
    owned && (meta.mode() & others == 0 || (!itself && meta.mode() & 0o1000 != 0))
}

/// Returns the identity of the cluster of a folder, according to its own file or the mark.
fn identity(root: &Path) -> Option<Identity> {
    [whole::IDENTITY, whole::COMPLETE].iter().find_map(|name| {
        let text = files::plain_text(&root.join(name)).ok()?;
        serde_json::from_str(&text).ok()
    })
}

/// Returns the path at which the folder was made, according to its identity.
pub fn made_at(root: &Path) -> Option<PathBuf> {
    identity(root).map(|known| known.path)
}

/// A folder that exists and was proven ours, with its recorded identity if that matches the folder.
struct Folder {
    root: PathBuf,
    inode: u64,
    device: u64,
    known: Option<Identity>,
}

impl Folder {
    fn of(root: &Path) -> Result<Self, HomeError> {
        let wrap = |path: &Path| {
            let path = path.to_owned();
            move |source| HomeError::Io { path, source }
        };
        let root = root.canonicalize().map_err(wrap(root))?;
        for folder in root.ancestors() {
            let meta = std::fs::metadata(folder).map_err(wrap(folder))?;
            if !ours(&meta, folder == root) {
                return Err(HomeError::Foreign { path: folder.to_owned() });
            }
        }
        let meta = std::fs::metadata(&root).map_err(wrap(&root))?;
        let found = identity(&root);
        if let Some(known) = &found
            && known.schema > SCHEMA
        {
            return Err(HomeError::Newer { path: root, found: known.schema });
        }
        let known = found.filter(|known| known.is_of(&root, &meta));
        Ok(Self { inode: meta.ino(), device: meta.dev(), root, known })
    }

    fn without_roster(&self) -> bool {
        self.known.as_ref().is_some_and(|k| k.schema < 2) && !self.root.join(ROSTER).exists()
    }

    /// Returns the cluster's id. A copy gets a new id, so that it finds no process of the original.
    fn id(&self) -> Result<String, HomeError> {
        match &self.known {
            Some(known) => Ok(known.id.clone()),
            None => random::token(4).ok_or(HomeError::Random),
        }
    }

    /// Reports whether paths of sockets below the folder would be too long.
    fn is_long(&self) -> bool {
        self.root.join("run").as_os_str().len() > RUN_MOST
    }

    /// Returns the folder of its sockets if they lie elsewhere. Creates nothing.
    fn sockets(&self, id: &str) -> Option<PathBuf> {
        if !self.is_long() {
            return None;
        }
        // An older version may have left sockets in that place.
        let former = PathBuf::from(format!("/tmp/cordee-{id}"));
        let known = self.known.as_ref().and_then(|k| k.run.clone());
        [known, Some(former)].into_iter().flatten().find(|path| own_folder(path))
    }
}

impl Identity {
    /// Reports whether this identity belongs to that very folder, rather than to an original of which that folder
    /// is a copy.
    fn is_of(&self, root: &Path, meta: &std::fs::Metadata) -> bool {
        self.path == root && self.inode == meta.ino() && self.device == meta.dev()
    }
}

/// Refuses a path that cannot be written unchanged in every file and on every command line of HAProxy, Apache, PHP
/// and MariaDB. There a blank ends a word, `:` separates list elements, `#` begins a comment; each program has its
/// own way to escape them, or none.
pub fn plain(root: &Path) -> Result<(), HomeError> {
    let wrong = |found| Err(HomeError::Letters { path: root.to_owned(), found });
    let Some(text) = root.to_str() else { return wrong(char::REPLACEMENT_CHARACTER) };
    text.chars().find(|c| !c.is_alphanumeric() && !"/-_.+@".contains(*c)).map_or(Ok(()), wrong)
}

const ROSTER: &str = "roster";

fn us() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Makes a folder of sockets for a cluster's folder with a long path. Root has a place where no other user can
/// create folders. Another user gets a folder with a name that cannot be predicted.
fn make_sockets(id: &str) -> Result<PathBuf, HomeError> {
    let (path, mode) = if us() == 0 {
        (PathBuf::from(format!("/run/cordee-{id}")), 0o755)
    } else {
        let name = random::token(16).ok_or(HomeError::Random)?;
        (PathBuf::from(format!("/tmp/cordee-{name}")), 0o700)
    };
    match std::fs::DirBuilder::new().mode(mode).create(&path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && own_folder(&path) => {}
        Err(source) => return Err(HomeError::Io { path, source }),
    }
    Ok(path)
}

/// Reports whether it is a folder, not a link to one, that is ours and in which no other user may write.
fn own_folder(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|m| m.is_dir() && m.uid() == us() && m.mode() & 0o022 == 0)
}

/// Returns the command line's socket of the cluster in a folder that may not be a cluster's yet.
pub fn socket_of(root: &Path) -> PathBuf {
    let known = || {
        let root = root.canonicalize().ok()?;
        let text = files::plain_text(&root.join("cluster.json")).ok()?;
        let known = serde_json::from_str::<Identity>(&text).ok()?;
        // A command for a copy is not meant for the original.
        let run =
            known.run.clone().filter(|_| std::fs::metadata(&root).is_ok_and(|m| known.is_of(&root, &m)))?;
        // After `down`, another user may have created one with that name.
        let owner = |path: &Path| std::fs::symlink_metadata(path).ok().map(|m| m.uid());
        (owner(&run) == owner(&root)).then_some(run)
    };
    known().unwrap_or_else(|| root.join("run")).join("cordee.sock")
}

#[cfg(test)]
mod tests;
