//! A real Chromium, driven as a person would use it, that remembers every complaint of its console.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal};
use serde_json::{Value, json};

use crate::http;
use crate::ports::local;
use crate::procs;
use crate::wait;

const CHROMEDRIVER: &str = "/usr/bin/chromedriver";
const CHROMIUM: &str = "/usr/bin/chromium";
const START: Duration = Duration::from_secs(30);
/// No command takes longer: more than a script or a page may.
const COMMAND: Duration = Duration::from_secs(70);
/// The name under which the `WebDriver` standard gives an element's id.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Without these Chromium asks for hosts of its maker, which a test must not; as root it needs `--no-sandbox`.
const FLAGS: [&str; 8] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// A browser. Dropping it ends it and everything it started.
#[derive(Debug)]
pub struct Browser {
    /// `ChromeDriver`'s address, and the session that every command names.
    to: SocketAddr,
    session: String,
    driver: Child,
    profile: PathBuf,
}

impl Browser {
    /// Starts one with an empty profile.
    #[track_caller]
    pub fn start() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let profile =
            std::env::temp_dir().join(format!("cordee-e2e-chromium-{}-{number}", std::process::id()));
        let mut driver = Command::new(CHROMEDRIVER)
            .arg("--port=0")
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|e| panic!("{CHROMEDRIVER}: {e}; Debian's package is chromium-driver"));
        let to = local(port_of(&mut driver));
        let body = json!({ "capabilities": { "alwaysMatch": capabilities(&profile) } });
        let session = command(to, "POST", "/session", &body, START).expect("a session");
        let session = session["sessionId"].as_str().expect("a session's id").to_owned();
        Self { to, session, driver, profile }
    }

    /// A command about the session, as the `WebDriver` standard and `ChromeDriver` name it.
    fn ask(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        command(self.to, method, &format!("/session/{}/{path}", self.session), body, COMMAND)
    }

    /// Opens an address.
    #[track_caller]
    pub fn open(&self, address: &str) {
        self.ask("POST", "url", &json!({ "url": address })).unwrap_or_else(|e| panic!("{address}: {e}"));
    }

    /// The address shown.
    pub fn address(&self) -> String {
        self.ask("GET", "url", &Value::Null).expect("address").as_str().unwrap_or("").to_owned()
    }

    /// The page's path.
    pub fn path(&self) -> String {
        self.script("return location.pathname", &[]).as_str().unwrap_or("").to_owned()
    }

    /// Runs a script in the page, outside its content policy, and gives what it returns.
    #[track_caller]
    pub fn script(&self, script: &str, arguments: &[Value]) -> Value {
        self.try_script(script, arguments).unwrap_or_else(|e| panic!("{script}: {e}"))
    }

    /// The same while the page may be on its way to another.
    pub fn try_script(&self, script: &str, arguments: &[Value]) -> Result<Value, String> {
        self.ask("POST", "execute/sync", &json!({ "script": script, "args": arguments }))
    }

    /// Runs a script that answers through the function in its last argument.
    #[track_caller]
    pub fn async_script(&self, script: &str, arguments: &[Value]) -> Value {
        let body = json!({ "script": script, "args": arguments });
        self.ask("POST", "execute/async", &body).unwrap_or_else(|e| panic!("script: {e}"))
    }

    /// Whether a selector finds something that a person can see.
    pub fn sees(&self, css: &str) -> bool {
        let script = "return [...document.querySelectorAll(arguments[0])].some(e => e.checkVisibility())";
        self.try_script(script, &[json!(css)]).is_ok_and(|v| v == json!(true))
    }

    /// Waits until a selector finds something visible.
    #[track_caller]
    pub fn wait_for(&self, css: &str, bound: Duration) {
        wait::until(&format!("{css} is visible"), bound, || {
            if self.sees(css) { Ok(()) } else { Err(self.complaint()) }
        });
    }

    /// Clicks the first visible element, with the pointer, as a person does: a covered one is an error.
    #[track_caller]
    pub fn click(&self, css: &str) {
        let clicked = self.on_the_first(css, &[("click", json!({}))]);
        assert!(matches!(clicked, Ok(true)), "click on {css}: {clicked:?}; {}", self.complaint());
    }

    /// Types into a field, in place of what stands there.
    #[track_caller]
    pub fn fill(&self, css: &str, text: &str) {
        let filled = self.on_the_first(css, &[("clear", json!({})), ("value", json!({ "text": text }))]);
        assert!(matches!(filled, Ok(true)), "fill {css}: {filled:?}; {}", self.complaint());
    }

    /// Does something with the first visible element; `false` when there is none.
    fn on_the_first(&self, css: &str, acts: &[(&str, Value)]) -> Result<bool, String> {
        let found = self.ask("POST", "elements", &json!({ "using": "css selector", "value": css }))?;
        for id in found.as_array().into_iter().flatten().filter_map(|e| e[ELEMENT].as_str()) {
            if self.ask("GET", &format!("element/{id}/displayed"), &Value::Null)? == json!(true) {
                for (act, body) in acts {
                    self.ask("POST", &format!("element/{id}/{act}"), body)?;
                }
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The visible text of the first element.
    pub fn text(&self, css: &str) -> Option<String> {
        let script = "return document.querySelector(arguments[0])?.innerText ?? null";
        self.try_script(script, &[json!(css)]).ok()?.as_str().map(str::to_owned)
    }

    /// Sets a cookie for the page shown.
    #[track_caller]
    pub fn set_cookie(&self, name: &str, value: &str) {
        // `SameSite=None` would be refused by Chromium without TLS.
        let cookie = json!({ "name": name, "value": value, "path": "/", "sameSite": "Strict" });
        self.ask("POST", "cookie", &json!({ "cookie": cookie })).expect("cookie");
    }

    /// Forgets all cookies of the page shown.
    pub fn forget_cookies(&self) {
        self.ask("DELETE", "cookie", &Value::Null).expect("cookies");
    }

    /// The width of the page in CSS pixels. A headless window itself cannot be narrower than about 500.
    #[track_caller]
    pub fn width(&self, width: u32) {
        self.size(width, 900);
    }

    /// What the system is said to prefer: `light` or `dark`. Also stills all motion, so that a colour is
    /// never measured half way.
    #[track_caller]
    pub fn theme(&self, theme: &str) {
        self.prefer(theme, "none");
    }

    /// The same, with the few colours that the system alone chooses.
    #[track_caller]
    pub fn forced_colours(&self, theme: &str) {
        self.prefer(theme, "active");
    }

    #[track_caller]
    fn prefer(&self, theme: &str, forced: &str) {
        let features = json!({ "features": [
            { "name": "prefers-color-scheme", "value": theme },
            { "name": "prefers-reduced-motion", "value": "reduce" },
            { "name": "forced-colors", "value": forced },
        ]});
        self.devtools("Emulation.setEmulatedMedia", &features);
    }

    /// The same for a page of that height.
    #[track_caller]
    pub fn size(&self, width: u32, height: u32) {
        self.window(width, height, 1);
    }

    /// A window of so many pixels at 200 %: everything is twice as large, and half of it fits.
    #[track_caller]
    pub fn at_200_percent(&self, width: u32, height: u32) {
        self.window(width / 2, height / 2, 2);
    }

    #[track_caller]
    fn window(&self, width: u32, height: u32, scale: u32) {
        let metrics =
            json!({ "width": width, "height": height, "deviceScaleFactor": scale, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", &metrics);
    }

    /// Opens one more tab, and goes to it; its name, for [`Self::tab`].
    #[track_caller]
    pub fn new_tab(&self) -> String {
        let tab = self.ask("POST", "window/new", &json!({ "type": "tab" })).expect("a tab");
        let name = tab["handle"].as_str().expect("a tab's name").to_owned();
        self.tab(&name);
        name
    }

    /// The name of the tab that is looked at.
    #[track_caller]
    pub fn this_tab(&self) -> String {
        let name = self.ask("GET", "window", &Value::Null).expect("a tab");
        name.as_str().expect("a tab's name").to_owned()
    }

    /// Closes the tab that is looked at; another one has to be gone to next.
    #[track_caller]
    pub fn close_tab(&self) {
        self.ask("DELETE", "window", &Value::Null).expect("closed");
    }

    /// Goes to a tab.
    #[track_caller]
    pub fn tab(&self, name: &str) {
        self.ask("POST", "window", &json!({ "handle": name })).unwrap_or_else(|e| panic!("tab {name}: {e}"));
    }

    /// The zone of the reader's own clock.
    #[track_caller]
    pub fn zone(&self, name: &str) {
        self.devtools("Emulation.setTimezoneOverride", &json!({ "timezoneId": name }));
    }

    /// Puts the pointer on the middle of the first visible element, and leaves it there.
    #[track_caller]
    pub fn point_at(&self, css: &str) {
        let place = "const e = [...document.querySelectorAll(arguments[0])].find(e => e.checkVisibility());
            e.scrollIntoView({ block: 'nearest', behavior: 'instant' });
            const { x, y, width, height } = e.getBoundingClientRect();
            return [Math.round(x + width / 2), Math.round(y + height / 2)]";
        let at = self.script(place, &[json!(css)]);
        let step =
            json!({ "type": "pointerMove", "duration": 0, "origin": "viewport", "x": at[0], "y": at[1] });
        self.mouse(&[step]);
    }

    /// Presses the button of the mouse where the pointer is, or lets go of it.
    #[track_caller]
    pub fn button(&self, down: bool) {
        self.mouse(&[json!({ "type": if down { "pointerDown" } else { "pointerUp" }, "button": 0 })]);
    }

    /// Puts a finger on a place of the window, or takes it off again.
    #[track_caller]
    pub fn finger(&self, at: Option<&Value>) {
        let points: Vec<Value> = at.iter().map(|at| json!({ "x": at[0], "y": at[1] })).collect();
        let how = if at.is_some() { "touchStart" } else { "touchEnd" };
        self.devtools("Input.dispatchTouchEvent", &json!({ "type": how, "touchPoints": points }));
    }

    #[track_caller]
    fn mouse(&self, steps: &[Value]) {
        let pointer = json!({ "type": "pointer", "id": "mouse", "actions": steps });
        self.ask("POST", "actions", &json!({ "actions": [pointer] }))
            .unwrap_or_else(|e| panic!("{steps:?}: {e}"));
    }

    /// Presses the first visible element twice, as quickly as a hand can and quicker.
    #[track_caller]
    pub fn double_click(&self, css: &str) {
        self.point_at(css);
        let press = ["pointerDown", "pointerUp"].map(|how| json!({ "type": how, "button": 0 }));
        let twice = [press.clone(), press].concat();
        self.mouse(&twice);
    }

    /// Goes back by one stop of the focus.
    #[track_caller]
    pub fn back_tab(&self) {
        let (shift, tab) = ("\u{e008}", "\u{e004}");
        let strokes = [("keyDown", shift), ("keyDown", tab), ("keyUp", tab), ("keyUp", shift)];
        let strokes = strokes.map(|(how, key)| json!({ "type": how, "value": key }));
        let keys = json!({ "type": "key", "id": "keys", "actions": strokes });
        self.ask("POST", "actions", &json!({ "actions": [keys] })).unwrap_or_else(|e| panic!("keys: {e}"));
    }

    /// Presses and releases keys, wherever the focus is.
    #[track_caller]
    pub fn press(&self, keys: &str) {
        let strokes =
            keys.chars().flat_map(|key| ["keyDown", "keyUp"].map(|how| json!({ "type": how, "value": key })));
        let keys = json!({ "type": "key", "id": "keys", "actions": strokes.collect::<Vec<_>>() });
        self.ask("POST", "actions", &json!({ "actions": [keys] })).unwrap_or_else(|e| panic!("keys: {e}"));
    }

    /// What Chromium counts of the page's work, by its names in the protocol.
    #[track_caller]
    pub fn metrics(&self) -> BTreeMap<String, f64> {
        self.devtools("Performance.enable", &json!({}));
        let all = self.devtools("Performance.getMetrics", &json!({}));
        let all = all["metrics"].as_array().cloned().unwrap_or_default();
        let one = |m: &Value| Some((m["name"].as_str()?.to_owned(), m["value"].as_f64()?));
        all.iter().filter_map(one).collect()
    }

    /// Runs a script in each page that is opened from now on, before any of the page's own.
    #[track_caller]
    pub fn before_each_page(&self, script: &str) {
        self.devtools("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": script }));
    }

    /// Throws away every file that was kept of pages seen before.
    #[track_caller]
    pub fn forget_files(&self) {
        self.devtools("Network.clearBrowserCache", &json!({}));
    }

    /// Has the script's heap rid of what nobody needs any more.
    #[track_caller]
    pub fn collect_garbage(&self) {
        self.devtools("HeapProfiler.collectGarbage", &json!({}));
    }

    /// A picture of the whole page at its present width.
    #[track_caller]
    pub fn picture(&self, path: &Path) {
        // A page that is shown whole has no scroll bar: with one in its measures, the picture lacks as much at its
        // right.
        let bar = |width: &str| {
            self.script("document.documentElement.style.scrollbarWidth = arguments[0]", &[json!(width)]);
        };
        bar("none");
        let size = self.devtools("Page.getLayoutMetrics", &json!({}));
        let area = &size["cssContentSize"];
        let clip = json!({ "x": 0, "y": 0, "width": area["width"], "height": area["height"], "scale": 1 });
        let shot =
            self.devtools("Page.captureScreenshot", &json!({ "captureBeyondViewport": true, "clip": clip }));
        bar("");
        let data = shot["data"].as_str().expect("picture");
        std::fs::write(path, decode_base64(data)).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    }

    /// A picture of the first visible element and nothing else, as a PNG in base64.
    #[track_caller]
    pub fn picture_of(&self, css: &str) -> String {
        // What was changed a moment ago is drawn by then.
        let frames =
            "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done()))";
        self.async_script(frames, &[]);
        let pick =
            "return [...document.querySelectorAll(arguments[0])].find(e => e.checkVisibility()) ?? null";
        let element = self.script(pick, &[json!(css)]);
        let id =
            element[ELEMENT].as_str().unwrap_or_else(|| panic!("{css} is not shown; {}", self.complaint()));
        let shot = self.ask("GET", &format!("element/{id}/screenshot"), &Value::Null);
        let shot = shot.unwrap_or_else(|e| panic!("{css}: {e}"));
        shot.as_str().expect("picture").to_owned()
    }

    /// All that the page tells to those who cannot see it: names and descriptions, each once.
    #[track_caller]
    pub fn told(&self) -> BTreeSet<String> {
        self.devtools("Accessibility.enable", &json!({}));
        let tree = self.devtools("Accessibility.getFullAXTree", &json!({}));
        self.devtools("Accessibility.disable", &json!({}));
        let nodes = tree["nodes"].as_array().cloned().unwrap_or_default();
        let of = |node: &Value| [&node["name"]["value"], &node["description"]["value"]].map(Value::clone);
        let heard = nodes.iter().filter(|node| node["ignored"] != json!(true)).flat_map(of);
        heard.filter_map(|text| text.as_str().map(str::to_owned)).filter(|text| !text.is_empty()).collect()
    }

    /// Whether scripts of pages run. Scripts of the test itself go on.
    #[track_caller]
    pub fn allow_scripts(&self, allowed: bool) {
        self.devtools("Emulation.setScriptExecutionDisabled", &json!({ "value": !allowed }));
    }

    #[track_caller]
    fn devtools(&self, command: &str, parameters: &Value) -> Value {
        let body = json!({ "cmd": command, "params": parameters });
        self.ask("POST", "goog/cdp/execute", &body).unwrap_or_else(|e| panic!("{command}: {e}"))
    }

    /// Takes what the console, the network and the content policy complained about since the last call.
    #[track_caller]
    pub fn complaints(&self) -> Vec<String> {
        let log = self.ask("POST", "se/log", &json!({ "type": "browser" })).expect("browser log");
        let entries = log.as_array().cloned().unwrap_or_default();
        let line = |e: &Value| format!("{} {} {}", e["level"], e["source"], e["message"]);
        // INFO and DEBUG are no complaints.
        entries.iter().filter(|e| e["level"] == "SEVERE" || e["level"] == "WARNING").map(line).collect()
    }

    /// Where the browser is and what it shows, for a message.
    fn complaint(&self) -> String {
        let text = self.text("body").unwrap_or_default();
        let text: String =
            text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(1_500).collect();
        format!("at {}: {text}", self.address())
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let path = format!("/session/{}", self.session);
        if let Err(why) = command(self.to, "DELETE", &path, &Value::Null, START) {
            eprintln!("# Chromium did not close: {why}");
        }
        if let Some(group) = i32::try_from(self.driver.id()).ok().and_then(Pid::from_raw) {
            let _ = rustix::process::kill_process_group(group, Signal::KILL);
        }
        let _ = self.driver.wait();
        // Chromium names its profile in the arguments of each of its processes.
        for process in procs::of_home(&self.profile) {
            procs::end(&process, Signal::KILL);
        }
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}

/// One command of the `WebDriver` protocol, on a connection of its own.
fn command(to: SocketAddr, method: &str, path: &str, body: &Value, bound: Duration) -> Result<Value, String> {
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let kind = [("Content-Type", "application/json; charset=utf-8")];
    let answer = http::Client::new(to)
        .timeout(bound)
        .header("Connection", "close")
        .request(method, path, &kind, &body)
        .map_err(|e| format!("ChromeDriver, {path}: {e}"))?;
    let said: Value = serde_json::from_slice(&answer.body).map_err(|e| format!("{e}: {}", answer.text()))?;
    if answer.status == 200 {
        return Ok(said["value"].clone());
    }
    Err(format!("{}: {}", said["value"]["error"], said["value"]["message"]))
}

fn capabilities(profile: &Path) -> Value {
    let mut flags: Vec<String> = FLAGS.iter().map(|f| (*f).to_owned()).collect();
    flags.push(format!("--user-data-dir={}", profile.display()));
    flags.push("--window-size=1280,900".to_owned());
    // The page is called by the machine's name too, whatever the name service says of it.
    flags.push(format!("--host-resolver-rules=MAP {} 127.0.0.1", machine()));
    json!({
        "browserName": "chrome",
        "goog:chromeOptions": { "binary": CHROMIUM, "args": flags },
        "goog:loggingPrefs": { "browser": "ALL" },
        "timeouts": { "script": 60_000, "pageLoad": 30_000 },
    })
}

/// The machine's name.
pub fn machine() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname").expect("a name").trim().to_owned()
}

/// `ChromeDriver` says on its standard output which port it took. The rest of its output is read and dropped, so
/// that it never blocks on a full pipe.
fn port_of(driver: &mut Child) -> u16 {
    let stdout = driver.stdout.take().expect("piped");
    let (found, port) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if let Some(rest) = line.split_once("started successfully on port ").map(|(_, rest)| rest) {
                let _ = found.send(rest.trim_end_matches('.').parse::<u16>());
            }
        }
    });
    port.recv_timeout(START).expect("ChromeDriver starts").expect("a port")
}

fn decode_base64(text: &str) -> Vec<u8> {
    let value = |byte: u8| match byte {
        b'A'..=b'Z' => Some(u32::from(byte - b'A')),
        b'a'..=b'z' => Some(u32::from(byte - b'a') + 26),
        b'0'..=b'9' => Some(u32::from(byte - b'0') + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let digits: Vec<u32> = text.bytes().filter_map(value).collect();
    let mut out = Vec::with_capacity(digits.len() * 3 / 4);
    for group in digits.chunks(4) {
        let bits = group.iter().enumerate().fold(0, |bits, (n, digit)| bits | digit << (18 - 6 * n));
        let octets = bits.to_be_bytes();
        out.extend_from_slice(&octets[1..group.len()]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_decoded() {
        for (text, plain) in [("", ""), ("Qw==", "C"), ("Q28=", "Co"), ("Q29y", "Cor"), ("Q29yZA==", "Cord")]
        {
            assert_eq!(decode_base64(text), plain.as_bytes(), "{text}");
        }
    }
}
