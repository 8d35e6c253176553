//! Every line that can be written is explained in both languages, and the documentation says the same.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

use cordee_domain::desired::{Admin, CookieChoice, Desired, Power, Run, Server};
use cordee_domain::haproxy::config::{self, Rendered, ServerLine};
use cordee_domain::haproxy::line::Line;
use cordee_domain::haproxy::setting::Setting;
use cordee_domain::ids::{Cookie, PoolId, ServerName};
use cordee_domain::visitors::{Keeping, parse_trusted};

use super::*;
use crate::web::fixture;

/// A cluster whose two files contain every kind of line. A new kind must be made to appear here; the tests enforce
/// it.
fn example() -> Desired {
    let mut desired = fixture::desired();
    let at = |port| ([127, 0, 0, 1], port).into();
    (desired.web.listen, desired.db.listen, desired.writer_listen) = (at(8080), at(3307), at(3308));
    let models = [desired.web.servers[0].clone(), desired.db.servers[0].clone()];
    let server = |pool: usize, name: &str, id: u32, port| Server {
        id,
        name: ServerName::parse(name).unwrap(),
        port,
        ..models[pool].clone()
    };
    desired.web.servers = [("web1", 1), ("web2", 2), ("web3", 5), ("web4", 6)]
        .into_iter()
        .zip(8611..)
        .map(|((name, id), port)| server(0, name, id, port))
        .collect();
    for (server, cookie) in desired.web.servers.iter_mut().zip(["S1", "S2"]) {
        server.web_mut().unwrap().cookie = CookieChoice::Chosen(Cookie::parse(cookie).unwrap());
    }
    desired.web.servers[1].web_mut().unwrap().admin = Admin::Drain;
    desired.web.servers[2].runtime = Run::Process { power: Power::Off, generation: 0 };
    desired.db.servers = vec![server(1, "db1", 3, 8621), server(1, "db2", 4, 8622)];
    desired.writer = Some(desired.db.servers[0].name.clone());
    desired.visitors.port = Some(8690);
    desired.visitors.trusted = parse_trusted("192.0.2.0/24").unwrap();
    desired
}

fn setting() -> Setting {
    Setting {
        web_socket: PathBuf::from("run/haproxy-web/admin.sock"),
        db_socket: PathBuf::from("run/haproxy-db/admin.sock"),
        session_map: PathBuf::from("conf/session.map"),
        ..fixture::setting()
    }
}

fn rendered(desired: &Desired, proxy: PoolId, proven: impl Fn(&Server) -> bool) -> Rendered {
    let ip = [127, 0, 0, 1].into();
    let place = |s: &Server| {
        (s.name.clone(), ServerLine { ip, proven: proven(s), held: false, stays: false, gone: false })
    };
    let places: BTreeMap<_, _> = desired.pool(proxy).servers.iter().map(place).collect();
    Rendered::clone(&config::render(desired, proxy, &setting(), &places))
}

/// The last web server has not passed a check yet.
fn files() -> [(PoolId, Rendered); 2] {
    PoolId::ALL.map(|proxy| (proxy, rendered(&example(), proxy, |s| s.name.as_str() != "web4")))
}

fn words(line: &Line) -> Vec<&str> {
    let why = line.why.iter().flat_map(|w| [&w.does, &w.without]);
    why.chain(line.parts.iter().map(|p| &p.does)).map(|text| text.key.as_ref()).collect()
}

/// The keys of the sentences about lines, as the languages contain them.
fn known() -> BTreeSet<&'static str> {
    include_str!(concat!(env!("OUT_DIR"), "/en.ftl"))
        .lines()
        .filter_map(|line| line.split_once(" =").map(|(key, _)| key))
        .filter(|key| key.starts_with("line-") || key.starts_with("part-"))
        .collect()
}

#[test]
fn every_line_that_can_be_emitted_is_explained_in_both_languages() {
    let files = files();
    let lines: Vec<&Line> = files.iter().flat_map(|(_, file)| &file.lines).collect();
    for line in &lines {
        let empty = line.text().is_empty();
        assert_eq!(line.why.is_none(), empty, "{:?}", line.text());
        assert_eq!(line.parts.is_empty(), !line.text().trim_start().starts_with("server "));
        for lang in Lang::ALL {
            let row = row(line, lang);
            let says = [&row.does, &row.without].into_iter().chain(row.parts.iter().map(|(_, does)| does));
            for said in says.filter(|_| !empty) {
                let whole = said.contains(' ') && !said.contains(['{', '}', '$']);
                assert!(whole, "{}: {said:?}", line.text());
            }
        }
    }
    // Each sentence belongs to a line of the example. So the example covers every branch of the generator: a line
    // is made together with its sentences, and the build fails on a sentence that no code uses.
    let said: BTreeSet<&str> = lines.iter().flat_map(|line| words(line)).collect();
    assert_eq!(known().difference(&said).collect::<Vec<_>>(), Vec::<&&str>::new(), "not in the example");
    assert_eq!(said.difference(&known()).collect::<Vec<_>>(), Vec::<&&str>::new(), "in no language");
}

