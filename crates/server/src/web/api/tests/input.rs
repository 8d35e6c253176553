//! How bad input is answered: with a problem at its field, and without a change.

use axum::body::Body;
use axum::http::{StatusCode, header};
use cordee_domain::change::Request;
use cordee_domain::decision::{Basis, Decision};
use cordee_domain::desired::Power;
use cordee_domain::ids::{PoolId, ServerName};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::Rig;
use crate::web::fixture;

#[tokio::test]
async fn bad_input_is_refused_at_its_field_and_changes_nothing() {
    let rig = Rig::new();
    let long = "a".repeat(60_000);
    let with = |field: &str, value: Value| {
        let mut body = json!({"name": "web3", "address": "10.0.0.5", "port": 80});
        body[field] = value;
        body
    };
    let hostile = ["a\nb", "a;b", "a\"b", "a'b", "$(id)", "<script>", &long];
    let mut table: Vec<(Value, &str, u16)> = Vec::new();
    for text in hostile {
        table.push((with("name", json!(text)), "name", 422));
        table.push((with("address", json!(text)), "address", 422));
        table.push((with("port", json!(text)), "port", 422));
    }
    // An apostrophe and `$` are token characters, but not safe in HAProxy's file.
    for text in ["a\nb", "a;b", "a\"b", "a'b", "$(id)", "<script>", "a b", &long] {
        table.push((with("cookie", json!(text)), "cookie", 422));
    }
    for port in [json!(0), json!(65536), json!(-1), json!(80.5), json!(true), json!([80])] {
        table.push((with("port", port), "port", 422));
    }
    for (field, value) in [
        ("name", json!(3)),
        ("address", json!({})),
        ("cookie", json!(1)),
        ("start", json!("yes")),
        ("prot", json!(1)),
    ] {
        table.push((with(field, value), field, 422));
    }
    table.push((with("name", json!("Web1")), "name", 409));
    table.push((with("name", json!("db1")), "name", 409));
    table.push((with("name", json!("all")), "name", 422));
    table.push((json!({"address": "10.0.0.5"}), "name", 422));
    table.push((json!({"name": "web3", "address": "127.0.0.1", "port": 18081}), "address", 409));
    for own in [18600, 18080, 13307, 13308] {
        table.push((json!({"name": "web3", "address": "localhost", "port": own}), "address", 409));
    }
    for (body, field, expected) in table {
        let (status, value) = rig.add(&body).await;
        let shown: String = body.to_string().chars().take(80).collect();
        assert_eq!(status.as_u16(), expected, "{shown}");
        let fields: Vec<_> =
            value["errors"].as_array().unwrap().iter().map(|e| e["field"].as_str().unwrap()).collect();
        assert_eq!(fields, [field], "{shown}");
    }
    assert_eq!(rig.app.store.desired().unwrap(), fixture::desired());
    assert!(rig.app.store.events_after(0, 1).unwrap().is_empty());
}

/// A form sends every field, and an empty field may mean a default. JSON omits a field that has no value.
#[tokio::test]
async fn an_empty_text_in_json_is_no_default() {
    let rig = Rig::new();
    let web = "/api/v1/pools/web/servers";
    let with = |field: &str| {
        let mut body = json!({"name": "web3", "address": "10.0.0.5"});
        body[field] = json!("");
        body
    };
    let mut table: Vec<(&str, &str, Value, &str)> = Vec::new();
    for field in ["name", "address", "port", "cookie", "user"] {
        table.push(("POST", web, with(field), field));
    }
    table.push(("POST", web, json!({"name": "web3", "start": true, "address": ""}), "address"));
    table.push(("POST", web, json!({"name": "web3", "start": true, "port": " "}), "port"));
    let member = json!({"name": "db3", "address": "127.0.0.1", "port": "", "user": "ana", "password": "p"});
    table.push(("POST", "/api/v1/pools/db/join", member, "port"));
    for figure in ["rate", "visitors", "before", "held", "after"] {
        let mut order = json!({"target": "web1", "how": "kill", "confirm": "web"});
        order[figure] = json!("");
        table.push(("POST", "/api/v1/drills", order, figure));
    }
    table.push(("PUT", "/api/v1/visitors/keeping", json!({"days": ""}), "days"));
    for (method, to, body, field) in table {
        let (status, value) = rig.send(rig.request(method, to, body.to_string())).await;
        assert_eq!((status.as_u16(), &value["errors"][0]["field"]), (422, &json!(field)), "{to} {body}");
        assert_eq!(value["errors"].as_array().unwrap().len(), 1, "{to} {body}: {value}");
    }
    assert_eq!(*rig.app.board.desired(), fixture::desired());
    // A field that is absent has its default.
    let (status, value) = rig.add(&json!({"name": "web3", "address": "10.0.0.5", "port": null})).await;
    assert_eq!((status, &value["server"]["port"]), (StatusCode::CREATED, &json!(80)));
}

