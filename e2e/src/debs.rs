//! What Debian's packages of three applications tell a database when they are installed. Nothing is installed here: the
//! packages are fetched by apt into a folder of the tests' own, and only these files are taken out.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::cluster::run;

/// One application.
#[derive(Clone, Copy, Debug)]
pub struct Application {
    /// Its package.
    pub package: &'static str,
    /// It makes so many tables at least.
    pub tables: usize,
    /// What is taken out of the package.
    files: &'static [&'static str],
    /// How the statements are had from these.
    sql: fn(&Path) -> String,
}

/// All.
pub const ALL: [Application; 3] = [
    Application { package: "wordpress", tables: 12, files: &["./usr/share/wordpress/wp-admin/includes/schema.php"], sql: wordpress },
    Application {
        package: "mediawiki",
        tables: 50,
        files: &["./usr/share/mediawiki/maintenance/tables.sql", "./usr/share/mediawiki/maintenance/tables-generated.sql"],
        sql: mediawiki,
    },
    Application {
        package: "phpmyadmin",
        tables: 18,
        files: &["./usr/share/dbconfig-common/data/phpmyadmin/install/mysql"],
        sql: phpmyadmin,
    },
];
