//! What is wrong is refused in the same words by form, API and command line, and changes nothing at all.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is how a test ends")]

use cordee_e2e::api::{FieldError, Reply};
use cordee_e2e::case;
use cordee_e2e::cluster::Cluster;
use cordee_e2e::http::Answer;
use cordee_e2e::suite::File;
use serde_json::json;

/// Its cases.
pub fn file() -> File {
    File::new(
        "bad_input",
        &[],
        &[
            case!(names_that_are_no_names),
            case!(addresses_that_are_no_addresses),
            case!(ports_that_are_no_ports),
            case!(cookies_that_are_no_cookies),
            case!(a_name_that_is_taken),
            case!(an_address_that_is_taken),
            case!(the_proxies_own_addresses),
            case!(a_pool_that_does_not_exist),
            case!(a_server_that_does_not_exist),
            case!(a_server_that_is_stopped),
            case!(a_body_that_is_no_json_or_has_no_end),
            case!(every_wrong_field_is_named_at_once),
            case!(an_empty_text_in_json_is_no_default),
        ],
    )
}

/// What stands in a field, by turns: all of it must end at the parser.
const HOSTILE: [&str; 14] = [
    "a\nserver evil 127.0.0.1:1",
    "a\r\nX-Evil: 1",
    "a;disable server web/web1",
    "a\"b",
    "a'b",
    "a`id`",
    "$(id)",
    "a b",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "../../etc/passwd",
    "a\\b",
    "a#b",
    "\u{e9}t\u{e9}",
];

/// The largest argument that Linux hands to a program is 128 KiB; form and API get a whole megabyte.
const LONGEST_ARGUMENT: usize = 100_000;

/// The form's fields.
#[derive(Clone, Copy)]
struct Form<'a> {
    name: &'a str,
    address: &'a str,
    port: &'a str,
    cookie: &'a str,
}

/// Right in every field.
const RIGHT: Form<'static> = Form { name: "web9", address: "127.0.0.9", port: "8099", cookie: "" };

/// Configuration files and wish, to the last letter.
fn state(cluster: &Cluster) -> String {
    format!("{}{}{}", cluster.conf("web"), cluster.conf("db"), cluster.api().snapshot().wish())
}

fn by_form(cluster: &Cluster, form: Form<'_>) -> Answer {
    let fields = [
        ("start", "off"),
        ("name", form.name),
        ("address", form.address),
        ("port", form.port),
        ("cookie", form.cookie),
    ];
    cluster.signed_in().post_form("/pools/web/servers", &fields).expect("the form is answered")
}

fn by_api(cluster: &Cluster, form: Form<'_>) -> Reply {
    let mut body = json!({ "name": form.name, "address": form.address, "port": form.port });
    // A form sends an empty field where JSON says nothing.
    if !form.cookie.is_empty() {
        body["cookie"] = json!(form.cookie);
    }
    cluster.api().post("/v1/pools/web/servers", &body)
}

/// Asks in all three ways for what must be refused at `field`, and compares answers and state.
#[track_caller]
fn refused(cluster: &Cluster, field: &str, form: Form<'_>) {
    let shown: String =
        format!("{field} {:?}", [form.name, form.address, form.port, form.cookie].join(" | "))
            .chars()
            .take(120)
            .collect();
    let before = state(cluster);

    let reply = by_api(cluster, form);
    let said = refused_by_api(&reply, field, &shown);
    let answer = by_form(cluster, form);
    refused_by_form(&answer, &said, form, &shown);
    if [form.name, form.address, form.port, form.cookie].iter().all(|f| f.len() <= LONGEST_ARGUMENT) {
        refused_by_command_line(cluster, &said, form, &shown);
    }
    assert_eq!(before, state(cluster), "{shown}: something changed");
}

#[track_caller]
fn refused_by_api(reply: &Reply, field: &str, shown: &str) -> FieldError {
    assert!((400..500).contains(&reply.status), "{shown}: {reply:?}");
    assert_eq!(reply.kind, "application/problem+json", "{shown}");
    assert_eq!(reply.body["status"], json!(reply.status), "{shown}: {reply:?}");
    let said = reply.errors().into_iter().find(|e| e.field == field);
    let said = said.unwrap_or_else(|| panic!("{shown}: nothing said at the field: {reply:?}"));
    assert!(said.detail.len() > 10 && said.detail.len() < 400, "{shown}: one sentence: {said:?}");
    assert!(!said.detail.contains('\n'), "{shown}: one sentence: {said:?}");
    said
}

