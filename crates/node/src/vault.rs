//! The logins that the operator typed for databases that existed already. They are sealed in the state file, with a
//! key of their own.
//!
//! The key lies beside the state file and is readable by its owner only: a copy of one file without the other opens
//! nothing.

use std::io::Read as _;
use std::path::Path;

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use cordee_domain::problem::Problem;
use cordee_domain::text;
use serde::{Deserialize, Serialize};

/// Other files with secrets are read in the same way as the key: only if they are plain files, and without waiting.
pub use crate::files::{no_file, plain_text};
use crate::secrets::write_private;

/// An account of a database: its name and password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    user: String,
    password: String,
}

/// The login must not appear in a log.
impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Login(…)")
    }
}

/// MariaDB's longest account name, in characters.
const LONGEST_USER: usize = 80;
/// The longest password that is taken, in octets.
const LONGEST_PASSWORD: usize = 256;

/// The cluster's own accounts (`mysql::account`), which Cordée recreates on each database.
const OWN: [&str; 5] = ["cordee", "cordee_repl", "site_app", "site_monitor", "site_owner"];

impl Login {
    /// Parses what the operator typed, and reports all problems at once.
    pub fn parse(user: &str, password: &str) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let user = user.trim();
        if user.is_empty() || user.chars().count() > LONGEST_USER || user.chars().any(char::is_control) {
            problems.push(Problem::invalid("user", text!("problem-login-user", most = LONGEST_USER)));
        } else if OWN.contains(&user) {
            problems.push(Problem::conflict("user", text!("problem-login-own", user = user)));
        }
        if password.is_empty() || password.len() > LONGEST_PASSWORD || password.chars().any(char::is_control)
        {
            problems
                .push(Problem::invalid("password", text!("problem-login-password", most = LONGEST_PASSWORD)));
        }
        if problems.is_empty() {
            Ok(Self { user: user.to_owned(), password: password.to_owned() })
        } else {
            Err(problems)
        }
    }

    /// Returns the account's name.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Returns the password, for a connection or for a file that only its owner reads.
    pub fn password(&self) -> &str {
        &self.password
    }
}

/// Seals and opens logins.
#[derive(Clone)]
pub struct Vault {
    cipher: XChaCha20Poly1305,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault(…)")
    }
}

fn key(text: &str) -> Option<[u8; KEY]> {
    bytes(text.trim()).and_then(|b| <[u8; KEY]>::try_from(b).ok())
}

const KEY: usize = 32;
const NONCE: usize = 24;

impl Vault {
    /// Reports whether a text is a key.
    pub fn is_key(text: &str) -> bool {
        key(text).is_some()
    }

    /// Reads the key; makes it if it does not exist.
    pub fn load(path: &Path) -> std::io::Result<Self> {
        let text = match plain_text(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let text = hex(&fresh::<KEY>().ok_or_else(|| std::io::Error::other("no random bytes"))?);
                write_private(path, &text)?;
                text
            }
            Err(error) => return Err(error),
        };
        let key = key(&text);
        let key = key.ok_or_else(|| std::io::Error::other("the key file is damaged"))?;
        Ok(Self { cipher: XChaCha20Poly1305::new(&Key::from(key)) })
    }

    /// Seals a login for the server with that id; `None` if the system gives no random bytes.
    pub fn seal(&self, server: u32, login: &Login) -> Option<Vec<u8>> {
        let nonce = fresh::<NONCE>()?;
        let plain = serde_json::to_vec(login).ok()?;
        let payload = Payload { msg: &plain, aad: &server.to_le_bytes() };
        let mut sealed = nonce.to_vec();
        sealed.extend(self.cipher.encrypt(&XNonce::from(nonce), payload).ok()?);
        Some(sealed)
    }

    /// Opens what was sealed for the server with that id; `None` if it was sealed for another id or with another
    /// key.
    pub fn open(&self, server: u32, sealed: &[u8]) -> Option<Login> {
        let (nonce, body) = sealed.split_at_checked(NONCE)?;
        let nonce = <[u8; NONCE]>::try_from(nonce).ok()?;
        let payload = Payload { msg: body, aad: &server.to_le_bytes() };
        let plain = self.cipher.decrypt(&XNonce::from(nonce), payload).ok()?;
        serde_json::from_slice(&plain).ok()
    }
}

