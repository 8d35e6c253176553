//! A channel that stopped at a conflict of rows: what MariaDB reports, and how the channel gets past it.

use serde::{Deserialize, Serialize};

use super::verify::{Side, TableName};
use crate::text;
use crate::text::Text;

/// MariaDB's error number for a row that exists already.
pub const DUPLICATE: u32 = 1062;
/// MariaDB's error number for a row that does not exist.
pub const NOT_FOUND: u32 = 1032;
/// The most conflicts that one repair gets past. If there are more, a fresh copy is quicker and safer.
pub const MOST: u32 = 50;

/// The row that is in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Its table.
    pub table: TableName,
    /// The unique key that the values belong to; `PRIMARY` for the primary key.
    pub key: String,
    /// The values, as MariaDB writes them: those of several columns are joined by hyphens.
    pub entry: String,
}

/// How a channel gets past the event at which it stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// No conflict of rows is in the way.
    Free,
    /// The row that exists already is saved, then removed.
    Remove(Conflict),
    /// The operation on a missing row is skipped, so nothing is overwritten. The comparison that follows copies the
    /// row if the writer has it.
    Skip,
}

/// Decides by the error number and MariaDB's message. While a channel is stopped, only the reference's rows can be
/// kept: the next events rely on them.
pub fn way(error: u32, words: &str, side: Side) -> Result<Way, Text> {
    match error {
        DUPLICATE | NOT_FOUND if side == Side::Other => Err(text!("repair-writer-only")),
        DUPLICATE => {
            let conflict = parse(words).ok_or_else(|| text!("repair-unknown-row", table = "?"))?;
            Ok(Way::Remove(conflict))
        }
        NOT_FOUND => Ok(Way::Skip),
        _ => Ok(Way::Free),
    }
}

/// One row as it stands on the two databases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versions {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The row's values on the database that is copied; absent when it has no such row.
    pub there: Option<Vec<String>>,
    /// The row's values on the database whose channel stopped.
    pub here: Option<Vec<String>>,
}

/// A conflict, as it is shown to the person who decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// Table and key of the row.
    pub at: Option<(TableName, String)>,
    /// Both versions, or why they cannot be shown.
    pub versions: Result<Versions, Text>,
    /// The operation, row by row, in `mariadb-binlog`'s notation; empty when it cannot be read.
    pub statement: String,
}

/// The longest value that is shown, in characters.
pub const VALUE_SHOWN: usize = 200;

/// Shortens a row's value for display.
pub fn value(text: &str) -> String {
    let cut: String = text.chars().take(VALUE_SHOWN).collect();
    if text.chars().count() > VALUE_SHOWN { format!("{cut}…") } else { cut }
}

/// Returns the table that the message names.
pub fn table(words: &str) -> Option<TableName> {
    let (name, _) = words.split_once(" event on table ")?.1.split_once(';')?;
    let (schema, table) = name.split_once('.')?;
    Some(TableName { schema: schema.to_owned(), table: table.to_owned() })
}

/// Returns where the event is in the log of the database that is copied: the file, and the number after
/// `end_log_pos`.
pub fn place(words: &str) -> Option<(String, u64)> {
    let (_, rest) = words.split_once("the event's master log ")?;
    let (file, rest) = rest.split_once(", end_log_pos ")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    let plain = !file.is_empty() && file.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-');
    Some((plain.then(|| file.to_owned())?, digits.parse().ok()?))
}

/// Returns the last event of a text written by `mariadb-binlog --verbose`, without its `###` marks and with column
/// names in place of column numbers. At most `most` lines.
pub fn event(text: &str, columns: &[String], most: usize) -> String {
    let lines: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    let begins = |line: &&str| ["INSERT INTO", "UPDATE", "DELETE FROM"].iter().any(|w| line.starts_with(w));
    let first = lines.iter().rposition(begins).unwrap_or(lines.len());
    lines.iter().skip(first).take(most).map(|line| named(line, columns)).collect::<Vec<_>>().join("\n")
}

