//! What opens in front of a page, and forms that are refused, as everybody sees them.

use cordee_e2e::cluster::{Cluster, PASSWORD};
use cordee_e2e::looks::{self, LANGUAGES};

use super::{SHOWN, sign_in, usual_look};

/// A page with a form, what is typed wrong there, and the field that is refused. Nothing typed: the address is wrong.
type Mistake = (&'static str, &'static [(&'static str, &'static str)], &'static str);

const MISTAKES: [Mistake; 9] = [
    ("/pools/web/servers/new", &[("name", "a;b"), ("cookie", "a b")], "name"),
    ("/pools/db/servers/new", &[("name", "a;b"), ("port", "x")], "name"),
    ("/pools/db/servers/existing", &[("name", "a;b")], "name"),
    ("/pools/db/servers/db2/remove", &[("confirm", "db1")], "confirm"),
    ("/visitors", &[("days", "0"), ("trusted", "x")], "days"),
    ("/visitors?address=%3Cx%3E", &[], "address"),
    ("/pools/web/servers/web1/logs?status=9x", &[], "status"),
    ("/drills", &[("rate", "x")], "rate"),
    ("/account/password", &[("present", PASSWORD), ("new", "corde de rappel 61 m"), ("again", "x")], "again"),
];

pub fn axe_finds_nothing_on_forms_with_errors(cluster: &Cluster) {
    let person = sign_in(cluster);
    let browser = &person.browser;
    let mut found = Vec::new();
    for language in LANGUAGES {
        browser.set_cookie("cordee_lang", language);
        for (page, typed, refused) in MISTAKES {
            person.go(page);
            if let Some((first, _)) = typed.first() {
                // A page may have two forms: the one with that field.
                let form = format!("main form:has([name=\"{first}\"])");
                for (field, text) in typed {
                    browser.fill(&format!("{form} [name=\"{field}\"]"), text);
                }
                browser.click(&format!("{form} button.main"));
            }
            browser.wait_for(&format!("[aria-invalid=\"true\"][name=\"{refused}\"]"), SHOWN);
            found.extend(looks::findings(browser, &format!("{page}, {refused} refused, {language}")));
        }
        // The same in the dialog, where the script puts each refusal at its field.
        person.dashboard();
        person.fill_in_new_web("a;b", "a b");
        person.submit();
        browser.wait_for("dialog[open] [aria-invalid=\"true\"][name=\"name\"]", SHOWN);
        found.extend(looks::findings(browser, &format!("the dialog, name refused, {language}")));
    }
    usual_look(browser);
    looks::none(&found);
}

/// Everything that opens something in front of the dashboard: a row's action, or what is pressed.
const OPENERS: [(&str, &str); 7] = [
    ("web", "stop"),
    ("web", "restart"),
    ("web", "remove"),
    ("db", "stop"),
    ("db", "restart"),
    ("db", "promote"),
    ("db", "remove"),
];
const PRESSED: [(&str, &str); 7] = [
    ("a[data-open=\"add\"]", "#add [name=\"cookie\"]"),
    ("a[data-open=\"join\"]", "#join [data-plan-steps] li"),
    ("a[data-keeping=\"database\"]", "dialog[open] button.main"),
    ("a[data-routing=\"all-writers\"]", "dialog[open] button.main"),
    ("[popovertarget=\"m-web1\"]", "#m-web1"),
    ("[popovertarget=\"c-web1\"]", "#c-web1"),
    ("[popovertarget=\"m-db2\"]", "#m-db2"),
];

pub fn axe_finds_nothing_with_dialogs_and_menus_open(cluster: &Cluster) {
    let person = sign_in(cluster);
    let mut found = Vec::new();
    for language in LANGUAGES {
        person.browser.set_cookie("cordee_lang", language);
        let mut check =
            |what: &str| found.extend(looks::findings(&person.browser, &format!("{what} {language}")));
        for (pool, action) in OPENERS {
            person.dashboard();
            person.ask(pool, if pool == "web" { "web1" } else { "db2" }, action);
            person.browser.wait_for("dialog[open]", SHOWN);
            check(&format!("{pool} {action}"));
        }
        for (opener, opened) in PRESSED {
            person.dashboard();
            person.browser.click(opener);
            person.browser.wait_for(opened, SHOWN);
            check(opener);
        }
    }
    usual_look(&person.browser);
    looks::none(&found);
}