fn fresh<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).ok()?;
    Some(bytes)
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, b| {
        let _ = write!(text, "{b:02x}");
        text
    })
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(hex.get(i..i + 2)?, 16).ok()).collect()
}

/// How many octets of a password file are read at most.
const LONGEST_FILE: u64 = 1_024;

/// Reads a password from a file that only its owner may read, without the line ending.
pub fn read_password(path: &Path) -> std::io::Result<String> {
    use std::os::unix::fs::MetadataExt as _;
    let file = std::fs::OpenOptions::new().read(true).open(path)?;
    if file.metadata()?.mode() & 0o077 != 0 {
        return Err(std::io::Error::from(std::io::ErrorKind::PermissionDenied));
    }
    first_line(file)
}

/// Returns the first line of the input, bounded.
pub fn first_line(from: impl std::io::Read) -> std::io::Result<String> {
    let mut text = String::new();
    from.take(LONGEST_FILE).read_to_string(&mut text)?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault() -> Vault {
        Vault { cipher: XChaCha20Poly1305::new(&Key::from([7; KEY])) }
    }

    #[test]
    fn what_is_sealed_for_one_server_is_opened_for_it_alone() {
        let login = Login::parse("ana", "corde de rappel").unwrap();
        let sealed = vault().seal(5, &login).unwrap();
        assert_eq!(vault().open(5, &sealed), Some(login.clone()));
        assert_eq!(vault().open(6, &sealed), None, "another server's");
        let other = Vault { cipher: XChaCha20Poly1305::new(&Key::from([8; KEY])) };
        assert_eq!(other.open(5, &sealed), None, "another key");
        let mut touched = sealed.clone();
        touched[NONCE + 3] ^= 1;
        assert_eq!(vault().open(5, &touched), None, "altered");
        assert_eq!(vault().open(5, &sealed[..10]), None, "cut off");
        assert_ne!(vault().seal(5, &login).unwrap(), sealed, "each time another nonce");
        assert!(!sealed.windows(5).any(|w| w == b"corde"));
    }

    #[test]
    fn nothing_of_it_is_printed() {
        let login = Login::parse("ana", "secret").unwrap();
        assert_eq!(format!("{login:?} {:?}", vault()), "Login(…) Vault(…)");
    }

    #[test]
    fn what_cannot_be_a_login_is_refused_at_its_field() {
        let fields = |user: &str, password: &str| {
            let problems = Login::parse(user, password).err().unwrap_or_default();
            problems.into_iter().map(|p| p.field).collect::<Vec<_>>()
        };
        assert_eq!(fields("", ""), ["user", "password"]);
        assert_eq!(fields("a\nb", "p\0q"), ["user", "password"]);
        assert_eq!(fields("cordee_repl", "p"), ["user"]);
        assert_eq!(fields(&"a".repeat(81), &"b".repeat(257)), ["user", "password"]);
        assert!(fields("ana", "it's \"fine\" \\ # é").is_empty());
    }

    #[test]
    fn a_key_is_made_once_and_private() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = std::env::temp_dir().join(format!("cordee-vault-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("key");
        let login = Login::parse("ana", "p").unwrap();
        let sealed = Vault::load(&path).unwrap().seal(1, &login).unwrap();
        assert_eq!(Vault::load(&path).unwrap().open(1, &sealed), Some(login));
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn only_a_private_file_gives_a_password() {
        use std::os::unix::fs::PermissionsExt as _;
        let path = std::env::temp_dir().join(format!("cordee-password-{}", std::process::id()));
        std::fs::write(&path, "corde 60 m\nmore\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(read_password(&path).is_err());
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(read_password(&path).unwrap(), "corde 60 m");
        std::fs::remove_file(&path).unwrap();
    }
}
