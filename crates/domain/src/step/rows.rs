//! Steps on a database's rows that may take hours.

use strum::IntoStaticStr;

use crate::db::verify::Side;
use crate::ids::ServerName;

/// A step on a database's rows. It runs beside all other steps on that database.
#[derive(Clone, Debug, PartialEq, Eq, IntoStaticStr)]
pub enum RowsStep {
    /// Compare the database's rows with the writer's.
    Compare {
        /// The database.
        name: ServerName,
        /// Its id: another database with the same name is not compared.
        id: u32,
        /// The database to compare with.
        with: ServerName,
    },
    /// Let a database skip the transaction at which its channel stopped, and correct the rows that differ then.
    Repair {
        /// The database.
        name: ServerName,
        /// Its id: another database with the same name is left alone.
        id: u32,
        /// The writer.
        with: ServerName,
        /// The side whose rows are right.
        side: Side,
    },
}

impl RowsStep {
    /// Returns the id of the database.
    pub const fn id(&self) -> u32 {
        match self {
            Self::Compare { id, .. } | Self::Repair { id, .. } => *id,
        }
    }

    /// Returns the database that the step acts on.
    pub const fn name(&self) -> &ServerName {
        match self {
            Self::Compare { name, .. } | Self::Repair { name, .. } => name,
        }
    }
}