#[track_caller]
fn refused_by_form(answer: &Answer, said: &FieldError, form: Form<'_>, shown: &str) {
    assert!((400..500).contains(&answer.status), "{shown}: the form was answered {}", answer.status);
    let text = answer.text();
    assert!(plain(&text).contains(&plain(&said.detail)), "{shown}: the form does not say {said:?}:\n{text}");
    let field = format!("name=\"{}\"", said.field);
    let input = text.split('<').find(|tag| tag.contains(&field)).unwrap_or("");
    assert!(input.contains("aria-invalid=\"true\""), "{shown}: not said at the field: {input}");
    // What was typed stands in the form again, as text.
    for typed in [form.name, form.address, form.port, form.cookie] {
        assert!(!typed.contains('<') || !text.contains(typed), "{shown}: typed text became HTML");
    }
    assert!(text.len() < 256 * 1024, "{shown}: an answer of {} octets", text.len());
}

#[track_caller]
fn refused_by_command_line(cluster: &Cluster, said: &FieldError, form: Form<'_>, shown: &str) {
    let mut arguments = vec!["add", "web"];
    for (option, value) in [("--address", form.address), ("--port", form.port), ("--cookie", form.cookie)] {
        if !value.is_empty() {
            arguments.extend([option, value]);
        }
    }
    arguments.extend(["--", form.name]);
    let answer = cluster.cli(&arguments);
    assert!(answer.code > 0, "{shown}: {answer:?}");
    let all = format!("{}{}", answer.out, answer.err);
    assert!(
        plain(&all).contains(&plain(&said.detail)),
        "{shown}: the command line does not say {said:?}: {answer:?}"
    );
}

/// Text without HTML's escapes and line breaks.
fn plain(text: &str) -> String {
    let pairs = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#x27;", "'"),
        ("&#60;", "<"),
        ("&#62;", ">"),
        ("&#38;", "&"),
        ("&amp;", "&"),
    ];
    let text = pairs.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn names_that_are_no_names(cluster: &Cluster) {
    let (long, megabyte) = ("a".repeat(64), "a".repeat(1 << 20));
    let others = ["", "1web", "-web", "_web", "web", "DB", "all", &long, &megabyte];
    for name in HOSTILE.iter().copied().chain(others) {
        refused(cluster, "name", Form { name, ..RIGHT });
    }
}

fn addresses_that_are_no_addresses(cluster: &Cluster) {
    let (long, megabyte) = ("a".repeat(254), "a".repeat(1 << 20));
    let others = [
        "",
        "10.0.0.315",
        "1.2.3",
        "a_b",
        "a..b",
        "-a",
        "0.0.0.0",
        "169.254.169.254",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "[::ffff:169.254.169.254]",
        "[fe80::1]",
        "[::1",
        "[::1]:80",
        "[127.0.0.1]",
        "0xa9fea9fe",
        "::",
        &long,
        &megabyte,
    ];
    for address in HOSTILE.iter().copied().chain(others) {
        refused(cluster, "address", Form { address, ..RIGHT });
    }
}

fn ports_that_are_no_ports(cluster: &Cluster) {
    for port in
        HOSTILE.iter().copied().chain(["0", "65536", "-1", "+80", "8o", "80.0", "000080", "99999999999"])
    {
        refused(cluster, "port", Form { port, ..RIGHT });
    }
}

fn cookies_that_are_no_cookies(cluster: &Cluster) {
    let (long, megabyte) = ("S".repeat(65), "S".repeat(1 << 20));
    let mean = HOSTILE.iter().copied().filter(|h| !h.contains("..")).chain([",", "a=b", &long, &megabyte]);
    for cookie in mean {
        refused(cluster, "cookie", Form { cookie, ..RIGHT });
    }
}

fn a_name_that_is_taken(cluster: &Cluster) {
    // The databases' names count too: one name, one server.
    for name in ["web1", "WEB1", "Web2", "db1"] {
        refused(cluster, "name", Form { name, ..RIGHT });
    }
}

fn an_address_that_is_taken(cluster: &Cluster) {
    let port = cluster.api().snapshot().server("web1").port.to_string();
    refused(cluster, "address", Form { address: "127.0.0.1", port: &port, ..RIGHT });
    refused(cluster, "cookie", Form { cookie: "S1", ..RIGHT });
}

fn the_proxies_own_addresses(cluster: &Cluster) {
    for own in [cluster.site(), cluster.db(), cluster.db_writer()] {
        refused(cluster, "address", Form { address: "127.0.0.1", port: &own.port().to_string(), ..RIGHT });
        refused(cluster, "address", Form { address: "localhost", port: &own.port().to_string(), ..RIGHT });
    }
}

