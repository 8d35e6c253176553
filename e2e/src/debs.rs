//! What Debian's packages of three applications tell a database when they are installed. Nothing is installed here: apt
//! fetches the packages into a folder of the tests' own, once, and only these files are taken out of them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::cluster::run;

/// One application.
#[derive(Clone, Copy, Debug)]
pub struct Application {
    /// Its package.
    pub package: &'static str,
    /// It makes so many tables at least.
    pub tables: usize,
    /// The file of its statements, or of what makes them.
    file: &'static str,
    /// How the statements are had from it.
    sql: fn(&Path) -> String,
}

/// All.
pub const ALL: [Application; 3] = [
    Application {
        package: "wordpress",
        tables: 12,
        file: "./usr/share/wordpress/wp-admin/includes/schema.php",
        sql: wordpress,
    },
    Application {
        package: "mediawiki",
        tables: 58,
        file: "./usr/share/mediawiki/maintenance/tables-generated.sql",
        sql: mediawiki,
    },
    Application {
        package: "phpmyadmin",
        tables: 19,
        file: "./usr/share/dbconfig-common/data/phpmyadmin/install/mysql",
        sql: text,
    },
];

/// The statements that an application's installer says.
#[track_caller]
pub fn installer(application: &Application) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(".debs").join(application.package);
    let file = folder.join(application.file);
    if !file.exists() {
        fetch(application, &folder);
    }
    (application.sql)(&file)
}

#[track_caller]
fn fetch(application: &Application, folder: &Path) {
    std::fs::create_dir_all(folder).expect("folder");
    let mut download = Command::new("/usr/bin/apt-get");
    download.args(["download", application.package]).current_dir(folder);
    let said = run(&mut download, Duration::from_secs(300));
    assert_eq!(said.code, 0, "apt-get download {}: {said:#?}", application.package);
    let is_package = |path: &PathBuf| path.extension().is_some_and(|e| e == "deb");
    let mut all = std::fs::read_dir(folder).expect("folder").flatten().map(|entry| entry.path());
    let package = all.find(is_package).expect("a package");
    let mut open = Command::new("/usr/bin/dpkg-deb")
        .arg("--fsys-tarfile")
        .arg(&package)
        .stdout(Stdio::piped())
        .spawn()
        .expect("dpkg-deb");
    let out = open.stdout.take().expect("stdout");
    let taken = Command::new("/usr/bin/tar")
        .args(["-x", "--no-same-owner", application.file])
        .current_dir(folder)
        .stdin(out)
        .status()
        .expect("tar");
    let opened = open.wait().expect("dpkg-deb");
    assert!(taken.success() && opened.success(), "{}: {taken}, {opened}", package.display());
    std::fs::remove_file(package).expect("the package is not needed any more");
}

fn text(file: &Path) -> String {
    std::fs::read_to_string(file).expect("statements")
}

/// Its installer puts these words in the places of its marks.
fn mediawiki(file: &Path) -> String {
    text(file)
        .replace("/*_*/", "mw_")
        .replace("/*$wgDBTableOptions*/", "ENGINE=InnoDB, DEFAULT CHARSET=binary")
}

/// Its own function makes the statements; what that asks of the rest of it is given here.
fn wordpress(file: &Path) -> String {
    const ASK: &str = r#"
        class Names {
            public $blogid = 1;
            function __get($name) { return "wp_$name"; }
            function get_charset_collate() { return "DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci"; }
        }
        function is_multisite() { return false; }
        $wpdb = new Names();
        require $argv[1];
        echo wp_get_db_schema();
        // And a few rows with dates that are none, as it writes them.
        echo "INSERT INTO wp_posts (post_content, post_title, post_excerpt, to_ping, pinged, post_content_filtered)
              VALUES ('', 'Hello', '', '', '', '');";
    "#;
    let mut php = Command::new("/usr/bin/php");
    php.args(["-n", "-r", ASK, "--"]).arg(file);
    let said = run(&mut php, Duration::from_secs(30));
    assert_eq!(said.code, 0, "{said:#?}");
    said.out
}
