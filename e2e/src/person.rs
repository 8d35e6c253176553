//! A person at the page: what they look for and click, in one place, so that the tests speak of servers and
//! not of selectors.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};

use crate::browser::{Browser, machine};
use crate::cluster::{Cluster, PASSWORD, PROOF};
use crate::wait;

/// How long a page or dialog may take to be there after a click. Far above what it takes; the acceptance's own
/// bounds are measured by the tests.
const SHOWN: Duration = Duration::from_secs(10);

/// A signed-in person with a browser.
#[derive(Debug)]
pub struct Person {
    /// Her browser.
    pub browser: Browser,
    base: String,
}

/// A row of the dashboard as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// `good`, `warn`, `crit`, `busy`, `maint`, `unknown`: the shape and colour.
    pub look: String,
    /// Word and reason.
    pub words: String,
    /// The whole row.
    pub text: String,
}

impl Person {
    /// Signs in with a cookie made over HTTP, and opens the dashboard in English.
    #[track_caller]
    pub fn sign_in(cluster: &Cluster) -> Self {
        Self::stranger(cluster).signed_in(cluster)
    }

    /// The same, calling the page by the machine's name: to a browser that is plain HTTP from somewhere, which has less
    /// than an address of the own machine.
    #[track_caller]
    pub fn sign_in_by_name(cluster: &Cluster) -> Self {
        let base = format!("http://{}:{}", machine(), cluster.page().port());
        Self { base, ..Self::stranger(cluster) }.signed_in(cluster)
    }

    #[track_caller]
    fn signed_in(self, cluster: &Cluster) -> Self {
        self.enters(&cluster.session_anew(), PROOF);
        self.dashboard();
        self
    }

    /// Somebody with a session and its secret, at no page of theirs yet.
    #[track_caller]
    pub fn with(page: SocketAddr, session: &(String, String), proof: &str) -> Self {
        let person = Self::at(page);
        person.enters(session, proof);
        person
    }

    #[track_caller]
    fn enters(&self, (name, value): &(String, String), proof: &str) {
        self.go("/login");
        self.browser.set_cookie(name, value);
        self.browser.set_cookie("cordee_lang", "en");
        self.browser.script("localStorage.setItem('cordee-proof', arguments[0])", &[json!(proof)]);
    }

    /// Somebody who is not signed in, at no page yet.
    #[track_caller]
    pub fn stranger(cluster: &Cluster) -> Self {
        Self::at(cluster.page())
    }

    fn at(page: SocketAddr) -> Self {
        let browser = Browser::start();
        browser.width(1280);
        Self { browser, base: format!("http://{page}") }
    }

    /// Opens a page of the product.
    #[track_caller]
    pub fn go(&self, path: &str) {
        self.browser.open(&self.address(path));
    }

    /// The whole address of a page of the product.
    pub fn address(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Opens the dashboard, and waits until its live part has begun.
    #[track_caller]
    pub fn dashboard(&self) {
        self.go("/");
        assert_eq!(self.browser.path(), "/", "not signed in");
        wait::until("web1 is on the dashboard", SHOWN, || {
            self.row("web1").ok_or_else(|| self.browser.text("main"))
        });
    }

    /// Fills in the form of the page or dialog shown, and sends it.
    #[track_caller]
    pub fn fill_in(&self, fields: &[(&str, &str)]) {
        for (name, value) in fields {
            self.browser.fill(&format!("{} [name=\"{name}\"]", self.form()), value);
        }
    }

    /// The form in front of the person: the dialog's when one is open, else the page's.
    fn form(&self) -> &'static str {
        if self.browser.sees("dialog[open] form") { "dialog[open] form" } else { "main form" }
    }

    /// Presses the button that does what the form or dialog is for.
    #[track_caller]
    pub fn submit(&self) {
        self.browser.click(&format!("{} button.main", self.form()));
    }

    /// The same without the page's script: the password is in the form.
    #[track_caller]
    pub fn submit_with_password(&self) {
        self.fill_in(&[("own_password", PASSWORD)]);
        self.submit();
    }

    /// Opens the form "add a web server" from the dashboard.
    #[track_caller]
    pub fn open_add_web(&self) {
        self.browser.click("a[href=\"/pools/web/servers/new\"]");
        self.browser.wait_for("[name=\"cookie\"]", SHOWN);
    }

