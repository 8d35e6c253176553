//! House rules that no lint knows: who may import whom, no shell, no vendor in the core, nothing left unfinished.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Files of our own, by the ends of their names.
fn files(folder: &Path, ends: &[&str]) -> Vec<PathBuf> {
    let skipped = ["target", "node_modules", ".git", "shots"];
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() && !skipped.contains(&name.as_str()) {
            all.extend(files(&path, ends));
        } else if ends.iter().any(|end| name.ends_with(end)) {
            all.push(path);
        }
    }
    all.sort();
    all
}

/// The source without its tests and comments.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default().to_owned();
    text.lines().filter(|l| !l.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn is_test(path: &Path) -> bool {
    path.components().any(|c| c.as_os_str() == "tests")
        || path.file_name().is_some_and(|n| n == "tests.rs" || n == "fixture.rs")
}

#[test]
fn rooms_import_only_along_the_arrows() {
    let source = root().join("crates/server/src");
    let allowed: [(&str, &[&str]); 11] = [
        ("web", &["web", "store", "board", "desk", "guestbook", "words", "clock", "random", "vault", "over"]),
        (
            "engine",
            &[
                "engine", "hands", "board", "store", "paths", "secrets", "clock", "random", "vault", "over",
                "vital",
            ],
        ),
        ("hands", &["hands", "paths", "random", "vault"]),
        ("store", &["store", "board", "clock", "random", "vault", "over"]),
        ("client", &["client", "cli", "web", "words", "vault"]),
        ("lab", &["lab", "desk", "hands", "store", "paths", "secrets", "client", "web", "words", "clock"]),
        ("drills", &["drills", "desk", "hands", "store", "board", "secrets", "clock"]),
        ("board.rs", &["vault"]),
        ("desk.rs", &[]),
        ("guestbook.rs", &["over"]),
        ("intake.rs", &["guestbook", "hands", "board", "store", "clock", "over"]),
    ];
    for (room, may) in allowed {
        let place = source.join(room);
        let inside = if place.is_dir() { files(&place, &[".rs"]) } else { vec![place] };
        for file in inside.iter().filter(|f| !is_test(f)) {
            for line in code(file).lines() {
                let Some(target) = line.trim_start().split("crate::").nth(1) else { continue };
                let module: String =
                    target.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                assert!(
                    may.contains(&module.as_str()),
                    "{} imports crate::{module}; {room} may import only {may:?}",
                    file.display()
                );
            }
        }
    }
}

#[test]
fn the_core_touches_nothing() {
    for file in files(&root().join("crates/domain/src"), &[".rs"]) {
        let text = code(&file);
        for word in [
            "tokio",
            "async fn",
            "std::fs",
            "std::net::Tcp",
            "std::time::",
            "HashMap",
            "std::process",
            "std::env",
        ] {
            assert!(!text.contains(word), "{} says {word}", file.display());
        }
    }
}

#[test]
fn programs_are_started_by_path_and_never_through_a_shell() {
    for file in files(&root().join("crates"), &[".rs"]).iter().filter(|f| !is_test(f)) {
        let text = code(file);
        for start in text.match_indices("Command::new(").map(|(at, start)| at + start.len()) {
            let argument: String = text[start..].chars().take(40).collect();
            let fine =
                ["\"/usr/", "own_binary()", "program.path"].iter().any(|good| argument.starts_with(good));
            assert!(fine, "{}: Command::new({argument}…", file.display());
            assert!(!argument.contains("sh\""), "{}: a shell", file.display());
        }
    }
}

#[test]
fn trees_are_removed_and_files_given_away_by_descriptors_only() {
    for file in files(&root().join("crates/server/src"), &[".rs"]).iter().filter(|f| !is_test(f)) {
        for word in ["remove_dir_all", "fs::copy(", "chown("] {
            let fine = file.ends_with("hands/below.rs") || !code(file).contains(word);
            assert!(fine, "{} says {word}: hands/files follows no link", file.display());
        }
    }
}

#[test]
fn nothing_is_left_unfinished() {
    let words = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("todo", "!("),
        concat!("unimple", "mented!"),
        concat!("#[ig", "nore"),
    ];
    for folder in ["crates", "e2e", "bench", "site", "web"] {
        for file in files(&root().join(folder), &[".rs", ".php", ".js", ".html", ".css", ".ftl"]) {
            let text = fs::read_to_string(&file).unwrap();
            for word in words {
                assert!(!text.contains(word), "{} says {word}", file.display());
            }
        }
    }
}

#[test]
fn no_registry_is_named() {
    let hosts = [
        concat!("crates", ".io/"),
        concat!("registry", ".npmjs"),
        concat!("pypi", ".org"),
        concat!("deb.", "debian"),
    ];
    let locks = [".rs", ".md", ".json", ".toml", ".php", "up", "test", ".sh"];
    for file in files(&root(), &locks) {
        let text = fs::read_to_string(&file).unwrap_or_default();
        for host in hosts {
            assert!(!text.contains(host), "{} names {host}", file.display());
        }
    }
}

#[test]
fn files_stay_readable() {
    for file in files(&root().join("crates"), &[".rs"]).iter().filter(|f| !is_test(f)) {
        let lines = fs::read_to_string(file).unwrap().lines().count();
        assert!(lines <= 600, "{} has {lines} lines", file.display());
    }
}

/// The most characters of a line. Sentences of `.ftl` files are not meant: where a line ends in them is part of what is
/// said.
const WIDEST: usize = 120;

/// Other work is under way in these files: what is too wide in them is wrapped once it has come in.
const UNDER_WAY: [&str; 11] = [
    "crates/domain/src/snapshot.rs",
    "crates/server/src/engine/rows.rs",
    "crates/server/src/hands/dump.rs",
    "crates/server/src/hands/mysql.rs",
    "crates/server/src/hands/mysql/events.rs",
    "crates/server/src/hands/mysql/freight.rs",
    "crates/server/src/hands/mysql/numbers.rs",
    "crates/server/src/hands/trouble.rs",
    "crates/server/src/hands/verify.rs",
    "crates/server/src/hands/verify/heal.rs",
    "crates/server/src/hands/verify/session.rs",
];

/// In prose a line is as long as it is where it cannot be broken: a row of a table, and a link or its address alone.
fn unbreakable(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with('|') || line.strip_prefix('[').is_some_and(|l| l.contains("]: ")) || !line.contains(' ')
}

#[test]
fn lines_fit_beside_each_other() {
    let ends = [".rs", ".html", ".css", ".js", ".mjs", ".mts", ".php", ".sh", ".md", "up", "test", "run"];
    let under_way = |file: &Path| {
        let own = file.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
        UNDER_WAY.contains(&own.as_str())
    };
    for file in files(&root(), &ends).into_iter().filter(|file| !under_way(file)) {
        let prose = file.extension().is_some_and(|end| end == "md");
        for (line, number) in fs::read_to_string(&file).unwrap().lines().zip(1..) {
            let wide = line.chars().count();
            assert!(
                wide <= WIDEST || prose && unbreakable(line),
                "{}:{number} has {wide} characters, {WIDEST} at most",
                file.display()
            );
        }
    }
}

#[test]
fn the_script_never_makes_html_out_of_text() {
    for file in files(&root().join("web"), &[".js"]) {
        let text = fs::read_to_string(&file).unwrap();
        for word in
            ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"]
        {
            assert!(!text.contains(word), "{} says {word}", file.display());
        }
    }
}
