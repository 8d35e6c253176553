//! Accounts, and which of them walk through a closed door.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// One account, without its password in any form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// User name.
    pub user: String,
    /// From where.
    pub host: String,
    /// Rights on everything (`*.*`), as MariaDB names them.
    pub everywhere: BTreeSet<String>,
    /// Schemas in which it has rights.
    pub schemas: BTreeSet<String>,
}

/// Accounts that Cordée or MariaDB make; `cordee` itself opens and closes databases.
const KNOWN: [&str; 3] = ["root", "mysql", "mariadb.sys"];

/// How an account stands to the fence around a closed database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fence {
    /// It is held, as it should be.
    Held,
    /// It is one that MariaDB or Cordée need to walk through.
    Keeper,
    /// It holds `SUPER`, which passes before MariaDB 10.11. Measured on 10.11: there it does not.
    Super,
    /// It holds `READ_ONLY ADMIN`, alone or with everything else: it writes to a closed database.
    Passes,
}

impl Account {
    /// How it stands to the fence.
    pub fn fence(&self) -> Fence {
        let has = |right: &str| self.everywhere.contains(right);
        match () {
            () if KNOWN.contains(&self.user.as_str()) || self.user.starts_with("cordee") => Fence::Keeper,
            () if has("READ_ONLY ADMIN") => Fence::Passes,
            () if has("SUPER") => Fence::Super,
            () => Fence::Held,
        }
    }

    /// It may do nearly everything everywhere, as after `GRANT ALL ON *.*`.
    pub fn may_all(&self) -> bool {
        let all = ["SUPER", "CREATE USER", "SELECT", "DELETE", "DROP", "RELOAD", "READ_ONLY ADMIN"];
        all.iter().all(|right| self.everywhere.contains(*right))
    }
}

/// What the application's account may.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// Rights on its schema that the application needs and lacks.
    pub lacking: Vec<&'static str>,
    /// Rights on everything that it does not need.
    pub more: Vec<String>,
    /// Among them one that writes to a closed database, or did so before MariaDB 10.11.
    pub passes: bool,
}

/// What the site does with its tables.
const NEEDED: [&str; 4] = ["SELECT", "INSERT", "UPDATE", "DELETE"];

/// Reads the lines of `SHOW GRANTS`. Only rights on everything and on the whole schema count; a role would have to be
/// switched on by the application.
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
