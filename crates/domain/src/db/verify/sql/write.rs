//! The texts by which rows are written: no more than what differs, each row as it literally is.

use std::fmt::Write as _;

use super::{KeyColumn, Reader, Sql, identifier};

/// How a row is read that is about to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    /// As it is.
    None,
    /// Nobody changes it until the transaction ends.
    Share,
    /// It is changed in this transaction.
    Write,
}

impl Lock {
    const fn words(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Share => " LOCK IN SHARE MODE",
            Self::Write => " FOR UPDATE",
        }
    }
}

/// One column of a unique key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UniqueColumn {
    /// Its name.
    pub name: String,
    /// So many characters of it count; all, if absent.
    pub prefix: Option<u32>,
}

/// One column as a row is written with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) plain: String,
    pub(super) name: String,
    /// Its value, as it is written elsewhere.
    pub(super) read: String,
    /// MariaDB sets it by itself when the row is changed and it is not named.
    pub(super) by_itself: bool,
}

/// A column with values that a dump does not write as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lossy {
    /// Its name.
    pub column: String,
    /// A `FLOAT`, of whose nine digits a dump has six; else an `ENUM` with a member '', which a dump does not tell from
    /// the value that is no member.
    pub float: bool,
}

impl Lossy {
    fn name(&self) -> String {
        format!("t.{}", identifier(&self.column))
    }

    /// Its value, exactly: a product with a DOUBLE has all digits.
    fn exact(&self) -> String {
        format!("{}{}", self.name(), if self.float { "*1e0" } else { "+0" })
    }

    /// Whether a dump alters it.
    fn alters(&self) -> String {
        let name = self.name();
        if self.float {
            format!("NOT ({name} <=> CAST(CONCAT({name}) AS FLOAT))")
        } else {
            format!("{name}+0 = 0")
        }
    }
}

impl Reader {
    /// Reads the whole of one row, to be written elsewhere.
    pub fn whole(&self, key: &[String], lock: Lock) -> Sql {
        let names: Vec<&str> = self.stored.iter().map(|c| c.read.as_str()).collect();
        let text = format!("SELECT {} {} WHERE ", names.join(", "), self.from);
        let mut sql = Sql { text, values: Vec::new() };
        self.write(&self.is(), key, &mut sql);
        sql.text.push_str(lock.words());
        sql
    }

    /// Names of the columns of [`Reader::whole`].
    pub fn stored(&self) -> Vec<&str> {
        self.stored.iter().map(|c| c.plain.as_str()).collect()
    }

    /// Reads the keys of the rows that have the same entry in a unique key as a row to be written; with it, the places
    /// in [`Reader::whole`] of the values to be bound. `None` when a column of the key is computed: its value is not
    /// known.
    pub fn with_same(&self, unique: &[UniqueColumn]) -> Option<(String, Vec<usize>)> {
        let (mut is, mut places) = (Vec::new(), Vec::new());
        for column in unique {
            places.push(self.stored.iter().position(|c| c.plain == column.name)?);
            let name = format!("t.{}", identifier(&column.name));
            is.push(column.prefix.map_or_else(
                || format!("{name} = ?"),
                |length| format!("LEFT({name}, {length}) = LEFT(?, {length})"),
            ));
        }
        let from = self.from.replace(" FORCE INDEX (PRIMARY)", "");
        let text = format!("SELECT {} {from} WHERE {} FOR UPDATE", self.literals(), is.join(" AND "));
        Some((text, places))
    }

    /// Removes one row.
    pub fn removal(&self, key: &[String]) -> Sql {
        Sql { text: format!("DELETE FROM {} WHERE {}", self.table, self.one()), values: key.to_vec() }
    }

    /// The condition by which a statement that writes finds one row.
    fn one(&self) -> String {
        let is = |k: &KeyColumn| format!("{} = {}", k.form.compared(&identifier(&k.plain)), k.form.bound());
        self.key.iter().map(is).collect::<Vec<_>>().join(" AND ")
    }

    /// Adds one row; a question mark for each value of [`Reader::whole`].
    pub fn addition(&self) -> String {
        let marks = vec!["?"; self.stored.len()].join(", ");
        let names: Vec<&str> = self.stored.iter().map(|c| c.name.as_str()).collect();
        format!("INSERT INTO {} ({}) VALUES ({marks})", self.table, names.join(", "))
    }

    /// The places in [`Reader::whole`] that must be written to make the one row of the other: what differs, and what
    /// MariaDB would otherwise set by itself. Empty when nothing differs.
    pub fn altered<T: PartialEq>(&self, from: &[T], to: &[T]) -> Vec<usize> {
        let differs = |place: &usize| from.get(*place) != to.get(*place);
        let all = 0..self.stored.len();
        if !all.clone().any(|place| differs(&place)) {
            return Vec::new();
        }
        all.filter(|place| differs(place) || self.stored.get(*place).is_some_and(|c| c.by_itself)).collect()
    }

    /// Reads, of the rows of a chunk with values that a dump alters, the key as literals and then the exact value of
    /// each of these columns.
    pub fn altered_by_dump(&self, chunk: &super::Chunk, columns: &[Lossy]) -> Sql {
        let exact: Vec<String> = columns.iter().map(Lossy::exact).collect();
        let alters: Vec<String> = columns.iter().map(Lossy::alters).collect();
        let mut sql =
            self.within(format!("SELECT {}, {} {}", self.literals(), exact.join(", "), self.from), chunk);
        let word = if sql.values.is_empty() { "WHERE" } else { "AND" };
        let _ = write!(sql.text, " {word} ({})", alters.join(" OR "));
        sql
    }

    /// Gives these columns of one row their exact values; a question mark for each, before those of the key. Nothing
    /// else of it changes by itself.
    pub fn made_exact(&self, columns: &[Lossy], key: &[String]) -> Sql {
        let set = columns.iter().map(|c| format!("{} = ?", identifier(&c.column)));
        let kept = self.stored.iter().filter(|c| c.by_itself).map(|c| format!("{0} = {0}", c.name));
        let set: Vec<String> = set.chain(kept).collect();
        let text = format!("UPDATE {} SET {} WHERE {}", self.table, set.join(", "), self.one());
        Sql { text, values: key.to_vec() }
    }

    /// Changes these columns of one row; a question mark for each, before those of the key.
    pub fn alteration(&self, places: &[usize], key: &[String]) -> Sql {
        let names = places.iter().filter_map(|place| self.stored.get(*place));
        let set: Vec<String> = names.map(|c| format!("{} = ?", c.name)).collect();
        let text = format!("UPDATE {} SET {} WHERE {}", self.table, set.join(", "), self.one());
        Sql { text, values: key.to_vec() }
    }
}
