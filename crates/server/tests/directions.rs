//! Who may import whom. The crates hold most of it: what a crate does not depend on it cannot name.
//! This holds the rest.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

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
    // Not at `mod tests;`, which may stand at the top: the rest of the file would be read by nobody.
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned();
    text.lines().filter(|l| !l.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The paths in a source that begin with that word, without it: of `crate::a::{b, c::D}` are `a::b` and `a::c::D`.
fn named(code: &str, begins: &str) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    let word = format!("{begins}::");
    for (at, _) in code.match_indices(&word) {
        let part = |before: &str| before.ends_with(|c: char| c.is_alphanumeric() || ['_', '>'].contains(&c));
        // `::a::b` begins with the name of a crate, `x::a::b` does not.
        let inside = match code[..at].strip_suffix("::") {
            Some(before) => part(before),
            None => part(&code[..at]),
        };
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
        ("use ::crate::a::B;\nlet x = <T>::crate::c;", "a::B"),
    ] {
        assert_eq!(found(code), paths, "{code}");
    }
}

/// What cargo knows of all crates that are built for a machine like this one.
fn metadata() -> Value {
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let told = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--locked", "--filter-platform", &platform])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    serde_json::from_slice(&told.stdout).unwrap()
}

/// The crates that each of ours asks for, for whatever reason.
fn asked(metadata: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let ours = metadata["packages"].as_array().unwrap().iter().filter(|package| package["source"].is_null());
    let name = |of: &Value| of["name"].as_str().unwrap().to_owned();
    ours.map(|package| {
        (name(package), package["dependencies"].as_array().unwrap().iter().map(name).collect())
    })
    .collect()
}

#[test]
fn crates_depend_downwards() {
    let asked = asked(&metadata());
    let of = |name: &str| -> Vec<&str> {
        asked[name].iter().map(String::as_str).filter(|on| asked.contains_key(*on)).collect()
    };
    assert!(of("cordee-domain").is_empty());
    assert_eq!(of("cordee-api"), ["cordee-domain"]);
    assert_eq!(of("cordee-node"), ["cordee-domain"]);
    assert!(of("cordee-e2e").is_empty(), "the product is met only through its front door");
    for (name, on) in &asked {
        assert!(!on.contains("cordee"), "{name} depends on the server");
    }
}

/// Neither by itself nor through others: what waits, what opens files or sockets, what speaks to another program.
#[test]
fn the_domain_depends_on_no_runtime() {
    const RUNTIMES: [&str; 12] = [
        "tokio",
        "hyper",
        "axum",
        "mysql_async",
        "mysql",
        "rusqlite",
        "rustix",
        "nix",
        "mio",
        "socket2",
        "getrandom",
        "tracing",
    ];
    let metadata = metadata();
    let nodes = metadata["resolve"]["nodes"].as_array().unwrap();
    let node = |id: &Value| nodes.iter().find(|node| node["id"] == *id).unwrap();
    let named = |name: &str| {
        let package = metadata["packages"].as_array().unwrap().iter().find(|package| package["name"] == name);
        package.unwrap()["id"].clone()
    };
    let (mut left, mut all) = (vec![named("cordee-domain")], BTreeSet::new());
    while let Some(id) = left.pop() {
        for dep in node(&id)["deps"].as_array().unwrap() {
            let built = dep["dep_kinds"].as_array().unwrap().iter().any(|kind| kind["kind"].is_null());
            if built && all.insert(dep["name"].as_str().unwrap().to_owned()) {
                left.push(dep["pkg"].clone());
            }
        }
    }
    assert!(all.contains("serde"), "its crates are found: {all:?}");
    let found: Vec<&&str> = RUNTIMES.iter().filter(|name| all.contains(**name)).collect();
    assert!(found.is_empty(), "{found:?}");
}

/// Where a module stands in its crate: `web::api::view`.
type Module = Vec<String>;

