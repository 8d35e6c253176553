//! Where everything lives under `CORDEE_HOME`, and whose it is.

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
    /// Identity of the cluster.
    pub id: String,
    /// Made by a version that kept no roster, and not taken over yet.
    pub without_roster: bool,
    run: PathBuf,
}

/// What makes this folder this cluster. A copy of the folder has another inode, and so another identity: it
/// must never adopt the original's processes.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Identity {
    schema: u32,
    id: String,
    path: PathBuf,
    inode: u64,
    device: u64,
    /// Where the sockets are, when not in the folder itself.
    #[serde(default)]
    run: Option<PathBuf>,
}

/// Version of the folder's layout: 2 has a roster.
const SCHEMA: u32 = 2;
/// HAProxy binds a temporary name first, so that 97 octets are a socket's limit: this many are left to the folder.
const RUN_MOST: usize = 60;

impl Home {
    /// Opens the folder, making it when it is not there. One of somebody else's is refused, and one of ours that is not
    /// whole any more.
    pub fn open(root: &Path) -> Result<Self, HomeError> {
        whole::check(root)?;
        let home = Self::enter(root)?;
        // Others may pass through to what is theirs; what is secret has modes of its own.
        std::fs::set_permissions(&home.root, std::fs::Permissions::from_mode(0o755))
            .map_err(|source| HomeError::Io { path: home.root.clone(), source })?;
        // A copy that was put back may have lost its modes.
        for path in [home.secrets(), home.login_key(), home.setup_code()] {
            files::close(&path).map_err(|source| HomeError::Io { path, source })?;
        }
        Ok(home)
    }

    /// The cluster of a folder that carries our mark, whole or not. Nothing is made.
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

    /// Refuses a folder that the programs' users cannot enter, and data that are not their user's any more: both would
    /// be found out only by programs that do not start.
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

    /// One HAProxy's runtime socket, or a database's; a web server has none.
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

    /// Removes the folder of sockets, when it lies elsewhere and everything is over.
    pub fn leave_nothing(&self) -> io::Result<()> {
        if self.run.starts_with(&self.root) {
            return Ok(());
        }
        files::remove(&self.run)
    }

    /// What it lacks of what a start needs.
    pub fn lost(&self) -> Result<Vec<&'static str>, HomeError> {
        whole::lost(&self.root)
    }

    /// The state file.
    pub fn state(&self) -> PathBuf {
        self.root.join("state.db")
    }

    /// The setup code, until it is used.
    pub fn setup_code(&self) -> PathBuf {
        self.root.join("setup-code")
    }

    /// The command line's socket.
    pub fn socket(&self) -> PathBuf {
        self.run().join("cordee.sock")
    }

    /// Records of the processes that were started, for the user who runs Cordée only.
    pub fn roster(&self) -> PathBuf {
        self.root.join(ROSTER)
    }

    /// Held by the one `cordee serve` of this cluster; where nobody else can open it, and so hold it.
    pub fn lock(&self) -> PathBuf {
        self.roster().join("serve.lock")
    }

    /// Generated passwords and keys.
    pub fn secrets(&self) -> PathBuf {
        self.root.join("secrets.json")
    }

    /// The key to the databases' logins in the state file.
    pub fn login_key(&self) -> PathBuf {
        self.root.join("logins.key")
    }

    /// Sockets: in the folder itself, or where their paths are short enough.
    pub fn run(&self) -> PathBuf {
        self.run.clone()
    }

    /// Its mode. Others must pass through to what is theirs, but not where everybody may look for it.
    pub fn run_mode(&self) -> u32 {
        if us() == 0 || self.run.starts_with(&self.root) { 0o755 } else { 0o700 }
    }

    /// One HAProxy's folder of sockets.
    pub fn proxy_run(&self, proxy: PoolId) -> PathBuf {
        self.run().join(format!("haproxy-{proxy}"))
    }

    /// One HAProxy's runtime socket.
    pub fn proxy_socket(&self, proxy: PoolId) -> PathBuf {
        self.proxy_run(proxy).join("admin.sock")
    }

    /// One HAProxy's master socket.
    pub fn proxy_master(&self, proxy: PoolId) -> PathBuf {
        self.proxy_run(proxy).join("master.sock")
    }

    /// HAProxy's files.
    pub fn conf(&self) -> PathBuf {
        self.root.join("conf")
    }

    /// Makes the folders whose content is made anew: all but the servers'.
    pub fn make_folders(&self, users: &Users) -> io::Result<()> {
        files::folder(&self.run(), self.run_mode(), None)?;
        let read_by_haproxy = users.haproxy.map(|user| User { uid: us(), gid: user.gid });
        files::folder(&self.conf(), 0o750, read_by_haproxy)?;
        files::folder(&self.trash(), 0o700, None)?;
        files::folder(&self.logs(), 0o750, None)
    }

    /// One HAProxy's file.
    pub fn proxy_config(&self, proxy: PoolId) -> PathBuf {
        self.root.join("conf").join(format!("{proxy}.cfg"))
    }

    /// The worker of one HAProxy that is known to run that file.
    pub fn proxy_worker(&self, proxy: PoolId) -> PathBuf {
        self.root.join("conf").join(format!("{proxy}.worker"))
    }

    /// The number of the last question that Cordée asked at the site's own address.
    pub fn own_questions(&self) -> PathBuf {
        self.root.join("conf").join("questions")
    }

    /// The map file that holds the session mode.
    pub fn session_map(&self) -> PathBuf {
        self.root.join("conf").join("session.map")
    }

    /// Folders of servers.
    pub fn servers(&self) -> PathBuf {
        self.root.join("servers")
    }

    /// The folders of servers that are there. Whatever else lies beside them is nobody's of ours.
    pub fn server_folders(&self) -> io::Result<Vec<(ServerName, PathBuf)>> {
        let all = files::entries(&self.servers())?.into_iter();
        Ok(all.filter_map(|path| server_at(&path).map(|name| (name, path))).collect())
    }

    /// One server's folder.
    pub fn server(&self, name: &ServerName) -> PathBuf {
        self.servers().join(name.as_str())
    }

    /// One database's folder of sockets.
    pub fn database_run(&self, name: &ServerName) -> PathBuf {
        self.run().join(name.as_str())
    }

    /// One database's socket.
    pub fn database_socket(&self, name: &ServerName) -> PathBuf {
        self.database_run(name).join("mariadb.sock")
    }

    /// What was removed, until "clean configuration".
    pub fn trash(&self) -> PathBuf {
        self.root.join("trash")
    }

    /// The cluster of its own that a comparison of sessions runs on, while it does.
    pub fn sandbox(&self) -> PathBuf {
        self.root.join("sandbox")
    }

    /// Cordée's and the HAProxys' logs.
    pub fn logs(&self) -> PathBuf {
        self.root.join("log")
    }
}

