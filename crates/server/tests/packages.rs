//! What this is built from: other people's crates, their licences and where they come from. Asks cargo, without the
//! network; the lock file says which.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Licences under which anybody may pass on the binary, with the notices that come with it.
const LICENCES: [&str; 11] = [
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Crates of which two versions are built, because crates that we use want different ones. What is new here is a
/// question first: the build and the binary grow by it.
const DOUBLED: [&str; 8] = [
    // `mysql_common` has its former versions of these.
    "base64",
    "getrandom",
    // So has it, with `sha1` and `rust-embed`, of the hashes and of what they consist of.
    "block-buffer",
    "cpufeatures",
    "crypto-common",
    "digest",
    "sha2",
    // Procedural macros move to the newer one by and by.
    "syn",
];

/// What cargo knows of everything that is built for a machine like this one.
fn metadata() -> Value {
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let told = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--locked", "--filter-platform", &platform])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&told.stderr);
    assert!(told.status.success(), "`cargo fetch --locked` brings what no build needed so far: {said}");
    serde_json::from_slice(&told.stdout).unwrap()
}

fn packages(metadata: &Value) -> &[Value] {
    metadata["packages"].as_array().unwrap()
}

fn text<'a>(package: &'a Value, key: &str) -> &'a str {
    package[key].as_str().unwrap_or_default()
}

/// Whether an expression of licences (`MIT OR Apache-2.0 AND (ISC)`) leaves one that is allowed.
fn allowed(expression: &str) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut words = spaced.split_whitespace().peekable();
    any(&mut words) == Some(true) && words.next().is_none()
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn any(words: &mut Words<'_>) -> Option<bool> {
    let mut fine = all(words)?;
    while words.next_if_eq(&"OR").is_some() {
        fine |= all(words)?;
    }
    Some(fine)
}

fn all(words: &mut Words<'_>) -> Option<bool> {
    let mut fine = one(words)?;
    while words.next_if_eq(&"AND").is_some() {
        fine &= one(words)?;
    }
    Some(fine)
}

fn one(words: &mut Words<'_>) -> Option<bool> {
    let word = words.next()?;
    if word == "(" {
        let fine = any(words)?;
        return words.next_if_eq(&")").map(|_| fine);
    }
    // An exception gives more, and takes nothing.
    if words.next_if_eq(&"WITH").is_some() {
        words.next()?;
    }
    Some(LICENCES.contains(&word))
}

#[test]
fn licences_let_the_binary_be_passed_on() {
    let metadata = metadata();
    for package in packages(&metadata) {
        let licence = text(package, "license");
        assert!(allowed(licence), "{} is licensed {licence:?}", text(package, "name"));
    }
}

#[test]
fn an_expression_of_licences_is_read() {
    for fine in [
        "MIT",
        "GPL-2.0 OR MIT",
        "MIT/Apache-2.0",
        "(MIT OR GPL-2.0) AND ISC",
        "Apache-2.0 WITH LLVM-exception",
    ] {
        assert!(allowed(fine), "{fine}");
    }
    for bad in ["", "GPL-2.0", "MIT AND GPL-2.0", "MIT OR", "(MIT", "MIT ISC"] {
        assert!(!allowed(bad), "{bad}");
    }
}

#[test]
fn crates_come_from_a_registry() {
    let metadata = metadata();
    let own: BTreeSet<&str> =
        metadata["workspace_members"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    for package in packages(&metadata) {
        let (name, source) = (text(package, "name"), text(package, "source"));
        let fine = if own.contains(text(package, "id")) {
            source.is_empty()
        } else {
            source.starts_with("registry+")
        };
        assert!(fine, "{name} comes from {source:?}");
    }
}

#[test]
fn no_crate_is_built_in_two_versions() {
    let metadata = metadata();
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in packages(&metadata) {
        versions.entry(text(package, "name")).or_default().push(text(package, "version"));
    }
    versions.retain(|_, all| all.len() > 1);
    let doubled: BTreeSet<&str> = versions.keys().copied().collect();
    assert_eq!(doubled, BTreeSet::from(DOUBLED), "{versions:?}");
}

/// The sources of a package, build script and tests among them.
fn sources(folder: &Path, all: &mut String) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        let name = entry.file_name();
        if path.is_dir() && name != "target" && name != "node_modules" {
            sources(&path, all);
        } else if path.extension().is_some_and(|end| end == "rs") {
            all.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_crate_that_is_asked_for_is_used() {
    let metadata = metadata();
    for package in packages(&metadata).iter().filter(|package| text(package, "source").is_empty()) {
        let manifest = PathBuf::from(text(package, "manifest_path"));
        let mut code = String::new();
        sources(manifest.parent().unwrap(), &mut code);
        for asked in package["dependencies"].as_array().unwrap() {
            let name = asked["rename"].as_str().unwrap_or(text(asked, "name")).replace('-', "_");
            let used = [format!("{name}::"), format!("use {name} "), format!("use {name};")];
            let used = used.iter().any(|form| code.contains(form.as_str()));
            assert!(used, "{} asks for {name} and never names it", text(package, "name"));
        }
    }
}

/// What is said of the toolchain is what cargo asks for, and the newest version in the changelog is this one.
#[test]
fn the_version_and_the_toolchain_are_told_alike() {
    let metadata = metadata();
    let own =
        packages(&metadata).iter().find(|package| text(package, "name") == env!("CARGO_PKG_NAME")).unwrap();
    let root = PathBuf::from(text(&metadata, "workspace_root"));
    let read = |name: &str| fs::read_to_string(root.join(name)).unwrap();
    let rust = own["rust_version"].as_str().unwrap();
    for file in ["up", "README.md", "README.fr.md"] {
        assert!(read(file).contains(&format!("stable, {rust} ")), "{file} names another Rust than {rust}");
    }
    let changelog = read("CHANGELOG.md");
    let newest =
        changelog.lines().filter_map(|line| line.strip_prefix("## ")).find(|line| *line != "Unreleased");
    let version = newest.and_then(|line| line.split_once(", ")).map(|(version, _)| version);
    assert_eq!(version, Some(env!("CARGO_PKG_VERSION")), "the newest one in CHANGELOG.md");
}