    /// Fills in "add a web server", for a new one on this machine.
    #[track_caller]
    pub fn fill_in_new_web(&self, name: &str, cookie: &str) {
        self.open_add_web();
        self.browser.click(&format!("{} [name=\"start\"][value=\"on\"]", self.form()));
        self.fill_in(&[("name", name), ("cookie", cookie)]);
    }

    /// Asks for an action on a server from its row on the dashboard; answers no question yet.
    #[track_caller]
    pub fn ask(&self, pool: &str, server: &str, action: &str) {
        let path = format!("/pools/{pool}/servers/{server}/{action}");
        let act = format!("tr a[href=\"{path}\"], tr form[action=\"{path}\"] button");
        wait::until(&format!("{action} is offered for {server}"), SHOWN, || {
            if self.browser.sees(&act) {
                return Ok(());
            }
            // The less frequent actions are in the row's menu.
            let menu = self.browser.try_script(MENU, &[json!(act)]).unwrap_or_default();
            if let Some(button) = menu.as_str() {
                self.browser.click(button);
            }
            Err(self.row(server))
        });
        self.browser.click(&act);
    }

    /// Asks for an action and answers the question that follows: after this call it has been sent.
    #[track_caller]
    pub fn act(&self, pool: &str, server: &str, action: &str) {
        self.ask(pool, server, action);
        self.browser.wait_for("dialog[open] form button.main", SHOWN);
        self.submit();
    }

    /// A server's row, `None` when it is not shown.
    pub fn row(&self, server: &str) -> Option<Row> {
        let found = self.browser.try_script(ROW, &[json!(server)]).ok()?;
        let text =
            |key: &str| found[key].as_str().map(|t| t.split_whitespace().collect::<Vec<_>>().join(" "));
        Some(Row { look: text("look")?, words: text("words")?, text: text("text")? })
    }

    /// Waits until a server's row has that look.
    #[track_caller]
    pub fn wait_for_look(&self, server: &str, look: &str, bound: Duration) -> Duration {
        let shown = || match self.row(server) {
            Some(row) if row.look == look => Ok(()),
            // What it waits for may be a question.
            row => Err((row, self.browser.text("dialog[open]"), self.browser.text("#toasts"))),
        };
        wait::until(&format!("{server} is shown as {look}"), bound, shown).1
    }

    /// Waits until a server has no row.
    #[track_caller]
    pub fn wait_until_gone(&self, server: &str, bound: Duration) {
        wait::until(&format!("{server} is not shown"), bound, || match self.row(server) {
            None => Ok(()),
            Some(row) => Err(row),
        });
    }

    /// Leaves a mark that only a page load removes.
    #[track_caller]
    pub fn mark(&self) {
        self.browser.script("window.markOfTheTest = true", &[]);
    }

    /// Whether the page has not been loaded again since [`Self::mark`].
    #[track_caller]
    pub fn assert_not_reloaded(&self) {
        let mark = self.browser.script("return window.markOfTheTest ?? null", &[]);
        assert_eq!(mark, Value::Bool(true), "the page was loaded again");
    }

    /// What is shown as fine now: the verdict and every row.
    pub fn shown_as_fine(&self) -> Vec<String> {
        let found = self.browser.try_script(FINE, &[]).unwrap_or_default();
        found.as_array().into_iter().flatten().filter_map(|v| v.as_str()).map(str::to_owned).collect()
    }
}

/// A row is found by its heading, as a person finds it.
const ROW: &str = "
    const head = [...document.querySelectorAll('tr > th[scope=row]')].find(h => h.innerText.trim() === arguments[0]);
    const row = head?.closest('tr');
    const st = row?.querySelector('.st[data-st]');
    return row ? { look: st?.dataset.st ?? '', words: st?.innerText ?? '', text: row.innerText } : {};";

/// The button of the closed menu in which an action waits.
const MENU: &str = "
    for (const act of document.querySelectorAll(arguments[0])) {
        const menu = act.closest('[popover]');
        if (menu && !act.closest('[hidden]') && !menu.matches(':popover-open')) return `[popovertarget=\"${menu.id}\"]`;
    }
    return null;";

const FINE: &str = "
    return [...document.querySelectorAll('.verdict[data-st=good], tr .st[data-st=good]')]
        .map(e => e.innerText.trim());";
