//! How a page looks to everybody: in both languages and themes, on a telephone, a tablet and a desktop.

use std::path::PathBuf;

use crate::axe;
use crate::browser::Browser;

/// Of the page.
pub const LANGUAGES: [&str; 2] = ["en", "fr"];
/// What a system may prefer.
pub const THEMES: [&str; 2] = ["light", "dark"];
/// A desktop, a tablet, a telephone.
pub const WIDTHS: [u32; 3] = [1280, 768, 360];

/// What axe finds on the page that is shown, at each width and in each theme, and by how much it is wider than the
/// screen. The page is left on a desktop, in the light theme.
#[track_caller]
pub fn findings(browser: &Browser, what: &str) -> Vec<String> {
    let mut found = Vec::new();
    for width in WIDTHS {
        browser.width(width);
        // What the system prefers changes while a page is open.
        for theme in THEMES {
            browser.theme(theme);
            let look = format!("{what} {theme} {width}");
            found.extend(axe::violations(browser).into_iter().map(|v| format!("{look}: {v}")));
            found.extend(too_wide(browser).map(|over| format!("{look}: {over} px too wide")));
            keep(browser, &look);
        }
    }
    browser.theme("light");
    browser.width(WIDTHS[0]);
    found
}

/// Where pictures of what is seen are kept, while somebody wants them.
pub fn folder() -> Option<PathBuf> {
    std::env::var_os("CORDEE_E2E_PICTURES").map(PathBuf::from)
}

/// Keeps a picture of the whole page under that name, where pictures are wanted.
#[track_caller]
pub fn keep(browser: &Browser, look: &str) {
    if let Some(folder) = folder() {
        let words: Vec<&str> =
            look.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty()).collect();
        browser.picture(&folder.join(format!("{}.png", words.join("-"))));
    }
}

/// By how much the page is wider than the screen.
#[track_caller]
pub fn too_wide(browser: &Browser) -> Option<i64> {
    let script = "const d = document.documentElement; return d.scrollWidth - d.clientWidth";
    let over = browser.script(script, &[]).as_i64().expect("a width");
    (over != 0).then_some(over)
}

/// Fails with all that was found.
#[track_caller]
pub fn none(found: &[String]) {
    assert!(found.is_empty(), "{} findings: {found:#?}", found.len());
}