/// Turns `  @2=7` into `  name=7`.
fn named(line: &str, columns: &[String]) -> String {
    let name = || {
        let (number, value) = line.trim_start().strip_prefix('@')?.split_once('=')?;
        let column = columns.get(number.parse::<usize>().ok()?.checked_sub(1)?)?;
        Some(format!("  {column}={}", self::value(value)))
    };
    name().unwrap_or_else(|| line.to_owned())
}

/// Parses `Last_SQL_Error` of error 1062, as MariaDB 10.11 writes it in English. `None`: the message has another
/// form.
pub fn parse(words: &str) -> Option<Conflict> {
    let (table, rest) = words.split_once(" event on table ")?.1.split_once("; Duplicate entry '")?;
    let (schema, table) = table.split_once('.')?;
    // A value may contain any words; the end of the sentence does not.
    let (entry, key) = rest.rsplit_once("' for key '")?;
    let (key, _) = key.split_once('\'')?;
    Some(Conflict {
        table: TableName { schema: schema.to_owned(), table: table.to_owned() },
        key: key.to_owned(),
        entry: entry.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_row_in_the_way_is_read_from_the_words() {
        let said = "Could not execute Write_rows_v1 event on table site.note; \
                    Duplicate entry 'it''s' for key 'x' for key 'PRIMARY', \
                    Error_code: 1062; handler error HA_ERR_FOUND_DUPP_KEY; the event's master log FIRST";
        let found = parse(said).expect("a conflict");
        assert_eq!((found.table.to_string().as_str(), found.key.as_str()), ("site.note", "PRIMARY"));
        assert_eq!(found.entry, "it''s' for key 'x");
        assert_eq!(
            parse("Could not execute Update_rows_v1 event on table site.note; Can't find record"),
            None
        );
        assert_eq!(parse(""), None);
    }

    const TWICE: &str = "Could not execute Write_rows_v1 event on table site.note; \
                         Duplicate entry '7-a' for key 'pair', \
                         Error_code: 1062; handler error HA_ERR_FOUND_DUPP_KEY; the event's master log log.000003, \
                         end_log_pos 1234, Gtid 1-1-5, Internal MariaDB error code: 1062";

    #[test]
    fn a_conflict_is_passed_by_the_writers_rows_only() {
        let row = Conflict {
            table: TableName { schema: "site".to_owned(), table: "note".to_owned() },
            key: "pair".to_owned(),
            entry: "7-a".to_owned(),
        };
        assert_eq!(way(DUPLICATE, TWICE, Side::Reference), Ok(Way::Remove(row)));
        assert_eq!(way(NOT_FOUND, "Can't find record in 'note'", Side::Reference), Ok(Way::Skip));
        assert_eq!(way(0, "", Side::Other), Ok(Way::Free));
        assert_eq!(
            way(1236, "", Side::Reference),
            Ok(Way::Free),
            "the comparison says that it cannot catch up"
        );
        for error in [DUPLICATE, NOT_FOUND] {
            assert_eq!(way(error, TWICE, Side::Other), Err(text!("repair-writer-only")));
        }
        assert!(way(DUPLICATE, "in another language", Side::Reference).is_err());
    }

    #[test]
    fn the_place_in_the_log_is_read_from_the_words() {
        assert_eq!(place(TWICE), Some(("log.000003".to_owned(), 1234)));
        assert_eq!(place("the event's master log ../../etc/passwd, end_log_pos 1"), None);
        assert_eq!(place("the event's master log FIRST, end_log_pos "), None);
        assert_eq!(place(""), None);
    }

    #[test]
    fn the_last_event_is_shown_with_its_columns_names() {
        let text = "#x\n### INSERT INTO `site`.`note`\n### SET\n###   @1=1\n# at 9\n### UPDATE `site`.`note`\n\
                    ### WHERE\n\
                    ###   @1=7\n###   @2='it=s'\n### SET\n###   @1=7\n###   @3=NULL\n#end\n";
        let columns = ["id".to_owned(), "name".to_owned()];
        let want = "UPDATE `site`.`note`\nWHERE\n  id=7\n  name='it=s'\nSET\n  id=7\n  @3=NULL";
        assert_eq!(event(text, &columns, 40), want);
        assert_eq!(event(text, &columns, 1), "UPDATE `site`.`note`");
        assert_eq!(event("nothing", &columns, 40), "");
    }
}