fn a_pool_that_does_not_exist(cluster: &Cluster) {
    let before = state(cluster);
    let body = json!({ "name": "web9", "address": "127.0.0.9" });
    for pool in ["nope", "WEB", "web%0a", "..%2fweb", "%3Cscript%3E"] {
        let reply = cluster.api().post(&format!("/v1/pools/{pool}/servers"), &body);
        assert!((400..500).contains(&reply.status), "{pool}: {reply:?}");
        assert_eq!(reply.kind, "application/problem+json", "{pool}");
        let answer =
            cluster.signed_in().post_form(&format!("/pools/{pool}/servers"), &[("name", "web9")]).unwrap();
        assert!((400..500).contains(&answer.status), "{pool}: {}", answer.status);
    }
    let answer = cluster.cli(&["add", "nope", "web9", "--address", "127.0.0.9"]);
    assert!(answer.code > 0 && !answer.err.is_empty(), "{answer:?}");
    assert_eq!(before, state(cluster));
}

fn a_server_that_does_not_exist(cluster: &Cluster) {
    let before = state(cluster);
    for act in ["stop", "start", "restart", "drain", "maintenance", "ready", "test"] {
        let reply = cluster.api().call("POST", &format!("/v1/pools/web/servers/web9/{act}"), None).unwrap();
        assert_eq!(reply.status, 404, "{act}: {reply:?}");
        let answer = cluster.cli(&[act, "web9"]);
        assert!(answer.code > 0 && answer.err.contains("web9"), "{act}: {answer:?}");
    }
    assert_eq!(cluster.api().call("DELETE", "/v1/pools/web/servers/web9", None).unwrap().status, 404);
    assert_eq!(cluster.api().call("GET", "/v1/pools/web/servers/web9/logs", None).unwrap().status, 404);
    assert_eq!(cluster.signed_in().get("/pools/web/servers/web9/logs").unwrap().status, 404);
    assert_eq!(before, state(cluster));
}

/// It neither serves nor drains before it is started: said in the same words three ways, instead of "It is so".
fn a_server_that_is_stopped(cluster: &Cluster) {
    cluster.settle();
    cluster.cli_ok(&["stop", "web2"]);
    let before = state(cluster);
    for act in ["ready", "drain"] {
        let reply = cluster.api().call("POST", &format!("/v1/pools/web/servers/web2/{act}"), None).unwrap();
        let said = refused_by_api(&reply, "name", act).detail;
        assert!(reply.status == 409 && said.contains("cordee start web2"), "{act}: {reply:?}");
        let answer = cluster.cli(&[act, "web2"]);
        assert!(answer.code == 1 && answer.err.contains(&said), "{act}: {answer:?}");
        let page = cluster.signed_in().post_form(&format!("/pools/web/servers/web2/{act}"), &[]).unwrap();
        assert!(page.status == 409 && page.text().contains("cordee start web2"), "{act}: {}", page.text());
    }
    assert_eq!(before, state(cluster));
    cluster.cli_ok(&["start", "web2"]);
    cluster.settle();
}

fn a_body_that_is_no_json_or_has_no_end(cluster: &Cluster) {
    let before = state(cluster);
    let api = cluster.api();
    for body in
        [json!(null), json!([]), json!("web9"), json!({ "name": 9 }), json!({ "name": "web9", "port": {} })]
    {
        let reply = api.post("/v1/pools/web/servers", &body);
        assert!((400..500).contains(&reply.status), "{body}: {reply:?}");
        assert_eq!(reply.kind, "application/problem+json", "{body}");
    }
    let deep = serde_json::from_str(&format!("{}1{}", "[".repeat(100), "]".repeat(100))).unwrap();
    assert!((400..500).contains(&api.post("/v1/pools/web/servers", &deep).status));
    assert_eq!(before, state(cluster));
}

fn an_empty_text_in_json_is_no_default(cluster: &Cluster) {
    let before = state(cluster);
    for field in ["port", "address", "cookie"] {
        let mut body = json!({ "name": "web9", "address": "127.0.0.9", "port": 8099 });
        body[field] = json!("");
        refused_by_api(&cluster.api().post("/v1/pools/web/servers", &body), field, &body.to_string());
        let option = format!("--{field}=");
        let address = if field == "address" { option.as_str() } else { "--address=127.0.0.9" };
        let other = if field == "address" { "--port=8099" } else { option.as_str() };
        let answer = cluster.cli(&["add", "web", "web9", address, other]);
        assert!(answer.code > 0 && answer.err.contains(field), "{option}: {answer:?}");
    }
    assert_eq!(before, state(cluster));
}

fn every_wrong_field_is_named_at_once(cluster: &Cluster) {
    let before = state(cluster);
    let wrong = Form { name: "a;b", address: "10.0.0.315", port: "0", cookie: "a b" };
    let mut fields: Vec<String> = by_api(cluster, wrong).errors().into_iter().map(|e| e.field).collect();
    fields.sort();
    assert_eq!(fields, ["address", "cookie", "name", "port"]);
    let page = by_form(cluster, wrong).text();
    assert_eq!(page.matches("aria-invalid=\"true\"").count(), 4, "{page}");
    assert_eq!(before, state(cluster));
}