/// A crate's modules and their sources.
struct Crate {
    files: BTreeMap<Module, PathBuf>,
    /// The modules below one whose names it gives as its own: `view` gives `Question` of `view::confirm`.
    given: BTreeMap<(Module, String), Module>,
}

impl Crate {
    fn read(source: &Path) -> Self {
        let module = |file: &Path| -> Module {
            let inside = file.strip_prefix(source).unwrap().with_extension("");
            let mut parts: Module = inside.iter().map(|part| part.to_string_lossy().into_owned()).collect();
            if parts.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
                parts.pop();
            }
            parts
        };
        let files = files(source).into_iter().map(|file| (module(&file), file)).collect();
        let mut all = Self { files, given: BTreeMap::new() };
        for (module, file) in &all.files {
            let code = code(file);
            let mut paths = Vec::new();
            for (at, _) in code.match_indices("use ").filter(|(at, _)| begins(&code[..*at])) {
                tree(&code[at + 4..], &[], &mut paths);
            }
            paths.extend(named(&code, "self"));
            for path in paths {
                let below = all.place(&[&module[..], &path].concat());
                if let Some(name) = path.last().filter(|_| below.len() > module.len()) {
                    all.given.insert((module.clone(), name.clone()), below);
                }
            }
        }
        all
    }

    /// The module in which that path ends.
    fn place(&self, path: &[String]) -> Module {
        let parts = (0..=path.len()).rev().find(|n| self.files.contains_key(&path[..*n])).unwrap_or(0);
        path[..parts].to_vec()
    }

    /// The module that what is named so comes from.
    fn found(&self, path: &[String]) -> Module {
        let place = self.place(path);
        let name = path.get(place.len()).cloned().unwrap_or_default();
        self.given.get(&(place.clone(), name)).cloned().unwrap_or(place)
    }

    /// The modules that one names.
    fn named_by(&self, module: &Module) -> BTreeSet<Module> {
        let code = code(&self.files[module]);
        let mut all: BTreeSet<Module> = named(&code, "crate").iter().map(|path| self.found(path)).collect();
        for path in named(&code, "super").into_iter().chain(named(&code, "self::super")) {
            let ups = 1 + path.iter().take_while(|part| *part == "super").count();
            let above = &module[..module.len().saturating_sub(ups)];
            all.insert(self.found(&[above, &path[ups - 1..]].concat()));
        }
        all.remove(module);
        all
    }
}

/// Whether a statement begins there.
fn begins(before: &str) -> bool {
    let line = before.rsplit('\n').next().unwrap_or_default().trim();
    line.is_empty() || line.starts_with("pub")
}

/// The modules of a crate, and the modules that each names.
fn imports(source: &Path) -> BTreeMap<Module, BTreeSet<Module>> {
    let all = Crate::read(source);
    all.files.keys().map(|module| (module.clone(), all.named_by(module))).collect()
}

/// What is named by a module, and by what it names.
fn reached<'a>(edges: &BTreeMap<&'a str, BTreeSet<&'a str>>, from: &'a str) -> BTreeSet<&'a str> {
    let (mut left, mut all) = (vec![from], BTreeSet::new());
    while let Some(next) = left.pop() {
        left.extend(edges.get(next).into_iter().flatten().copied().filter(|to| all.insert(*to)));
    }
    all
}

/// Modules side by side that name each other, whatever is below them included.
fn circles(imports: &BTreeMap<Module, BTreeSet<Module>>) -> Vec<String> {
    let mut beside: BTreeMap<&[String], BTreeMap<&str, BTreeSet<&str>>> = BTreeMap::new();
    for (module, targets) in imports {
        for depth in 0..module.len() {
            let (parent, own) = (&module[..depth], module[depth].as_str());
            let others = beside.entry(parent).or_default().entry(own).or_default();
            let inside = targets.iter().filter(|target| target.len() > depth && target[..depth] == *parent);
            others.extend(inside.map(|target| target[depth].as_str()).filter(|other| *other != own));
        }
    }
    let mut all = Vec::new();
    for (parent, edges) in &beside {
        let own = edges.keys().filter(|module| reached(edges, module).contains(*module));
        all.extend(own.map(|module| [parent, &[(*module).to_owned()][..]].concat().join("::")));
    }
    all
}

