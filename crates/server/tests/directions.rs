//! Who may import whom. The crates hold most of it: what a crate does not depend on it cannot name.
//! This holds the rest.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The Rust files below a folder, but for those of tests.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() && name != "tests" {
            all.extend(files(&path));
        } else if path.extension().is_some_and(|end| end == "rs")
            && name != "tests.rs"
            && name != "fixture.rs"
        {
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

/// The paths in a source that begin with that word, without it: of `crate::a::{b, c::D}` are `a::b` and `a::c::D`.
fn named(code: &str, begins: &str) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    let word = format!("{begins}::");
    for (at, _) in code.match_indices(&word) {
        let inside =
            code[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':');
        if !inside {
            tree(&code[at + word.len()..], &[], &mut all);
        }
    }
    all
}

/// Reads one path, or a tree of them in braces; gives what follows it.
fn tree<'a>(text: &'a str, before: &[String], all: &mut Vec<Vec<String>>) -> &'a str {
    let mut rest = text.trim_start();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside.trim_start();
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix('}') {
                return after;
            }
            let next = tree(rest, before, all);
            // An `as`, a comma, blanks.
            let end = next.find([',', '}']).unwrap_or(next.len());
            rest = next[end..].trim_start_matches(',').trim_start();
        }
        return rest;
    }
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    let mut path = before.to_vec();
    // `*` names the module itself, and so does `self`.
    if end > 0 && &rest[..end] != "self" {
        path.push(rest[..end].to_owned());
    }
    match rest[end..].strip_prefix("::") {
        Some(more) if end > 0 => tree(more, &path, all),
        _ => {
            all.push(path);
            &rest[end..]
        }
    }
}

#[test]
fn paths_are_read_however_they_are_written() {
    let found = |code: &str| {
        named(code, "crate").into_iter().map(|path| path.join("::")).collect::<Vec<_>>().join(" ")
    };
    for (code, paths) in [
        ("use crate::a;", "a"),
        ("use crate::a::B as C;", "a::B"),
        ("use crate::{a, b::{self, c::D}, e::*};", "a b b::c::D e"),
        ("use crate::a::{\n    B,\n    c::{D as E, F},\n};\nuse crate::g::H;", "a::B a::c::D a::c::F g::H"),
        ("let x = crate::a::b(1) + other_crate::c() + m::crate::d;", "a::b"),
        ("fn f(g: &crate::a::B<crate::c::D>) {}", "a::B c::D"),
    ] {
        assert_eq!(found(code), paths, "{code}");
    }
}

#[test]
fn rooms_import_only_along_the_arrows() {
    let source = root().join("crates/server/src");
    let node = "node::*";
    let allowed: [(&str, &[&str]); 10] = [
        (
            "web",
            &[
                "web",
                "store",
                "board",
                "desk",
                "guestbook",
                "words",
                "node::clock",
                "node::random",
                "node::vault",
                "node::over",
            ],
        ),
        ("engine", &["engine", "board", "store", node]),
        ("store", &["store", "board", "node::clock", "node::random", "node::vault", "node::over"]),
        ("client", &["client", "cli", "web", "words", "node::vault"]),
        ("lab", &["lab", "desk", "store", "client", "web", "words", node]),
        ("drills", &["drills", "desk", "store", "board", node]),
        ("board.rs", &["node::vault"]),
        ("desk.rs", &[]),
        ("guestbook.rs", &["node::over"]),
        ("intake.rs", &["guestbook", "board", "store", node]),
    ];
    for (room, may) in allowed {
        let place = source.join(room);
        let inside = if place.is_dir() { files(&place) } else { vec![place] };
        for file in inside {
            let code = code(&file);
            let own = named(&code, "crate").into_iter().map(|path| path.first().cloned().unwrap_or_default());
            let theirs = named(&code, "cordee_node");
            let theirs =
                theirs.into_iter().map(|path| format!("node::{}", path.first().unwrap_or(&String::new())));
            for target in own.chain(theirs) {
                let fine =
                    may.contains(&target.as_str()) || target.starts_with("node::") && may.contains(&node);
                assert!(fine, "{} imports {target}; {room} may import only {may:?}", file.display());
            }
        }
    }
}