/// The example is one situation; in every other situation the lines are explained by the same sentences.
#[test]
fn no_wish_makes_a_line_without_a_sentence() {
    let known = known();
    for admin in [Admin::Ready, Admin::Drain, Admin::Maintenance] {
        for (power, proven) in [(Power::On, true), (Power::On, false), (Power::Off, true)] {
            let mut desired = example();
            for server in &mut desired.web.servers {
                server.web_mut().unwrap().admin = admin;
                server.runtime = Run::Process { power, generation: 0 };
            }
            desired.web.listen = ([0, 0, 0, 0, 0, 0, 0, 1], 80).into();
            if power == Power::Off {
                desired.visitors = Keeping::default();
            }
            desired.writer = (power == Power::On).then(|| desired.db.servers[1].name.clone());
            for proxy in PoolId::ALL {
                let file = rendered(&desired, proxy, |_| proven);
                assert!(config::untouched(&file.text));
                for line in &file.lines {
                    assert!(line.text().is_empty() || words(line).len() >= 2, "{}", line.text());
                    assert!(words(line).iter().all(|key| known.contains(key)));
                    assert!(!line.shown().contains(&setting().cookie_key), "{}", line.shown());
                }
            }
        }
    }
}

#[test]
fn a_line_is_shown_by_its_name_and_the_rest() {
    assert_eq!(keyword("timeout client 30s"), ("timeout client", " 30s"));
    assert_eq!(keyword("balance roundrobin"), ("balance", " roundrobin"));
    assert_eq!(keyword("option httpchk"), ("option httpchk", ""));
    assert_eq!(keyword("global"), ("global", ""));
    assert_eq!(keyword("# end 12"), ("", "# end 12"));
    assert_eq!(keyword(""), ("", ""));
}

/// A page of the documentation.
fn document(lang: Lang) -> String {
    let (title, lead, columns) = match lang {
        Lang::Fr => (
            "La configuration de HAProxy, ligne par ligne",
            "Voici les deux fichiers que Cordée écrit, d’après un cluster qui en montre toutes les sortes de lignes :\n\
             web2 mis à l’écart, web3 arrêté, web4 pas encore vérifié, un proxy de confiance en amont. La page\n\
             « Configuration » montre les vôtres, avec les mêmes phrases. Cette page est engendrée à partir du\n\
             programme, et l’intégration continue échoue si elle n’est pas à jour (CONTRIBUTING.md).",
            ["Ligne", "Ce qu’elle fait", "Sans elle"],
        ),
        Lang::En => (
            "HAProxy’s configuration, line by line",
            "These are the two files that Cordée writes, for a cluster that has every kind of line: web2 in drain,\n\
             web3 stopped, web4 not checked yet, a trusted proxy in front. The page “Configuration” shows yours, with\n\
             the same sentences. This page is generated from the program, and the continuous integration fails when\n\
             it is out of date (CONTRIBUTING.md).",
            ["Line", "What it does", "Without it"],
        ),
    };
    let mut text = format!("# {title}\n\n{lead}\n");
    for (proxy, file) in files() {
        let _ = write!(text, "\n## HAProxy {proxy}\n");
        let mut open = false;
        for line in file.lines.iter().filter(|line| !line.text().is_empty()) {
            let row = row(line, lang);
            if row.section || !open {
                let heading = if row.section { format!("\n### {}\n", line.text()) } else { String::new() };
                let _ = write!(text, "{heading}\n| {} |\n|---|---|---|\n", columns.join(" | "));
                open = true;
            }
            text.push_str(&table_row(line, &row));
        }
    }
    text
}

fn table_row(line: &Line, row: &LineRow) -> String {
    // A bar ends a table cell, even in code.
    let cell = |text: &str| text.replace('|', "\\|");
    let mut does = cell(&row.does);
    for (words, means) in &row.parts {
        let _ = write!(does, "<br>`{}`: {}", cell(words), cell(means));
    }
    // The checksums change with every version.
    let shown = line.shown();
    let shown = shown.trim_start();
    let shown = match shown.split_once(' ') {
        Some(("description", _)) => "description cordee … …".to_owned(),
        Some(("#", rest)) if rest.starts_with("end ") => "# end …".to_owned(),
        _ => cell(shown),
    };
    format!("| `{shown}` | {does} | {} |\n", cell(&row.without))
}

#[test]
fn the_documentation_of_the_configuration_is_up_to_date() {
    let docs = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    for lang in Lang::ALL {
        let path = docs.join(format!("configuration.{}.md", lang.tag()));
        let text = document(lang);
        if std::env::var_os("CORDEE_BLESS").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let written = std::fs::read_to_string(&path).unwrap_or_default();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        assert!(
            written == text,
            "docs/{name} is out of date: CORDEE_BLESS=1 cargo test -p cordee documentation"
        );
    }
}