#[test]
fn a_circle_is_found() {
    let module = |path: &str| path.split("::").map(str::to_owned).collect::<Module>();
    let of = |edges: &[(&str, &str)]| {
        let mut all: BTreeMap<Module, BTreeSet<Module>> = BTreeMap::new();
        for (from, to) in edges {
            all.entry(module(from)).or_default().insert(module(to));
        }
        circles(&all).join(" ")
    };
    assert_eq!(of(&[("a", "b"), ("b", "c"), ("a::x", "a"), ("a", "a::x")]), "", "a parent and its child may");
    assert_eq!(of(&[("a", "b"), ("b", "c"), ("c", "a")]), "a b c");
    assert_eq!(of(&[("a::x", "b"), ("b", "a::y")]), "a b", "through what is below them, too");
    assert_eq!(of(&[("a::x", "a::y"), ("a::y", "a::x")]), "a::x a::y");
}

/// What is named in one direction can be read, tested and moved alone. `domain` is held to less, file by file.
#[test]
fn no_modules_import_each_other() {
    for name in ["api", "node", "server"] {
        let imports = imports(&root().join("crates").join(name).join("src"));
        assert!(imports.len() > 5, "its modules are found");
        let circles = circles(&imports);
        assert!(circles.is_empty(), "in {name} these import each other: {circles:?}");
    }
}

/// Files that name each other, however many are in between; a parent and its child may.
fn knots(imports: &BTreeMap<Module, BTreeSet<Module>>) -> Vec<String> {
    let kin = |one: &Module, other: &Module| one.starts_with(other) || other.starts_with(one);
    let name = |module: &Module| module.join("::");
    let edges: BTreeMap<String, BTreeSet<String>> = imports
        .iter()
        .map(|(module, targets)| {
            (name(module), targets.iter().filter(|target| !kin(module, target)).map(name).collect())
        })
        .collect();
    let edges: BTreeMap<&str, BTreeSet<&str>> = edges
        .iter()
        .map(|(module, targets)| (module.as_str(), targets.iter().map(String::as_str).collect()))
        .collect();
    edges.keys().filter(|module| reached(&edges, module).contains(*module)).map(|m| (*m).to_owned()).collect()
}

/// In `domain` what belongs together stands in one folder, and what is decided on it beside it: its folders name each
/// other, its files do not.
#[test]
fn no_files_of_the_domain_import_each_other() {
    let imports = imports(&root().join("crates/domain/src"));
    // What only tests are made with names whatever it needs.
    let product: BTreeMap<Module, BTreeSet<Module>> = imports
        .into_iter()
        .filter(|(module, _)| !["sim", "check"].iter().any(|of| module.first().is_some_and(|m| m == of)))
        .collect();
    assert!(product.len() > 50, "its files are found");
    assert_eq!(knots(&product), Vec::<String>::new());
}

#[test]
fn a_knot_is_found() {
    let module = |path: &str| path.split("::").map(str::to_owned).collect::<Module>();
    let of = |edges: &[(&str, &str)]| {
        let mut all: BTreeMap<Module, BTreeSet<Module>> = BTreeMap::new();
        for (from, to) in edges {
            all.entry(module(from)).or_default().insert(module(to));
        }
        knots(&all).join(" ")
    };
    assert_eq!(of(&[("a", "b"), ("b", "c"), ("a::x", "a"), ("a", "a::x")]), "", "a parent and its child may");
    assert_eq!(of(&[("a::x", "b"), ("b", "a::y")]), "", "another file of the same folder");
    assert_eq!(of(&[("a::x", "b"), ("b", "c::y"), ("c::y", "a::x")]), "a::x b c::y");
}

