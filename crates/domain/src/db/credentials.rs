//! The accounts that every database has: what they are made with is what they are watched for.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// Where they come from: all use TCP, from this machine.
pub const HOST: &str = "127.0.0.1";

/// Name and rights.
pub const SHARED: [(&str, &str); 4] = [
    (super::channels::ACCOUNT, "REPLICATION SLAVE ON *.*"),
    ("site_app", "SELECT, INSERT, UPDATE, DELETE ON site.*"),
    (
        "site_owner",
        "SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES, CREATE VIEW, SHOW VIEW, TRIGGER, \
         CREATE ROUTINE, ALTER ROUTINE, EXECUTE, CREATE TEMPORARY TABLES, LOCK TABLES, EVENT ON site.*",
    ),
    // For whoever watches the databases from outside; it reads no row.
    ("site_monitor", "PROCESS, SLAVE MONITOR ON *.*"),
];

/// What the owner may not do while all databases write. A channel brings rows by the places of their columns: what
/// another database writes while a table's columns change ends up in the wrong ones, without an error. A table that is
/// emptied or replaced keeps what another one writes meanwhile.
pub const WITHHELD: [&str; 2] = ["ALTER", "DROP"];

/// The account that they are withheld from.
pub const OWNER: &str = "site_owner";

/// The rights of an account; `shared`: all databases write.
pub fn rights(name: &str, grant: &str, shared: bool) -> String {
    let (rights, on) = grant.split_once(" ON ").unwrap_or((grant, "*.*"));
    let withheld = |right: &&str| shared && name == OWNER && WITHHELD.contains(right);
    let rights: Vec<&str> = rights.split(", ").filter(|right| !withheld(right)).collect();
    format!("{} ON {on}", rights.join(", "))
}

/// The statement that withholds them, or gives them back.
pub fn schema_changes(withheld: bool) -> String {
    let rights = WITHHELD.join(", ");
    let (verb, to) = if withheld { ("REVOKE", "FROM") } else { ("GRANT", "TO") };
    format!("{verb} {rights} ON site.* {to} '{OWNER}'@'{HOST}'")
}

/// One account as it was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    /// It may sign in, and with the password that it was given.
    pub signs_in: bool,
    /// Its rights on everything, or on the site's schema.
    pub rights: BTreeSet<String>,
    /// Those on the site's schema. What somebody gave it on everything, Cordée's account may not take back.
    #[serde(default)]
    pub on_site: BTreeSet<String>,
}

/// The first account that lacks something, and what: the account itself, its password, or a right.
pub fn lacking(found: &BTreeMap<String, Credentials>, shared: bool) -> Option<String> {
    SHARED.into_iter().find_map(|(name, grant)| {
        let Some(account) = found.get(name) else { return Some(name.to_owned()) };
        if !account.signs_in {
            return Some(format!("{name} (IDENTIFIED BY)"));
        }
        let grant = rights(name, grant, shared);
        let rights = grant.split_once(" ON ").map_or(grant.as_str(), |(rights, _)| rights);
        let lacks: Vec<&str> = rights.split(", ").filter(|r| !account.rights.contains(*r)).collect();
        (!lacks.is_empty()).then(|| format!("{name} ({})", lacks.join(", ")))
    })
}

/// What the owner was given on the site's schema, and is withheld while all databases write.
pub fn excess(found: &BTreeMap<String, Credentials>) -> Option<String> {
    let account = found.get(OWNER)?;
    let has: Vec<&str> = WITHHELD.into_iter().filter(|right| account.on_site.contains(*right)).collect();
    (!has.is_empty()).then(|| format!("{OWNER} ({})", has.join(", ")))
}

/// Rights on everything that walk through a closed door.
const PASSES: [&str; 3] = ["READ_ONLY ADMIN", "SUPER", "ALL PRIVILEGES"];

/// An account of the application's that may write to a closed database, and by which right.
pub fn passing(found: &BTreeMap<String, Credentials>) -> Option<(&str, &str)> {
    SHARED.into_iter().skip(1).find_map(|(name, _)| {
        let right = PASSES.into_iter().find(|r| found.get(name).is_some_and(|a| a.rights.contains(*r)))?;
        Some((name, right))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> BTreeMap<String, Credentials> {
        let one = |(name, grant): (&str, &str)| {
            let (rights, on) = grant.split_once(" ON ").unwrap();
            let rights: BTreeSet<String> = rights.split(", ").map(str::to_owned).collect();
            let on_site = if on == "site.*" { rights.clone() } else { BTreeSet::new() };
            (name.to_owned(), Credentials { signs_in: true, rights, on_site })
        };
        SHARED.into_iter().map(one).collect()
    }

    #[test]
    fn what_an_account_lacks_is_named() {
        assert_eq!(lacking(&all(), false), None);
        let mut found = all();
        found.get_mut("site_app").unwrap().rights.remove("DELETE");
        assert_eq!(lacking(&found, true).as_deref(), Some("site_app (DELETE)"));
        found.get_mut("site_app").unwrap().signs_in = false;
        assert_eq!(lacking(&found, false).as_deref(), Some("site_app (IDENTIFIED BY)"));
        found.remove("cordee_repl");
        assert_eq!(lacking(&found, false).as_deref(), Some("cordee_repl"));
        let mut found = all();
        found.remove("site_monitor");
        assert_eq!(
            lacking(&found, false).as_deref(),
            Some("site_monitor"),
            "as in a cluster of an older version"
        );
    }

    #[test]
    fn the_owner_alters_and_removes_no_table_while_all_write() {
        let mut found = all();
        assert_eq!(excess(&found).as_deref(), Some("site_owner (ALTER, DROP)"));
        for right in WITHHELD {
            found.get_mut(OWNER).unwrap().rights.remove(right);
            found.get_mut(OWNER).unwrap().on_site.remove(right);
        }
        assert_eq!((excess(&found), lacking(&found, true)), (None, None));
        assert_eq!(lacking(&found, false).as_deref(), Some("site_owner (ALTER, DROP)"));
        // Given on everything, it is nothing that is taken back on the schema, again and again.
        let mut everywhere = found.clone();
        everywhere.get_mut(OWNER).unwrap().rights.extend(WITHHELD.map(str::to_owned));
        assert_eq!(excess(&everywhere), None);
        let (_, grant) = SHARED[2];
        assert_eq!(rights(OWNER, grant, false), grant);
        assert!(!rights(OWNER, grant, true).contains(" DROP"), "{grant}");
        assert_eq!(schema_changes(true), "REVOKE ALTER, DROP ON site.* FROM 'site_owner'@'127.0.0.1'");
    }

    #[test]
    fn a_right_that_passes_a_closed_door_is_named() {
        let mut found = all();
        assert_eq!(passing(&found), None);
        found.get_mut("site_owner").unwrap().rights.insert("READ_ONLY ADMIN".to_owned());
        assert_eq!(passing(&found), Some(("site_owner", "READ_ONLY ADMIN")));
    }
}
