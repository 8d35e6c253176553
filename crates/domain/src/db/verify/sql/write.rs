//! Statements that write rows: they change no more than what differs, and write each row exactly as given.

use std::fmt::Write as _;

use super::{KeyColumn, Reader, Sql, identifier};

/// How to lock a row that is read before a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    /// No lock.
    None,
    /// No other session changes the row until the transaction ends.
    Share,
    /// This transaction changes the row.
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
    /// The number of characters of it that count; absent if all count.
    pub prefix: Option<u32>,
}

/// One column that a row is written with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) plain: String,
    pub(super) name: String,
    /// The expression that reads its value, so that it can be written elsewhere.
    pub(super) read: String,
    /// MariaDB sets it by itself when the row changes and the statement does not name it.
    pub(super) by_itself: bool,
}

/// A column with values that a dump does not write exactly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lossy {
    /// Its name.
    pub column: String,
    /// Whether it is a `FLOAT`, of whose nine digits a dump writes six; otherwise it is an `ENUM` with a member '',
    /// which a dump cannot tell from the error value that is not a member.
    pub float: bool,
}

impl Lossy {
    fn name(&self) -> String {
        format!("t.{}", identifier(&self.column))
    }

    /// Returns the expression for its exact value: a product with a DOUBLE has all digits.
    fn exact(&self) -> String {
        format!("{}{}", self.name(), if self.float { "*1e0" } else { "+0" })
    }

    /// Returns the condition under which a dump alters its value.
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
    /// Returns the query for a whole row, to be written elsewhere.
    pub fn whole(&self, key: &[String], lock: Lock) -> Sql {
        let names: Vec<&str> = self.stored.iter().map(|c| c.read.as_str()).collect();
        let text = format!("SELECT {} {} WHERE ", names.join(", "), self.from);
        let mut sql = Sql { text, values: Vec::new() };
        self.write(&self.is(), key, &mut sql);
        sql.text.push_str(lock.words());
        sql
    }

    /// Returns the names of the columns of [`Reader::whole`].
    pub fn stored(&self) -> Vec<&str> {
        self.stored.iter().map(|c| c.plain.as_str()).collect()
    }

    /// Returns the query for the keys of the rows that have the same entry in a unique key as a row to be written,
    /// with the positions in [`Reader::whole`] of the values to bind. `None` if a column of the key is generated:
    /// its value is not known.
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

    /// Returns the statement that removes one row.
    pub fn removal(&self, key: &[String]) -> Sql {
        Sql { text: format!("DELETE FROM {} WHERE {}", self.table, self.one()), values: key.to_vec() }
    }

    /// Returns the condition with which a writing statement finds one row.
    fn one(&self) -> String {
        let is = |k: &KeyColumn| format!("{} = {}", k.form.compared(&identifier(&k.plain)), k.form.bound());
        self.key.iter().map(is).collect::<Vec<_>>().join(" AND ")
    }

    /// Returns the statement that adds one row, with a question mark for each value of [`Reader::whole`].
    pub fn addition(&self) -> String {
        let marks = vec!["?"; self.stored.len()].join(", ");
        let names: Vec<&str> = self.stored.iter().map(|c| c.name.as_str()).collect();
        format!("INSERT INTO {} ({}) VALUES ({marks})", self.table, names.join(", "))
    }

    /// Returns the positions in [`Reader::whole`] that must be written to turn the row `from` into `to`: what
    /// differs, and what MariaDB would otherwise set by itself. Empty when nothing differs.
    pub fn altered<T: PartialEq>(&self, from: &[T], to: &[T]) -> Vec<usize> {
        let differs = |place: &usize| from.get(*place) != to.get(*place);
        let all = 0..self.stored.len();
        if !all.clone().any(|place| differs(&place)) {
            return Vec::new();
        }
        all.filter(|place| differs(place) || self.stored.get(*place).is_some_and(|c| c.by_itself)).collect()
    }

    /// Returns the query for the rows of a chunk with values that a dump alters: the key as literals, then the exact
    /// value of each of these columns.
    pub fn altered_by_dump(&self, chunk: &super::Chunk, columns: &[Lossy]) -> Sql {
        let exact: Vec<String> = columns.iter().map(Lossy::exact).collect();
        let alters: Vec<String> = columns.iter().map(Lossy::alters).collect();
        let mut sql =
            self.within(format!("SELECT {}, {} {}", self.literals(), exact.join(", "), self.from), chunk);
        let word = if sql.values.is_empty() { "WHERE" } else { "AND" };
        let _ = write!(sql.text, " {word} ({})", alters.join(" OR "));
        sql
    }

    /// Returns the statement that sets these columns of one row to their exact values, with a question mark for each
    /// before those of the key. No other column of the row changes by itself.
    pub fn made_exact(&self, columns: &[Lossy], key: &[String]) -> Sql {
        let set = columns.iter().map(|c| format!("{} = ?", identifier(&c.column)));
        let kept = self.stored.iter().filter(|c| c.by_itself).map(|c| format!("{0} = {0}", c.name));
        let set: Vec<String> = set.chain(kept).collect();
        let text = format!("UPDATE {} SET {} WHERE {}", self.table, set.join(", "), self.one());
        Sql { text, values: key.to_vec() }
    }

    /// Returns the statement that changes these columns of one row, with a question mark for each before those of
    /// the key.
    pub fn alteration(&self, places: &[usize], key: &[String]) -> Sql {
        let names = places.iter().filter_map(|place| self.stored.get(*place));
        let set: Vec<String> = names.map(|c| format!("{} = ?", c.name)).collect();
        let text = format!("UPDATE {} SET {} WHERE {}", self.table, set.join(", "), self.one());
        Sql { text, values: key.to_vec() }
    }
}
