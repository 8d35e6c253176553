//! Acts on a database's rows that may take hours.

use strum::IntoStaticStr;

use crate::db::verify::Side;
use crate::ids::ServerName;

/// What can be done to a database's rows, beside all else that goes on there.
#[derive(Clone, Debug, PartialEq, Eq, IntoStaticStr)]
pub enum RowsStep {
    /// Compare its rows with the writer's.
    Compare {
        /// Which.
        name: ServerName,
        /// Its id: another one by its name is not compared.
        id: u32,
        /// With this one.
        with: ServerName,
    },
    /// Let a database past the transaction at which its channel stopped, and put right the rows that differ then.
    Repair {
        /// Which.
        name: ServerName,
        /// Its id: nothing is done to another one by its name.
        id: u32,
        /// The writer.
        with: ServerName,
        /// Whose rows are right.
        side: Side,
    },
}

impl RowsStep {
    /// The id of that database.
    pub const fn id(&self) -> u32 {
        match self {
            Self::Compare { id, .. } | Self::Repair { id, .. } => *id,
        }
    }

    /// The database whose rows it is about.
    pub const fn name(&self) -> &ServerName {
        match self {
            Self::Compare { name, .. } | Self::Repair { name, .. } => name,
        }
    }
}