#[tokio::test]
async fn a_chosen_cookie_belongs_to_one_server() {
    let rig = Rig::new();
    rig.add(&json!({"name": "web3", "address": "10.0.0.5", "cookie": "S3"})).await;
    let (status, value) = rig.add(&json!({"name": "web4", "address": "10.0.0.6", "cookie": "S3"})).await;
    assert_eq!((status, &value["errors"][0]["field"]), (StatusCode::CONFLICT, &json!("cookie")));
}

#[tokio::test]
async fn every_wrong_field_is_named_at_once() {
    let rig = Rig::new();
    let (_, value) = rig.add(&json!({"name": "1", "address": "", "port": 0, "cookie": " ;"})).await;
    let errors = value["errors"].as_array().unwrap();
    let fields: Vec<_> = errors.iter().map(|e| e["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["name", "address", "port", "cookie"]);
}

#[tokio::test]
async fn a_body_that_is_no_small_json_object_is_refused() {
    let rig = Rig::new();
    let huge = format!("{{\"name\":\"{}\"}}", "a".repeat(3_000_000));
    for (body, expected) in [
        ("", 400),
        ("{", 400),
        ("{\"name\":\"web3\"}x", 400),
        ("[]", 422),
        ("\"web3\"", 422),
        (huge.as_str(), 413),
    ] {
        let request = rig.request("POST", "/api/v1/pools/web/servers", body.to_owned());
        assert_eq!(rig.send(request).await.0.as_u16(), expected, "{body:.20}");
    }
    let mut form = rig.request("POST", "/api/v1/pools/web/servers", "name=web3");
    form.headers_mut().insert(header::CONTENT_TYPE, "text/plain".parse().unwrap());
    assert_eq!(rig.send(form).await.0, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(*rig.app.board.desired(), fixture::desired());
}

#[tokio::test]
async fn what_is_not_there_is_said_to_be_unknown() {
    let rig = Rig::new();
    let table = [
        ("POST", "/api/v1/pools/mail/servers/web1/drain", 404, "pool"),
        ("POST", "/api/v1/pools/web/servers/web9/drain", 404, "name"),
        ("POST", "/api/v1/pools/web/servers/db1/stop", 404, "name"),
        ("POST", "/api/v1/pools/web/servers/a%0Ab/drain", 404, "name"),
        ("POST", "/api/v1/pools/web/servers/%24(id)/drain", 404, "name"),
        ("POST", "/api/v1/pools/web/servers/%FF/drain", 404, ""),
        ("POST", "/api/v1/pools/db/servers/%24(id)/verify", 404, "name"),
        ("POST", "/api/v1/pools/db/servers/%FF/verify", 404, ""),
        ("POST", "/api/v1/pools/web/servers/web1/explode", 404, "action"),
        ("DELETE", "/api/v1/pools/web/servers/..%2Fweb1", 404, "name"),
        ("DELETE", "/api/v1/pools/db/servers/db1", 409, "name"),
        ("POST", "/api/v1/pools/db/servers/db2/drain", 409, "pool"),
        ("POST", "/api/v1/proxies/mail/reload", 404, "proxy"),
        ("POST", "/api/v1/clean?apply=yes", 422, "apply"),
        ("GET", "/api/v1/pools/web/servers/web1/logs?lines=0", 422, "lines"),
        ("GET", "/api/v1/pools/web/servers/web1/logs?lines=1001", 422, "lines"),
        ("GET", "/api/v1/pools/web/servers/web1/logs?checks=yes", 422, "checks"),
        ("GET", "/api/v1/history?limit=-1", 422, "limit"),
        ("GET", "/api/v1/history?before=99999999999999999999", 422, "before"),
        ("GET", "/api/v1/events?after=x", 422, "after"),
        ("GET", "/api/v2/snapshot", 404, ""),
        ("GET", "/api", 404, ""),
        ("GET", "/api/", 404, ""),
        ("POST", "/api/v1/snapshot", 405, ""),
        ("GET", "/api/v1/refresh", 405, ""),
        ("PUT", "/api/v1/pools/web/servers/web1", 405, ""),
        ("GET", "/api/v1/pools/web/servers/web1/drain", 405, ""),
        ("GET", "/local/dsn", 404, ""),
    ];
    for (method, to, expected, field) in table {
        let (status, value) = rig.call(method, to).await;
        assert_eq!(status.as_u16(), expected, "{method} {to}");
        assert_eq!(value["errors"][0]["field"], field, "{method} {to}");
    }
    assert_eq!(*rig.app.board.desired(), fixture::desired());
}

#[tokio::test]
async fn a_bad_routing_is_refused_at_its_field_and_changes_nothing() {
    let rig = Rig::new();
    for (pool, body, expected, field) in [
        ("db", json!({"routing": "some-writers"}), 422, "routing"),
        ("db", json!({"routing": "All-Writers"}), 422, "routing"),
        ("db", json!({"routing": "one-writer\n"}), 422, "routing"),
        ("db", json!({"routing": true}), 422, "routing"),
        ("db", json!({"routing": null}), 422, "routing"),
        ("db", json!({}), 422, "routing"),
        ("db", json!({"routing": "all-writers", "force": true}), 422, "force"),
        ("web", json!({"routing": "all-writers"}), 409, "pool"),
        ("mail", json!({"routing": "all-writers"}), 404, "pool"),
    ] {
        let to = format!("/api/v1/pools/{pool}/routing");
        let (status, value) = rig.send(rig.request("PUT", &to, body.to_string())).await;
        assert_eq!(
            (status.as_u16(), &value["errors"][0]["field"]),
            (expected, &json!(field)),
            "{pool} {body}"
        );
        assert_eq!(value["errors"].as_array().unwrap().len(), 1, "{pool} {body}");
    }
    let (status, _) = rig.call("PUT", "/api/v1/pools/db/routing").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(*rig.app.board.desired(), fixture::desired());
}

#[tokio::test]
async fn a_promotion_that_cannot_be_is_refused_at_its_field_and_changes_nothing() {
    let rig = Rig::new();
    let db2 = || ServerName::parse("db2").unwrap();
    let id = rig.app.board.desired().db.server(&db2()).unwrap().id;
    let recopy = Request::Recopy { name: db2(), id };
    let stop = Request::SetPower { pool: PoolId::Db, name: db2(), power: Power::Off, force: true };
    let refuse = async |to: &str, expected: u16, field: &str| {
        let before = rig.app.board.desired();
        let (status, value) = rig.call("POST", &format!("/api/v1/pools/{to}")).await;
        assert_eq!((status.as_u16(), &value["errors"][0]["field"]), (expected, &json!(field)), "{to}");
        assert_eq!(*rig.app.board.desired(), *before, "{to}");
        value["errors"][0]["detail"].as_str().unwrap().to_owned()
    };
    let says = refuse("db/servers/db1/promote", 409, "name").await;
    assert_eq!(says, "db1 is the writer already.");
    refuse("db/servers/DB1/promote?accept_loss=true", 409, "name").await;
    refuse("db/servers/db9/promote", 404, "name").await;
    refuse("db/servers/db2/promote?accept_loss=yes", 422, "accept_loss").await;
    let says = refuse("web/servers/web1/promote", 409, "pool").await;
    assert!(says.contains("web1 is a web server"), "{says}");
    rig.app.store.commit(&stop, "ana").unwrap();
    let says = refuse("db/servers/db2/promote", 409, "name").await;
    assert!(says.contains("is stopped"), "{says}");
    rig.app.store.commit(&recopy, "cordee").unwrap();
    let says = refuse("db/servers/db2/promote?accept_loss=true", 409, "name").await;
    assert!(says.contains("does not copy the others"), "{says}");
}

/// A request about rows applies to the database that existed when it was made.
#[tokio::test]
async fn rows_are_compared_and_repaired_of_the_database_that_was_meant() {
    let mut rig = Rig::new();
    rig.answer_asks();
    let asks = async |rig: &Rig, word: &str, body: Body| {
        let (status, value) =
            rig.send(rig.request("POST", &format!("/api/v1/pools/db/servers/db2/{word}"), body)).await;
        (status.as_u16(), value["errors"][0]["detail"].as_str().unwrap_or_default().to_owned())
    };
    let take = || Body::from(json!({ "take": "writer" }).to_string());
    assert_eq!(asks(&rig, "verify", Body::empty()).await.0, 202);
    assert_eq!(asks(&rig, "repair", take()).await.0, 202);
    let recopy = Request::Recopy { name: ServerName::parse("db2").unwrap(), id: 4 };
    rig.app.store.commit(&recopy, "ana").unwrap();
    let basis = Basis { name: ServerName::parse("db2").unwrap(), id: 5, epoch: 1 };
    rig.app.store.decide(&Decision::Admit(basis)).unwrap();
    // As if the engine had not heard of the change yet: the requested database and the one that the engine knows
    // differ.
    for (word, body) in [("verify", Body::empty()), ("repair", take())] {
        let (status, says) = asks(&rig, word, body).await;
        assert_eq!((status, says.contains("another server by now")), (409, true), "{word}: {says}");
    }
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let rig = Rig::new();
    let request = rig.request("POST", "/api/v1/snapshot", Body::empty());
    let answer = rig.router.clone().oneshot(request).await.unwrap();
    assert_eq!(answer.headers()[header::ALLOW], "GET,HEAD");
}

#[tokio::test]
async fn refusals_are_in_the_reader_s_language() {
    let rig = Rig::new();
    let mut request = rig.request("GET", "/api/nothing", Body::empty());
    request.headers_mut().insert(header::ACCEPT_LANGUAGE, "fr-CH, fr;q=0.9".parse().unwrap());
    assert_eq!(rig.send(request).await.1["detail"], "Il n’y a rien à cette adresse.");
    assert_eq!(rig.call("GET", "/api/nothing").await.1["detail"], "There is nothing at this address.");
}