/// What touches the machine is in `node`: the engine looks and acts through it.
#[test]
fn the_engine_touches_nothing_itself() {
    for file in files(&root().join("crates/server/src/engine")) {
        let code = code(&file);
        for path in ["std", "tokio"].into_iter().flat_map(|of| named(&code, of)) {
            let says = path.join("::");
            let barred = ["fs", "process::Command", "os", "net::Tcp", "net::Udp", "net::Unix"];
            let said = barred.iter().find(|barred| says.starts_with(**barred));
            assert!(said.is_none(), "{} names {says}", file.display());
        }
        for word in ["rustix", "mysql_async"] {
            assert!(!code.contains(word), "{} says {word}", file.display());
        }
        for word in [".exists()", ".try_exists()", ".metadata()", ".is_file()", ".is_dir()", ".read_dir()"] {
            assert!(!code.contains(word), "{} says {word}", file.display());
        }
    }
}

/// What a person asks is decided in `control`: nobody beside it writes a wish down for them, has the engine do what is
/// no wish, or begins anything at a job queue. A drill's own wishes, and addresses that the environment sets, are no
/// person's.
#[test]
fn what_a_person_asks_goes_through_control() {
    let source = root().join("crates/server/src");
    let rules: [(&[&str], &[&str]); 3] = [
        (&[".commit(&", ".commit_with("], &["control", "drills", "run.rs", "store"]),
        (&["Ask::Compare", "Ask::Repair", "Ask::Clean"], &["control", "board.rs", "engine"]),
        (&["JobRequest::"], &["control", "jobs.rs"]),
    ];
    let mut found = [0; 3];
    for file in files(&source) {
        let place = file.strip_prefix(&source).unwrap().to_owned();
        let code: String = code(&file).split_whitespace().collect();
        for ((words, may), found) in rules.into_iter().zip(&mut found) {
            let Some(word) = words.iter().find(|word| code.contains(**word)) else { continue };
            assert!(may.iter().any(|may| place.starts_with(may)), "{} says {word}", place.display());
            *found += usize::from(place.starts_with("control"));
        }
    }
    assert!(found.iter().all(|found| *found > 0), "control is found: {found:?}");
}

#[test]
fn rooms_import_only_along_the_arrows() {
    let source = root().join("crates/server/src");
    let all = Crate::read(&source);
    let node = "node::*";
    let allowed: [(&str, &[&str]); 11] = [
        (
            "control",
            &[
                "control",
                "store",
                "board",
                "jobs",
                "node::clock",
                "node::random",
                "node::vault",
                "node::over",
            ],
        ),
        (
            "web",
            &[
                "web",
                "control",
                "store",
                "board",
                "jobs",
                "recent_requests",
                "words",
                "node::clock",
                "node::random",
                "node::vault",
                "node::over",
            ],
        ),
        ("engine", &["engine", "board", "store", node]),
        ("store", &["store", "board", "node::clock", "node::random", "node::vault", "node::over"]),
        ("client", &["client", "cli", "complain", "web", "words", "node::vault"]),
        ("lab", &["lab", "jobs", "store", "client", "web", "words", node]),
        ("drills", &["drills", "jobs", "store", "board", node]),
        ("board.rs", &["node::vault", "node::attempt", "node::clean", "node::logs"]),
        ("jobs.rs", &[]),
        ("recent_requests.rs", &["node::over"]),
        ("log_receiver.rs", &["recent_requests", "board", "store", node]),
    ];
    for (room, may) in allowed {
        let place = source.join(room);
        let inside = if place.is_dir() { files(&place) } else { vec![place] };
        for file in inside {
            let code = code(&file);
            let module = all.files.iter().find(|(_, path)| **path == file).unwrap().0;
            let own = all.named_by(module).into_iter().filter_map(|path| path.first().cloned());
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
