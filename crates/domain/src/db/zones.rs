//! Named time zones: the output of `mariadb-tzinfo-to-sql` for this machine, turned into Cordée's own statements.
//!
//! A statement that was logged under a named zone stops the channel of a database that does not know the zone (error
//! 1298), so a database that takes writes gets the zones only after the others have them.

use std::fmt::Write as _;

/// Where Debian keeps the zones.
pub const FOLDER: &str = "/usr/share/zoneinfo";

/// Rows in one statement.
const ROWS: usize = 4_000;

/// The names come last and in one statement: a database that has names has everything.
const TABLES: [&str; 4] =
    ["time_zone_name", "time_zone", "time_zone_transition", "time_zone_transition_type"];

#[derive(Debug, Default)]
struct Zone {
    name: String,
    leap: bool,
    transitions: Vec<(i64, u32)>,
    types: Vec<(u32, i64, bool, String)>,
}

/// Returns the statements that fill a database's zone tables, from the program's output. The duplicates under
/// `posix/` and `right/`, which few know, are left out. `None` if any part of the output is not understood, or if
/// there is no zone.
pub fn statements(said: &str) -> Option<Vec<String>> {
    let zones = read(said)?;
    let kept: Vec<&Zone> =
        zones.iter().filter(|z| !z.name.starts_with("posix/") && !z.name.starts_with("right/")).collect();
    if kept.is_empty() {
        return None;
    }
    let lock = TABLES.map(|table| format!("mysql.{table} WRITE")).join(", ");
    let mut all = vec![format!("LOCK TABLES {lock}")];
    all.extend(TABLES.map(|table| format!("DELETE FROM mysql.{table}")));
    let numbered = || kept.iter().zip(1_u32..);
    let zone = |(zone, id): (&&Zone, u32)| format!("({id},'{}')", if zone.leap { 'Y' } else { 'N' });
    insert(&mut all, "time_zone (Time_zone_id, Use_leap_seconds)", numbered().map(zone));
    let transitions = numbered()
        .flat_map(|(zone, id)| zone.transitions.iter().map(move |(at, to)| format!("({id},{at},{to})")));
    insert(&mut all, "time_zone_transition (Time_zone_id, Transition_time, Transition_type_id)", transitions);
    let types = numbered().flat_map(|(zone, id)| {
        zone.types
            .iter()
            .map(move |(to, offset, dst, word)| format!("({id},{to},{offset},{},'{word}')", u8::from(*dst)))
    });
    insert(
        &mut all,
        "time_zone_transition_type (Time_zone_id, Transition_type_id, `Offset`, Is_DST, Abbreviation)",
        types,
    );
    let names: Vec<String> = numbered().map(|(zone, id)| format!("('{}',{id})", zone.name)).collect();
    all.push(format!("INSERT INTO mysql.time_zone_name (Name, Time_zone_id) VALUES {}", names.join(",")));
    all.push("UNLOCK TABLES".to_owned());
    Some(all)
}

fn insert(all: &mut Vec<String>, into: &str, rows: impl Iterator<Item = String>) {
    let rows: Vec<String> = rows.collect();
    for some in rows.chunks(ROWS) {
        let mut statement = format!("INSERT INTO mysql.{into} VALUES ");
        let _ = write!(statement, "{}", some.join(","));
        all.push(statement);
    }
}

/// Parses the program's output. Rows belong to the zone that was named last.
fn read(said: &str) -> Option<Vec<Zone>> {
    let mut zones: Vec<Zone> = Vec::new();
    let (mut leap, mut types) = (false, false);
    for line in said.lines() {
        if let Some(rest) = line.strip_prefix("INSERT INTO time_zone (Use_leap_seconds) VALUES ('") {
            leap = rest.starts_with('Y');
        } else if let Some(rest) =
            line.strip_prefix("INSERT INTO time_zone_name (Name, Time_zone_id) VALUES ('")
        {
            let name = word(rest.strip_suffix("', @time_zone_id);")?)?;
            zones.push(Zone { name, leap, ..Zone::default() });
        } else if line.starts_with("INSERT INTO time_zone_transition_type ") {
            types = true;
        } else if line.starts_with("INSERT INTO time_zone_transition ") {
            types = false;
        } else if let Some(rest) = line.get(1..).and_then(|l| l.strip_prefix("(@time_zone_id, ")) {
            let row: Vec<&str> = rest.strip_suffix(')')?.split(", ").collect();
            let zone = zones.last_mut()?;
            match row.as_slice() {
                [at, to] if !types => zone.transitions.push((at.parse().ok()?, to.parse().ok()?)),
                [to, offset, dst, name] if types => {
                    let name = word(name.strip_prefix('\'')?.strip_suffix('\'')?)?;
                    zone.types.push((to.parse().ok()?, offset.parse().ok()?, *dst == "1", name));
                }
                _ => return None,
            }
        }
    }
    Some(zones)
}

