//! Where everything lives under `CORDEE_HOME`, and whose it is.

use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use cordee_domain::ids::{PoolId, ServerName};
use serde::{Deserialize, Serialize};

use crate::random;

/// The folder of one cluster.
#[derive(Clone, Debug)]
pub struct Home {
    /// `CORDEE_HOME` itself, absolute.
    pub root: PathBuf,
    /// Identity of the cluster.
    pub id: String,
}

/// What makes this folder this cluster. A copy of the folder has another inode, and so another identity: it
/// must never adopt the original's processes.
#[derive(Debug, Serialize, Deserialize)]
struct Identity {
    schema: u32,
    id: String,
    path: PathBuf,
    inode: u64,
    device: u64,
}

/// Version of the folder's layout.
const SCHEMA: u32 = 1;

/// Why the folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// Reading or writing in it.
    #[error("cannot use {path}", path = path.display())]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Made by a newer version.
    #[error("{path} was made by a newer Cordée (layout {found}); use that one", path = path.display())]
    Newer {
        /// The folder.
        path: PathBuf,
        /// Its layout.
        found: u32,
    },
    /// Somebody else may put things into it.
    #[error("{path} belongs to another user, or others may write there", path = path.display())]
    Foreign {
        /// The folder, or one above it.
        path: PathBuf,
    },
    /// No randomness.
    #[error("the system gave no random bytes")]
    Random,
}

impl Home {
    /// Opens the folder, making it when it is not there.
    pub fn open(root: &Path) -> Result<Self, HomeError> {
        let wrap = |path: &Path| {
            let path = path.to_owned();
            move |source| HomeError::Io { path, source }
        };
        std::fs::create_dir_all(root).map_err(wrap(root))?;
        let root = root.canonicalize().map_err(wrap(root))?;
        for folder in root.ancestors() {
            let meta = std::fs::metadata(folder).map_err(wrap(folder))?;
            if !ours(&meta, folder == root) {
                return Err(HomeError::Foreign { path: folder.to_owned() });
            }
        }
        // Others may pass through to what is theirs; what is secret has modes of its own.
        std::fs::set_permissions(&root, std::fs::Permissions::from_mode(0o755)).map_err(wrap(&root))?;
        let meta = std::fs::metadata(&root).map_err(wrap(&root))?;
        let file = root.join("cluster.json");
        if let Ok(text) = std::fs::read_to_string(&file)
            && let Ok(known) = serde_json::from_str::<Identity>(&text)
        {
            if known.schema > SCHEMA {
                return Err(HomeError::Newer { path: root, found: known.schema });
            }
            if known.path == root && known.inode == meta.ino() && known.device == meta.dev() {
                return Ok(Self { root, id: known.id });
            }
        }
        let id = random::token(4).ok_or(HomeError::Random)?;
        let identity = Identity {
            schema: SCHEMA,
            id: id.clone(),
            path: root.clone(),
            inode: meta.ino(),
            device: meta.dev(),
        };
        let text = serde_json::to_string_pretty(&identity).unwrap_or_default();
        std::fs::write(&file, text).map_err(wrap(&file))?;
        Ok(Self { root, id })
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

    /// Held by the one `cordee serve` of this cluster.
    pub fn lock(&self) -> PathBuf {
        self.root.join("serve.lock")
    }

    /// Generated passwords and keys.
    pub fn secrets(&self) -> PathBuf {
        self.root.join("secrets.json")
    }

    /// The key to the databases' logins in the state file.
    pub fn login_key(&self) -> PathBuf {
        self.root.join("logins.key")
    }

    /// Sockets. HAProxy binds a temporary name first, so 97 octets are its limit: under a long path they live
    /// in `/tmp` instead.
    pub fn run(&self) -> PathBuf {
        let own = self.root.join("run");
        if own.as_os_str().len() <= 60 { own } else { PathBuf::from(format!("/tmp/cordee-{}", self.id)) }
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

/// Whether nobody else may rename or add anything in a folder: the one that is asked for is ours, those above it are ours
/// or root's. Where everybody may write, the sticky bit keeps names their owners'.
fn ours(meta: &std::fs::Metadata, itself: bool) -> bool {
    let us = rustix::process::geteuid().as_raw();
    let owned = meta.uid() == us || (meta.uid() == 0 && !itself);
    owned && (meta.mode() & 0o002 == 0 || (!itself && meta.mode() & 0o1000 != 0))
}

/// The command line's socket of the cluster in a folder that may not be one yet.
pub fn socket_of(root: &Path) -> PathBuf {
    let known = || {
        let root = root.canonicalize().ok()?;
        let text = std::fs::read_to_string(root.join("cluster.json")).ok()?;
        let identity = serde_json::from_str::<Identity>(&text).ok()?;
        Some(Home { root, id: identity.id }.socket())
    };
    known().unwrap_or_else(|| root.join("run/cordee.sock"))
}

/// Whom a program runs as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct User {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
}

/// The users of the programs that Cordée starts: Debian's own when it runs as root, else its own user for all.
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
    /// Looks them up. `Err` names the one that is missing.
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
