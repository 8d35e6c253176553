//! Tokens: listed, dated, revoked.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use cordee_domain::guesses::Who;
use cordee_node::clock::now;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::Rig;
use crate::store::TokenName;
use crate::web::session::{Local, origin};

async fn as_owner(rig: &Rig, method: &str, to: &str, body: Value) -> (StatusCode, Value) {
    let mut request = rig.request(method, to, body.to_string());
    request.headers_mut().remove(header::AUTHORIZATION);
    request.extensions_mut().insert(Local);
    rig.send(request).await
}

fn with(token: &str, to: &str) -> Request<Body> {
    let request = Request::get(to).header(header::AUTHORIZATION, format!("Bearer {token}"));
    request.body(Body::empty()).unwrap()
}

#[tokio::test]
async fn a_token_is_listed_with_its_dates_and_refused_once_it_is_taken_back() {
    let rig = Rig::new();
    let (status, made) = as_owner(&rig, "POST", "/local/tokens", json!({"name": "Backup", "days": 90})).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    let secret = made["token"].as_str().unwrap().to_owned();
    let listed =
        |all: &Value| all["tokens"].as_array().unwrap().iter().find(|t| t["name"] == "Backup").cloned();
    let (_, all) = rig.call("GET", "/api/v1/tokens").await;
    assert!(!all.to_string().contains(&secret), "what it is made of is shown once");
    let backup = listed(&all).unwrap();
    assert_eq!((&backup["used"], &backup["expired"]), (&Value::Null, &json!(false)));
    let days = (backup["expires"].as_u64().unwrap() - backup["created"].as_u64().unwrap()) / 86_400_000;
    assert!((89..=90).contains(&days), "{backup}");
    assert_eq!(rig.send(with(&secret, "/api/v1/tokens")).await.0, StatusCode::OK);
    let (_, all) = rig.call("GET", "/api/v1/tokens").await;
    assert!(listed(&all).unwrap()["used"].is_u64(), "{all}");
    // A stream that was opened with the token ends with it.
    let stream = rig.router.clone().oneshot(with(&secret, "/api/v1/events")).await.unwrap();
    let mut stream = stream.into_body();
    assert!(stream.frame().await.is_some());

    let (status, gone) = rig.call("DELETE", "/api/v1/tokens/backup").await;
    assert_eq!((status, &gone["name"]), (StatusCode::OK, &json!("Backup")), "{gone}");
    assert_eq!(rig.send(with(&secret, "/api/v1/tokens")).await.0, StatusCode::UNAUTHORIZED);
    let rest = async { while stream.frame().await.is_some() {} };
    tokio::time::timeout(std::time::Duration::from_secs(1), rest).await.expect("the stream goes on");
    assert_eq!(rig.call("DELETE", "/api/v1/tokens/backup").await.0, StatusCode::NOT_FOUND);
    assert_eq!(rig.call("DELETE", "/api/v1/tokens/a%20b").await.0, StatusCode::NOT_FOUND);
    let told = rig.app.store.events_after(0, 9).unwrap();
    assert_eq!(told.last().unwrap().text.key, "event-token-revoked");
}

#[tokio::test]
async fn a_token_that_is_out_of_date_is_refused_and_says_so_in_the_list() {
    let rig = Rig::new();
    let make = |name: &str, at| rig.app.store.create_token(&TokenName(name.to_owned()), at).unwrap().unwrap();
    let (over, good) = (make("over", Some(now() - 1)), make("good", Some(now() + 60_000)));
    assert_eq!(rig.send(with(&over, "/api/v1/tokens")).await.0, StatusCode::UNAUTHORIZED);
    let (_, all) = rig.send(with(&good, "/api/v1/tokens")).await;
    let expired: Vec<&Value> = all["tokens"].as_array().unwrap().iter().map(|t| &t["expired"]).collect();
    assert_eq!(expired, [&json!(false), &json!(false), &json!(true)], "{all}");
    for days in [json!("0"), json!("3651"), json!("soon"), json!("")] {
        let (status, said) =
            as_owner(&rig, "POST", "/local/tokens", json!({"name": "x", "days": days})).await;
        assert_eq!((status, &said["errors"][0]["field"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("days")));
    }
}

#[tokio::test]
async fn the_owner_of_the_machine_changes_the_password_and_guesses_are_counted() {
    let rig = Rig::new();
    let change = |body: Value| as_owner(&rig, "POST", "/local/password", body);
    let (status, _) = change(json!({"present": "", "new": "long enough"})).await;
    assert_eq!(status, StatusCode::CONFLICT, "nobody has an account");
    rig.app.store.create_first_account("ana", "correct horse").unwrap();
    let (status, said) = change(json!({"present": "correct horse", "new": "short"})).await;
    assert_eq!((status, &said["errors"][0]["field"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("new")));
    let (status, _) = change(json!({"present": "correct horse", "new": "another one"})).await;
    assert_eq!(status, StatusCode::OK);
    assert!(rig.app.store.password_matches("ana", "another one").unwrap().is_some());
    let mut seen = Vec::new();
    for _ in 0..6 {
        let (status, said) = change(json!({"present": "wrong", "new": "a third one"})).await;
        seen.push((status.as_u16(), said["errors"][0]["field"].as_str().unwrap_or_default().to_owned()));
    }
    assert_eq!(seen[..5], vec![(422, "present".to_owned()); 5]);
    assert_eq!(seen[5].0, 429, "{seen:?}");
    // These tries are counted apart: they keep nobody from the page.
    let stranger = Who::Stranger(origin(None), "ana".to_owned());
    assert!(rig.app.limiter.reserve(stranger).is_ok());
    let (status, _) = change(json!({"forgotten": true, "new": "a third one"})).await;
    assert_eq!(status, StatusCode::OK);
    assert!(rig.app.store.password_matches("ANA", "a third one").unwrap().is_some());
    let outside = rig.request("POST", "/local/password", "{\"forgotten\":true,\"new\":\"long enough\"}");
    assert_eq!(rig.send(outside).await.0, StatusCode::NOT_FOUND);
}