/// Accepts a zone's name or abbreviation if it holds nothing that would end a literal.
fn word(text: &str) -> Option<String> {
    let fine = |b: u8| b.is_ascii_alphanumeric() || b"_+-/".contains(&b);
    (text.len() <= 64 && text.bytes().all(fine)).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "set @wsrep_is_on=1;\nTRUNCATE TABLE time_zone;\n\
        INSERT INTO time_zone (Use_leap_seconds) VALUES ('N');\nSET @time_zone_id= LAST_INSERT_ID();\n\
        INSERT INTO time_zone_name (Name, Time_zone_id) VALUES ('Africa/Abidjan', @time_zone_id);\n\
        INSERT INTO time_zone_transition (Time_zone_id, Transition_time, Transition_type_id) VALUES\n \
        (@time_zone_id, -1830383032, 1)\n;\n\
        INSERT INTO time_zone_transition_type (Time_zone_id, Transition_type_id, `Offset`, Is_DST, \
        Abbreviation) VALUES\n (@time_zone_id, 0, -968, 0, 'LMT')\n,(@time_zone_id, 1, 0, 1, '+0020')\n;\n\
        INSERT INTO time_zone (Use_leap_seconds) VALUES ('Y');\n\
        INSERT INTO time_zone_name (Name, Time_zone_id) VALUES ('right/UTC', @time_zone_id);\n\
        INSERT INTO time_zone (Use_leap_seconds) VALUES ('N');\n\
        INSERT INTO time_zone_name (Name, Time_zone_id) VALUES ('UTC', @time_zone_id);\nUNLOCK TABLES;\n";

    #[test]
    fn zones_are_numbered_and_their_names_come_last() {
        let all = statements(SAID).expect("zones");
        assert!(all[0].starts_with("LOCK TABLES mysql.time_zone_name WRITE, "), "{}", all[0]);
        assert!(all[1..5].iter().all(|s| s.starts_with("DELETE FROM mysql.time_zone")));
        assert_eq!(
            all[5..],
            [
                "INSERT INTO mysql.time_zone (Time_zone_id, Use_leap_seconds) VALUES (1,'N'),(2,'N')",
                "INSERT INTO mysql.time_zone_transition (Time_zone_id, Transition_time, Transition_type_id) \
                 VALUES (1,-1830383032,1)",
                "INSERT INTO mysql.time_zone_transition_type (Time_zone_id, Transition_type_id, `Offset`, Is_DST, \
                 Abbreviation) VALUES (1,0,-968,0,'LMT'),(1,1,0,1,'+0020')",
                "INSERT INTO mysql.time_zone_name (Name, Time_zone_id) VALUES ('Africa/Abidjan',1),('UTC',2)",
                "UNLOCK TABLES",
            ]
        );
    }

    #[test]
    fn what_is_not_understood_is_not_half_loaded() {
        assert_eq!(statements(""), None);
        assert_eq!(
            statements("INSERT INTO time_zone_name (Name, Time_zone_id) VALUES ('x'), ('y', @time_zone_id);"),
            None
        );
        let odd =
            [("Africa/Abidjan", "x''y"), ("'LMT'", "'L'MT'"), ("-1830383032", "1 + 1"), ("-968, 0", "-968")];
        for (one, other) in odd {
            assert_eq!(statements(&SAID.replace(one, other)), None, "{other}");
        }
    }
}
