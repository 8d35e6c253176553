//! axe-core, the accessibility checker, run inside a page.

use std::path::Path;

use serde_json::{Value, json};

use crate::browser::Browser;

/// Installed there by `npm ci` (see `package.json`), which `./test` runs.
const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/node_modules/axe-core/axe.min.js");

/// WCAG 2.2 A and AA, and axe's own best practice.
const TAGS: [&str; 6] = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/// Every violation on the page that is shown, one line each.
#[track_caller]
pub fn violations(browser: &Browser) -> Vec<String> {
    let source = std::fs::read_to_string(Path::new(SOURCE))
        .unwrap_or_else(|e| panic!("{SOURCE}: {e}; run `npm ci` in e2e/"));
    if browser.script("return typeof axe", &[]) == json!("undefined") {
        browser.script(&source, &[]);
    }
    let run = "const done = arguments[arguments.length - 1];
        axe.run(document, { runOnly: { type: 'tag', values: arguments[0] }, resultTypes: ['violations'] })
           .then(r => done(r.violations), e => done(String(e)));";
    let found = browser.async_script(run, &[json!(TAGS)]);
    let found = found.as_array().unwrap_or_else(|| panic!("axe: {found}"));
    found.iter().map(line).collect()
}

fn line(violation: &Value) -> String {
    let nodes: Vec<String> = violation["nodes"]
        .as_array()
        .into_iter()
        .flatten()
        .take(3)
        .map(|n| {
            let html: String = n["html"].as_str().unwrap_or("").chars().take(160).collect();
            let why =
                n["any"][0]["message"].as_str().or_else(|| n["all"][0]["message"].as_str()).unwrap_or("");
            format!("{html} ({why})")
        })
        .collect();
    format!("{} ({}): {}; {}", violation["id"], violation["impact"], violation["help"], nodes.join(" | "))
}