/// Whose folder that entry of `servers/` is: a server's has its name, and is a folder. One that cannot be looked at may
/// be one.
pub fn server_at(path: &Path) -> Option<ServerName> {
    let name = ServerName::parse(path.file_name()?.to_str()?).ok()?;
    let other = std::fs::symlink_metadata(path).is_ok_and(|meta| !meta.is_dir());
    (!other).then_some(name)
}

/// Whether nobody else may rename or add anything in a folder: the one that is asked for is ours, those above it are
/// ours or root's. Where everybody may write, the sticky bit keeps names their owners'.
fn ours(meta: &std::fs::Metadata, itself: bool) -> bool {
    let us = us();
    let owned = meta.uid() == us || (meta.uid() == 0 && !itself);
    // A user's own group is often nobody but that user; root's cluster lies in no folder that a group may write.
    let others = if us == 0 && meta.gid() != 0 { 0o022 } else { 0o002 };
    owned && (meta.mode() & others == 0 || (!itself && meta.mode() & 0o1000 != 0))
}

/// Who the cluster of a folder is, as its own file or the mark says.
fn identity(root: &Path) -> Option<Identity> {
    [whole::IDENTITY, whole::COMPLETE].iter().find_map(|name| {
        let text = files::plain_text(&root.join(name)).ok()?;
        serde_json::from_str(&text).ok()
    })
}

/// Where a folder says that it was made, when it says so.
pub fn made_at(root: &Path) -> Option<PathBuf> {
    identity(root).map(|known| known.path)
}

/// A folder that is there, proven ours, and what it says of itself if that is true of it.
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

    /// The cluster's; of a copy another one, so that it finds nothing of the original's.
    fn id(&self) -> Result<String, HomeError> {
        match &self.known {
            Some(known) => Ok(known.id.clone()),
            None => random::token(4).ok_or(HomeError::Random),
        }
    }

    /// Whether no socket fits below it.
    fn is_long(&self) -> bool {
        self.root.join("run").as_os_str().len() > RUN_MOST
    }

    /// Where its sockets are when they lie elsewhere. Nothing is made.
    fn sockets(&self, id: &str) -> Option<PathBuf> {
        if !self.is_long() {
            return None;
        }
        // A version that knew no better place may still have sockets in that one.
        let former = PathBuf::from(format!("/tmp/cordee-{id}"));
        let known = self.known.as_ref().and_then(|k| k.run.clone());
        [known, Some(former)].into_iter().flatten().find(|path| own_folder(path))
    }
}

impl Identity {
    /// Whether it is that very folder's, and no original's of which that one is a copy.
    fn is_of(&self, root: &Path, meta: &std::fs::Metadata) -> bool {
        self.path == root && self.inode == meta.ino() && self.device == meta.dev()
    }
}

/// Refuses a path that cannot stand, as it is, in every file and on every command line of HAProxy, Apache, PHP and
/// MariaDB: a blank ends a word there, `:` an element of a list, `#` a line; each has its own way to say them
/// otherwise, or none.
pub fn plain(root: &Path) -> Result<(), HomeError> {
    let wrong = |found| Err(HomeError::Letters { path: root.to_owned(), found });
    let Some(text) = root.to_str() else { return wrong(char::REPLACEMENT_CHARACTER) };
    text.chars().find(|c| !c.is_alphanumeric() && !"/-_.+@".contains(*c)).map_or(Ok(()), wrong)
}

const ROSTER: &str = "roster";

fn us() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Makes a folder for the sockets of a folder with a long path. Root has a place where nobody else can make folders.
/// Anybody else gets a folder with a name that cannot be known before it is theirs.
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

/// Whether it is a folder, no link to one, that is ours and in which nobody else may write.
fn own_folder(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|m| m.is_dir() && m.uid() == us() && m.mode() & 0o022 == 0)
}

/// The command line's socket of the cluster in a folder that may not be one yet.
pub fn socket_of(root: &Path) -> PathBuf {
    let known = || {
        let root = root.canonicalize().ok()?;
        let text = files::plain_text(&root.join("cluster.json")).ok()?;
        let known = serde_json::from_str::<Identity>(&text).ok()?;
        // What is said to a copy is not meant for the original.
        let run =
            known.run.clone().filter(|_| std::fs::metadata(&root).is_ok_and(|m| known.is_of(&root, &m)))?;
        // After `down` somebody else may have made one of that name.
        let owner = |path: &Path| std::fs::symlink_metadata(path).ok().map(|m| m.uid());
        (owner(&run) == owner(&root)).then_some(run)
    };
    known().unwrap_or_else(|| root.join("run")).join("cordee.sock")
}

#[cfg(test)]
mod tests;
