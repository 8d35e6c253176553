//! Accounts, and which of them can write to a closed database.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// One account, without its password in any form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// User name.
    pub user: String,
    /// The host that it may connect from.
    pub host: String,
    /// Global rights (`*.*`), by MariaDB's names.
    pub everywhere: BTreeSet<String>,
    /// Schemas on which it has rights.
    pub schemas: BTreeSet<String>,
}

/// Accounts that Cordée or MariaDB create; `cordee` itself opens and closes databases.
const KNOWN: [&str; 3] = ["root", "mysql", "mariadb.sys"];

/// Whether `read_only` on a closed database stops an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fence {
    /// It is stopped, as it should be.
    Held,
    /// MariaDB or Cordée need the account to pass.
    Keeper,
    /// It holds `SUPER`, which writes to a closed database before MariaDB 10.11. On 10.11 it does not (measured).
    Super,
    /// It holds `READ_ONLY ADMIN`, alone or with everything else: it writes to a closed database.
    Passes,
}

impl Account {
    /// Returns whether `read_only` stops the account.
    pub fn fence(&self) -> Fence {
        let has = |right: &str| self.everywhere.contains(right);
        match () {
            () if KNOWN.contains(&self.user.as_str()) || self.user.starts_with("cordee") => Fence::Keeper,
            () if has("READ_ONLY ADMIN") => Fence::Passes,
            () if has("SUPER") => Fence::Super,
            () => Fence::Held,
        }
    }

    /// Reports whether the account may do nearly everything everywhere, as after `GRANT ALL ON *.*`.
    pub fn may_all(&self) -> bool {
        let all = ["SUPER", "CREATE USER", "SELECT", "DELETE", "DROP", "RELOAD", "READ_ONLY ADMIN"];
        all.iter().all(|right| self.everywhere.contains(*right))
    }
}

/// The rights of the application's account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// Rights on its schema that the application needs and does not have.
    pub lacking: Vec<&'static str>,
    /// Global rights that it does not need.
    pub more: Vec<String>,
    /// Whether one of them allows writing to a closed database, or did so before MariaDB 10.11.
    pub passes: bool,
}

/// The rights that the site needs for its tables.
const NEEDED: [&str; 4] = ["SELECT", "INSERT", "UPDATE", "DELETE"];

/// Parses the lines of `SHOW GRANTS`. Only global rights and rights on the whole schema count; the application would
/// have to enable a role itself.
pub fn rights(grants: &[String], schema: &str) -> Rights {
    let (mut held, mut found) = (BTreeSet::new(), Rights::default());
    for line in grants {
        let Some((what, rest)) = line.strip_prefix("GRANT ").and_then(|l| l.split_once(" ON ")) else {
            continue;
        };
        let object = rest.split_once(" TO ").map_or(rest, |(object, _)| object).replace(['`', '\\'], "");
        let everywhere = object == "*.*";
        if !everywhere && object != format!("{schema}.*") {
            continue;
        }
        for right in what.split(", ").map(|r| r.trim().to_ascii_uppercase()) {
            if right.starts_with("ALL") {
                held.extend(NEEDED.map(str::to_owned));
            }
            if everywhere && right != "USAGE" {
                found.passes |= right.starts_with("ALL") || right == "SUPER" || right == "READ_ONLY ADMIN";
                found.more.push(right.clone());
            }
            held.insert(right);
        }
    }
    found.lacking = NEEDED.into_iter().filter(|right| !held.contains(*right)).collect();
    found
}
