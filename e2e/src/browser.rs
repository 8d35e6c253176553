//! A real Chromium, driven as a person would use it, that remembers every complaint of its console.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use rustix::process::{Pid, Signal};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::procs;
use crate::wait;

const CHROMEDRIVER: &str = "/usr/bin/chromedriver";
const CHROMIUM: &str = "/usr/bin/chromium";
const START: Duration = Duration::from_secs(30);

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

/// A browser with one tab. Dropping it ends it and everything it started.
#[derive(Debug)]
pub struct Browser {
    runtime: Runtime,
    client: Option<Client>,
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
        let port = port_of(&mut driver);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(capabilities(&profile));
        let address = format!("http://127.0.0.1:{port}");
        let client = runtime.block_on(async {
            tokio::time::timeout(START, builder.connect(&address))
                .await
                .expect("Chromium starts")
                .expect("session")
        });
        Self { runtime, client: Some(client), driver, profile }
    }

    fn wd(&self) -> &Client {
        self.client.as_ref().expect("the browser runs until it is dropped")
    }

    /// Opens an address.
    #[track_caller]
    pub fn open(&self, address: &str) {
        self.runtime.block_on(self.wd().goto(address)).unwrap_or_else(|e| panic!("{address}: {e}"));
    }

    /// The address shown.
    pub fn address(&self) -> String {
        self.runtime.block_on(self.wd().current_url()).expect("address").to_string()
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
        self.runtime.block_on(self.wd().execute(script, arguments.to_vec())).map_err(|e| e.to_string())
    }

    /// Runs a script that answers through the function in its last argument.
    #[track_caller]
    pub fn async_script(&self, script: &str, arguments: &[Value]) -> Value {
        self.runtime
            .block_on(self.wd().execute_async(script, arguments.to_vec()))
            .unwrap_or_else(|e| panic!("script: {e}"))
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
        let clicked = self.runtime.block_on(async {
            for element in self.wd().find_all(Locator::Css(css)).await? {
                if element.is_displayed().await? {
                    return element.click().await.map(|()| true);
                }
            }
            Ok(false)
        });
        assert!(matches!(clicked, Ok(true)), "click on {css}: {clicked:?}; {}", self.complaint());
    }

    /// Types into a field, in place of what stands there.
    #[track_caller]
    pub fn fill(&self, css: &str, text: &str) {
        let filled = self.runtime.block_on(async {
            for element in self.wd().find_all(Locator::Css(css)).await? {
                if element.is_displayed().await? {
                    element.clear().await?;
                    return element.send_keys(text).await.map(|()| true);
                }
            }
            Ok::<bool, fantoccini::error::CmdError>(false)
        });
        assert!(matches!(filled, Ok(true)), "fill {css}: {filled:?}; {}", self.complaint());
    }

    /// The visible text of the first element.
    pub fn text(&self, css: &str) -> Option<String> {
        let script = "return document.querySelector(arguments[0])?.innerText ?? null";
        self.try_script(script, &[json!(css)]).ok()?.as_str().map(str::to_owned)
    }

    /// Sets a cookie for the page shown.
    #[track_caller]
    pub fn set_cookie(&self, name: &str, value: &str) {
        // The library's own call sends `SameSite=None`, which Chromium refuses without TLS.
        let cookie = json!({ "name": name, "value": value, "path": "/", "sameSite": "Strict" });
        self.issue("cookie", json!({ "cookie": cookie })).expect("cookie");
    }

    /// Forgets all cookies of the page shown.
    pub fn forget_cookies(&self) {
        self.runtime.block_on(self.wd().delete_all_cookies()).expect("cookies");
    }

    /// The width of the page in CSS pixels. A headless window itself cannot be narrower than about 500.
    #[track_caller]
    pub fn width(&self, width: u32) {
        let metrics = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", &metrics);
    }

    /// What the system is said to prefer: `light` or `dark`. Also stills all motion, so that a colour is
    /// never measured half way.
    #[track_caller]
    pub fn theme(&self, theme: &str) {
        let features = json!({ "features": [
            { "name": "prefers-color-scheme", "value": theme },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ]});
        self.devtools("Emulation.setEmulatedMedia", &features);
    }

    /// A picture of the whole page at its present width.
    #[track_caller]
    pub fn picture(&self, path: &Path) {
        let size = self.devtools("Page.getLayoutMetrics", &json!({}));
        let area = &size["cssContentSize"];
        let clip = json!({ "x": 0, "y": 0, "width": area["width"], "height": area["height"], "scale": 1 });
        let shot =
            self.devtools("Page.captureScreenshot", &json!({ "captureBeyondViewport": true, "clip": clip }));
        let data = shot["data"].as_str().expect("picture");
        std::fs::write(path, decode_base64(data)).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    }

    /// Whether scripts of pages run. Scripts of the test itself go on.
    #[track_caller]
    pub fn allow_scripts(&self, allowed: bool) {
        self.devtools("Emulation.setScriptExecutionDisabled", &json!({ "value": !allowed }));
    }

    #[track_caller]
    fn devtools(&self, command: &str, parameters: &Value) -> Value {
        let body = json!({ "cmd": command, "params": parameters });
        self.issue("goog/cdp/execute", body).unwrap_or_else(|e| panic!("{command}: {e}"))
    }

    /// Takes what the console, the network and the content policy complained about since the last call.
    #[track_caller]
    pub fn complaints(&self) -> Vec<String> {
        let log = self.issue("se/log", json!({ "type": "browser" })).expect("browser log");
        let entries = log.as_array().cloned().unwrap_or_default();
        let line = |e: &Value| format!("{} {} {}", e["level"], e["source"], e["message"]);
        // INFO and DEBUG are no complaints.
        entries.iter().filter(|e| e["level"] == "SEVERE" || e["level"] == "WARNING").map(line).collect()
    }

    fn issue(&self, path: &str, body: Value) -> Result<Value, String> {
        let command = Vendor { path: path.to_owned(), body };
        self.runtime.block_on(self.wd().issue_cmd(command)).map_err(|e| e.to_string())
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
        if let Some(client) = self.client.take() {
            let closed = self.runtime.block_on(async { tokio::time::timeout(START, client.close()).await });
            if closed.is_err() {
                eprintln!("# Chromium did not close in {START:?}");
            }
        }
        if let Some(group) = i32::try_from(self.driver.id()).ok().and_then(Pid::from_raw) {
            let _ = rustix::process::kill_process_group(group, Signal::KILL);
        }
        let _ = self.driver.wait();
        // Chromium names its profile in the arguments of each of its processes.
        for process in procs::of_home(&self.profile) {
            if process.lives() {
                procs::signal(&self.profile, process.pid, Signal::KILL);
            }
        }
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}

/// A command of `ChromeDriver`'s own.
#[derive(Debug)]
struct Vendor {
    path: String,
    body: Value,
}

impl WebDriverCompatibleCommand for Vendor {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or(""), self.path))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.body.to_string()))
    }
}

fn capabilities(profile: &Path) -> serde_json::Map<String, Value> {
    let mut flags: Vec<String> = FLAGS.iter().map(|f| (*f).to_owned()).collect();
    flags.push(format!("--user-data-dir={}", profile.display()));
    flags.push("--window-size=1280,900".to_owned());
    let value = json!({
        "browserName": "chrome",
        "goog:chromeOptions": { "binary": CHROMIUM, "args": flags },
        "goog:loggingPrefs": { "browser": "ALL" },
        "timeouts": { "script": 60_000, "pageLoad": 30_000 },
    });
    value.as_object().expect("an object").clone()
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
