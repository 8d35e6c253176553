//! Refuses to build when a sentence is missing in a language.
//!
//! The keys are found where they are used: `text!("key"` and `why!("key"` in the Rust sources of these crates,
//! `tr("key")` in sources and templates. Each must be in every language, with the same arguments; a key used nowhere is
//! refused too.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{env, fs};

use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement};

type Messages = BTreeMap<String, BTreeSet<String>>;

fn main() {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").unwrap_or_default());
    let out = PathBuf::from(env::var("OUT_DIR").unwrap_or_default());
    let crates = ["domain", "api", "node"].map(|name| root.join("..").join(name).join("src"));
    let folders = [&[root.join("src"), root.join("templates")], &crates[..]].concat();
    for folder in
        folders.iter().chain([&root.join("locales"), &root.join("../../web"), &root.join("../../site")])
    {
        println!("cargo:rerun-if-changed={}", folder.display());
    }
    let mut complaints = Vec::new();
    let languages: Vec<(&str, Messages)> = ["fr", "en"]
        .into_iter()
        .map(|tag| {
            (tag, language(&root.join("locales").join(tag), &out.join(format!("{tag}.ftl")), &mut complaints))
        })
        .collect();
    let mut used = BTreeSet::new();
    for folder in &folders {
        for file in files(folder) {
            let text = fs::read_to_string(&file).unwrap_or_default();
            for start in ["text!(", "tr("] {
                used.extend(keys(&text, start));
            }
            // Each line of a configuration file has two sentences.
            for key in keys(&text, "why!(") {
                used.insert(format!("{key}-without"));
                used.insert(key);
            }
        }
    }
    for (tag, messages) in &languages {
        for key in &used {
            if !messages.contains_key(key) {
                complaints.push(format!("locales/{tag} lacks the key \"{key}\""));
            }
        }
        for key in messages.keys().filter(|k| !used.contains(*k)) {
            complaints.push(format!("locales/{tag} has the key \"{key}\", which nothing uses"));
        }
    }
    complaints.extend(breaking(&out.join("fr.ftl")));
    complaints.extend(wide(&out.join("fr.ftl")));
    let [(_, fr), (_, en)] = languages.as_slice() else { return };
    for (key, arguments) in fr {
        if let Some(others) = en.get(key)
            && others != arguments
        {
            complaints.push(format!("\"{key}\" takes {arguments:?} in French and {others:?} in English"));
        }
    }
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            all.extend(files(&path));
        } else if path.extension().is_some_and(|e| e == "rs" || e == "html") {
            all.push(path);
        }
    }
    all
}

/// The string literals that directly follow `start` (blanks and newlines allowed between).
fn keys(text: &str, start: &str) -> BTreeSet<String> {
    text.match_indices(start)
        .filter_map(|(at, _)| {
            let rest = text[at + start.len()..].trim_start().strip_prefix('"')?;
            let key = &rest[..rest.find('"')?];
            // Documentation shows the macro with the key "key".
            let shaped = key != "key"
                && key != "line-x"
                && key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
            shaped.then(|| key.to_owned())
        })
        .collect()
}

/// Reads every file of a language, and writes them as one.
fn language(folder: &Path, out: &Path, complaints: &mut Vec<String>) -> Messages {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path()).collect();
    paths.sort();
    let mut all = String::new();
    for path in paths.iter().filter(|p| p.extension().is_some_and(|e| e == "ftl")) {
        all.push_str(&fs::read_to_string(path).unwrap_or_default());
        all.push('\n');
    }
    let mut messages = Messages::new();
    match fluent_syntax::parser::parse(all.as_str()) {
        Ok(resource) => {
            for entry in resource.body {
                if let Entry::Message(message) = entry {
                    let mut arguments = BTreeSet::new();
                    if let Some(pattern) = &message.value {
                        variables(pattern, &mut arguments);
                    }
                    if messages.insert(message.id.name.to_owned(), arguments).is_some() {
                        complaints.push(format!("{} says \"{}\" twice", folder.display(), message.id.name));
                    }
                }
            }
        }
        Err((_, errors)) => {
            for error in errors {
                complaints.push(format!("{}: {error}", folder.display()));
            }
        }
    }
    if let Err(error) = fs::write(out, all) {
        complaints.push(format!("{}: {error}", out.display()));
    }
    messages
}

/// French lines whose punctuation may end up at the beginning of a line, or their quotation mark at the end of one.
fn breaking(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let breaks = |line: &&str| {
        let closes = [" :", " ;", " !", " ?", " »"].iter().any(|mark| {
            line.match_indices(mark).any(|(at, _)| {
                let next = line[at + mark.len()..].chars().next();
                next.is_none_or(|c| c.is_whitespace() || ".,)…".contains(c))
            })
        });
        !line.starts_with('#') && (closes || line.contains("« "))
    };
    let told =
        |line: &str| format!("locales/fr breaks before punctuation (a no-break space is missing): {line}");
    text.lines().filter(breaks).map(told).collect()
}

/// French lines with a wide space where a narrow one belongs: both were seen side by side.
fn wide(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let wide = |line: &&str| ["\u{a0};", "\u{a0}?", "\u{a0}!"].iter().any(|mark| line.contains(mark));
    let told = |line: &str| format!("locales/fr has U+00A0 before ; ? or !, where U+202F belongs: {line}");
    text.lines().filter(wide).map(told).collect()
}

fn variables(pattern: &Pattern<&str>, found: &mut BTreeSet<String>) {
    for element in &pattern.elements {
        if let PatternElement::Placeable { expression } = element {
            expression_variables(expression, found);
        }
    }
}

fn expression_variables(expression: &Expression<&str>, found: &mut BTreeSet<String>) {
    match expression {
        Expression::Inline(inline) => inline_variables(inline, found),
        Expression::Select { selector, variants } => {
            inline_variables(selector, found);
            for variant in variants {
                variables(&variant.value, found);
            }
        }
    }
}

fn inline_variables(inline: &InlineExpression<&str>, found: &mut BTreeSet<String>) {
    match inline {
        InlineExpression::VariableReference { id } => {
            found.insert(id.name.to_owned());
        }
        InlineExpression::FunctionReference { arguments, .. } => {
            for argument in &arguments.positional {
                inline_variables(argument, found);
            }
        }
        InlineExpression::Placeable { expression } => expression_variables(expression, found),
        _ => {}
    }
}
