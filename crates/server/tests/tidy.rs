//! House rules that no lint knows: no shell, no vendor in the core, nothing left unfinished. `directions.rs` holds who
//! may import whom.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Files of our own, by the ends of their names.
fn files(folder: &Path, ends: &[&str]) -> Vec<PathBuf> {
    let skipped = ["target", "node_modules", ".git", "shots", ".debs"];
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
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned();
    text.lines().filter(|l| !l.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn is_test(path: &Path) -> bool {
    path.components().any(|c| c.as_os_str() == "tests")
        || path.file_name().is_some_and(|n| n == "tests.rs" || n == "fixture.rs")
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
    for file in files(&root().join("crates"), &[".rs"]).iter().filter(|f| !is_test(f)) {
        for word in ["remove_dir_all", "fs::copy(", "chown("] {
            let fine = file.ends_with("node/src/below.rs") || !code(file).contains(word);
            assert!(fine, "{} says {word}: node/files follows no link", file.display());
        }
    }
}

/// Where a `text!(…)` that begins at `at` is over.
fn end_of_call(text: &str, at: usize) -> usize {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for (n, c) in text[at..].char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted && depth == 1 => return at + n + 1,
            ')' if !quoted => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

/// What in a source decides by the key or the arguments of a sentence: renaming a key would change what Cordée does.
fn decides_by_words(source: &str) -> Option<String> {
    let text = source.split_whitespace().collect::<Vec<_>>().join(" ").replace(" .", ".");
    let around = |at: usize| {
        let before: Vec<char> = text[..at].chars().rev().take(60).collect();
        before.into_iter().rev().chain(text[at..].chars().take(60)).collect::<String>()
    };
    let told = [
        "== text!(",
        "!= text!(",
        ".contains(&text!(",
        "== Text::of(",
        "!= Text::of(",
        ".key == \"",
        ".key != \"",
        ".key.starts_with(",
        ".key.ends_with(",
        ".key.contains(",
        ".key.strip_prefix(",
        ".sentence() ==",
        ".sentence() !=",
        ".why() ==",
        ".why() !=",
        ".args.get(",
        ".args.contains_key(",
    ];
    if let Some(at) = told.iter().find_map(|pattern| text.find(pattern)) {
        return Some(around(at));
    }
    // The same the other way round, and a sentence that is looked for among others.
    for (at, call) in text.match_indices("text!(") {
        let rest = &text[end_of_call(&text, at + call.len() - 1)..];
        let rest = rest.trim_start_matches([',', ')', ']', ' ']);
        if ["==", "!=", ".contains("].iter().any(|compares| rest.starts_with(compares)) {
            return Some(around(at));
        }
    }
    // `match` and `matches!` on a key, and one that is looked for in a list.
    for (start, ends) in [("match ", "{"), ("matches!(", ","), (".contains(", ")")] {
        for (at, _) in text.match_indices(start) {
            let head = text[at + start.len()..].split(ends).next().unwrap_or_default();
            let head = head.trim_end().trim_end_matches(".as_ref()").trim_end_matches(".as_str()");
            // A row's key is looked for in lists, too.
            let words = [".word", ".sentence()", ".args", ".key"];
            let told = if start == ".contains(" { &words[..3] } else { &words[..] };
            if told.iter().any(|word| head.ends_with(word)) {
                return Some(around(at));
            }
        }
    }
    None
}

/// Decisions are made on values (`State`, `Reason`, `Fault`). Sentences are compared where they are made and put into a
/// language: whether two say the same to a reader (`Text::is_like`).
#[test]
fn no_decision_reads_a_sentence() {
    let crates = root().join("crates");
    for file in files(&crates, &[".rs"]).into_iter().filter(|f| !is_test(f)) {
        let renders = ["domain/src/text.rs", "server/src/words.rs", "server/src/web/view/says.rs"];
        if renders.iter().any(|end| file.ends_with(end)) {
            continue;
        }
        let found = decides_by_words(&code(&file));
        assert!(found.is_none(), "{} decides by words: {}", file.display(), found.unwrap_or_default());
    }
}

#[test]
fn a_decision_by_words_is_found_however_it_is_written() {
    let found = |line: &str| decides_by_words(line).is_some();
    for line in [
        r#"if why.key == "db-too-many" {"#,
        r#"if why.key.starts_with("own-") {"#,
        "if status\n    .word\n    == text!(\"status-waits\")",
        r#"if text!("a", b = f(")")) == status {"#,
        r#"[text!("a"), text!("b", c = 1)].contains(&said)"#,
        r#"all.contains(&text!("a"))"#,
        "words.contains(&status.word)",
        r#"match &*reason.key { "a" => 1, _ => 2 }"#,
        "match view.status.word.key.as_ref() {",
        r#"matches!(&*why.key, "a" | "b")"#,
        r#"reason.args.get("port")"#,
        "fault.sentence() == other",
    ] {
        assert!(found(line), "{line}");
    }
    for line in [
        r#"let why = text!("a", b = 1);"#,
        r#"tracing::warn!(why = %why.key, "b == c");"#,
        "matches!(why, Fault::TooMany | Fault::Own(..))",
        "a.columns == b.columns && a.key == b.key",
        r#"State::Up => text!("status-up"), State::Down => text!("status-down"),"#,
    ] {
        assert!(!found(line), "{line}");
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
        assert!(lines <= 500, "{} has {lines} lines", file.display());
    }
}

/// The most characters of a line. Sentences of `.ftl` files are not meant: where a line ends in them is part of what is
/// said.
const WIDEST: usize = 120;

/// In prose a line is as long as it is where it cannot be broken: a row of a table, and a link or its address alone.
fn unbreakable(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with('|') || line.strip_prefix('[').is_some_and(|l| l.contains("]: ")) || !line.contains(' ')
}

#[test]
fn lines_fit_beside_each_other() {
    let ends = [".rs", ".html", ".css", ".js", ".mjs", ".mts", ".php", ".sh", ".md", "up", "test", "run"];
    for file in files(&root(), &ends) {
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
