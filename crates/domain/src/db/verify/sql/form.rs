//! How values of each type are read, shown and bound.

use super::identifier;
use crate::db::verify::Column;

/// How values of a type are turned into text, and back. Two texts are equal if and only if the stored values are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Whole numbers.
    Integer { unsigned: bool },
    /// Fixed point.
    Decimal { precision: u32, scale: u32 },
    /// `FLOAT` and `DOUBLE`.
    Real,
    /// `ENUM`, `SET`, `YEAR`: by their number. The text of an `ENUM` cannot tell the error value '' from a member
    /// ''.
    Number,
    /// `BIT`, by its number.
    Bits,
    /// Dates and times: the type to cast to.
    Time(&'static str),
    /// `CHAR`, `VARCHAR` and the `TEXT`s.
    Text { charset: String, collation: String },
    /// `BINARY`, `VARBINARY`, the `BLOB`s and geometries.
    Bytes,
    /// `INET4`, `INET6`, `UUID`: the type to cast to.
    Address(&'static str),
}

impl Form {
    pub(super) fn of(column: &Column) -> Option<Self> {
        let unsigned = column.column_type.to_ascii_lowercase().contains("unsigned");
        Some(match column.data_type.to_ascii_lowercase().as_str() {
            "tinyint" | "smallint" | "mediumint" | "int" | "bigint" => Self::Integer { unsigned },
            "decimal" => {
                Self::Decimal { precision: column.precision.unwrap_or(65), scale: column.scale.unwrap_or(0) }
            }
            "float" | "double" => Self::Real,
            "enum" | "set" | "year" => Self::Number,
            "bit" => Self::Bits,
            "date" => Self::Time("DATE"),
            "time" => Self::Time("TIME(6)"),
            "datetime" | "timestamp" => Self::Time("DATETIME(6)"),
            "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" => {
                Self::Text { charset: column.charset.clone()?, collation: column.collation.clone()? }
            }
            "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" | "geometry"
            | "point" | "linestring" | "polygon" | "multipoint" | "multilinestring" | "multipolygon"
            | "geometrycollection" => Self::Bytes,
            "inet4" => Self::Address("INET4"),
            "inet6" => Self::Address("INET6"),
            "uuid" => Self::Address("UUID"),
            _ => return None,
        })
    }

    /// Returns the expression for the row's hash. With `short`, a text or binary column contributes only its MD5.
    pub(super) fn hashed(&self, name: &str, short: bool) -> String {
        match self {
            Self::Integer { .. } | Self::Decimal { .. } | Self::Time(_) => name.to_owned(),
            Self::Number | Self::Bits => format!("CAST({name} AS UNSIGNED)"),
            // A product with a DOUBLE is written with as many digits as it takes to read it back exactly; a FLOAT
            // alone has six, and DOUBLE(M,D) has D. -0 and 0 are equal here, as they are in SQL.
            Self::Real => format!("CONCAT({name}*1e0)"),
            Self::Text { .. } | Self::Bytes if short => format!("MD5({name})"),
            // The octets, because the collation would treat 'a', 'A' and 'a ' as equal; the length before them,
            // because without it ('a','bc') and ('ab','c') would be equal.
            Self::Text { .. } | Self::Bytes => {
                format!("CONCAT(LENGTH({name}),':',CAST({name} AS BINARY))")
            }
            Self::Address(_) => format!("CAST({name} AS CHAR)"),
        }
    }

    /// Returns the expression for a text from which [`Form::bound`] makes the same value again.
    pub(super) fn literal(&self, name: &str) -> String {
        match self {
            Self::Text { .. } | Self::Bytes => format!("HEX({name})"),
            _ => format!("CAST({} AS CHAR)", self.hashed(name, false)),
        }
    }

    /// Returns the expression for a person.
    pub(super) fn shown(&self, name: &str) -> String {
        match self {
            Self::Text { .. } => format!("CONVERT({name} USING utf8mb4)"),
            Self::Bytes => format!("CONCAT('0x',HEX({name}))"),
            Self::Real | Self::Bits => self.literal(name),
            _ => format!("CAST({name} AS CHAR)"),
        }
    }

    /// Returns the placeholder of a bound literal, in the column's own type and collation: so the comparison follows
    /// the index's order, and the index can be used. Text is sent as octets of its own character set, so nothing is
    /// converted.
    pub(super) fn bound(&self) -> String {
        match self {
            Self::Integer { unsigned: false } => "CAST(? AS SIGNED)".to_owned(),
            Self::Integer { unsigned: true } | Self::Number | Self::Bits => "CAST(? AS UNSIGNED)".to_owned(),
            Self::Decimal { precision, scale } => format!("CAST(? AS DECIMAL({precision},{scale}))"),
            Self::Real => "CAST(? AS DOUBLE)".to_owned(),
            Self::Time(kind) | Self::Address(kind) => format!("CAST(? AS {kind})"),
            Self::Text { charset, collation } => {
                format!("CONVERT(UNHEX(?) USING {charset}) COLLATE {collation}")
            }
            Self::Bytes => "UNHEX(?)".to_owned(),
        }
    }

    /// Returns the column's side of a comparison. `ENUM`, `SET` and `YEAR` compare with a number by rules of their
    /// own (a YEAR above 24 is above 2024); with `+0` they are numbers, in the same order.
    pub(super) fn compared(&self, name: &str) -> String {
        if matches!(self, Self::Number) { format!("({name}+0)") } else { name.to_owned() }
    }
}

/// Returns the expression that reads a column so that it can be written elsewhere. The error value of an `ENUM`
/// reads as '', which would be written as the member '' if there is one; as the number 0 it stays the error value.
pub(super) fn as_written(column: &Column) -> String {
    let name = identifier(&column.name);
    let of = column.column_type.to_ascii_lowercase();
    let empty = ["(''", ",''"].iter().any(|at| of.split(at).skip(1).any(|rest| rest.starts_with([',', ')'])));
    if column.data_type.eq_ignore_ascii_case("enum") && empty && !of.contains("'0'") {
        return format!("IF({name}+0=0,'0',{name})");
    }
    name
}
