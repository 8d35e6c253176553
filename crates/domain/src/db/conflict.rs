//! What MariaDB says when a link stops at a row that is there already.

use super::verify::TableName;

/// The row that stands in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// In which table.
    pub table: TableName,
    /// Of which unique key the values are taken; `PRIMARY` for the primary one.
    pub key: String,
    /// The values, as MariaDB writes them: with a hyphen between those of several columns.
    pub entry: String,
}

/// Reads `Last_SQL_Error` of error 1062, as MariaDB 10.11 writes it in English. `None`: it says something else.
pub fn parse(words: &str) -> Option<Conflict> {
    let (table, rest) = words.split_once(" event on table ")?.1.split_once("; Duplicate entry '")?;
    let (schema, table) = table.split_once('.')?;
    // A value may hold any words, the end of the sentence holds none.
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
        let said = "Could not execute Write_rows_v1 event on table site.note; Duplicate entry 'it''s' for key 'x' for key \
                    'PRIMARY', Error_code: 1062; handler error HA_ERR_FOUND_DUPP_KEY; the event's master log FIRST";
        let found = parse(said).expect("a conflict");
        assert_eq!((found.table.to_string().as_str(), found.key.as_str()), ("site.note", "PRIMARY"));
        assert_eq!(found.entry, "it''s' for key 'x");
        assert_eq!(
            parse("Could not execute Update_rows_v1 event on table site.note; Can't find record"),
            None
        );
        assert_eq!(parse(""), None);
    }
}
