//! The API's description contains what OpenAPI 3.1 requires, and what its reader needs to know.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::describe::description;

/// Each operation: its method, its path, and its description.
fn operations() -> Vec<(String, String, &'static Value)> {
    let paths = description()["paths"].as_object().unwrap();
    let of = |(path, methods): (&String, &'static Value)| {
        let path = path.clone();
        methods.as_object().unwrap().iter().map(move |(method, said)| (method.clone(), path.clone(), said))
    };
    paths.iter().flat_map(of).collect()
}

/// Each operation that changes something, with names of the test's cluster in its address.
pub(super) fn changes() -> Vec<(String, String)> {
    let words =
        [("{pool}", "web"), ("{name}", "web1"), ("{action}", "drain"), ("{proxy}", "web"), ("{id}", "1")];
    let fill = |path: String| words.iter().fold(path, |path, (word, by)| path.replace(word, by));
    let all = operations().into_iter().filter(|(method, ..)| method != "get");
    all.map(|(method, path, _)| (method.to_uppercase(), fill(path))).collect()
}

/// Visits every value, with the path to it.
fn visit(value: &Value, way: &str, look: &mut impl FnMut(&str, &Value)) {
    look(way, value);
    match value {
        Value::Object(members) => members.iter().for_each(|(k, v)| visit(v, &format!("{way}/{k}"), look)),
        Value::Array(all) => all.iter().enumerate().for_each(|(i, v)| visit(v, &format!("{way}/{i}"), look)),
        _ => {}
    }
}

#[test]
fn every_operation_has_a_name_of_its_own_and_every_answer_says_what_it_is() {
    let mut names = BTreeMap::new();
    for (method, path, said) in operations() {
        let id = said["operationId"].as_str().unwrap().to_owned();
        assert!(
            id.contains('_') || ["refresh", "clean", "follow"].contains(&id.as_str()),
            "{id}: says little"
        );
        assert_eq!(names.insert(id.clone(), path.clone()), None, "{method} {path}: {id} is another one's");
        assert!(!said["summary"].as_str().unwrap().is_empty());
        for (status, answer) in said["responses"].as_object().unwrap() {
            let answer = answer["$ref"].as_str().map_or(answer, |to| {
                let name = to.strip_prefix("#/components/responses/").unwrap();
                &description()["components"]["responses"][name]
            });
            let says = answer["description"].as_str().unwrap_or_default();
            assert!(says.len() > 5, "{method} {path} {status}: {answer}");
        }
        let has = |status: &str| said["responses"][status].is_object();
        assert!(has("401") && has("421") && has("429") && has("500"), "{method} {path}");
        assert!(!path.contains('{') || has("404"), "{method} {path}");
        assert!(method == "get" || (has("403") && has("409")), "{method} {path}");
        assert!(
            said["requestBody"].is_null() || (has("400") && has("413") && has("415") && has("422")),
            "{path}"
        );
        let described: Vec<&str> =
            said["parameters"].as_array().into_iter().flatten().filter_map(|p| p["name"].as_str()).collect();
        for word in path.split('/').filter_map(|w| w.strip_prefix('{')?.strip_suffix('}')) {
            assert!(described.contains(&word), "{method} {path}: {word}");
        }
    }
}

#[test]
fn every_number_has_bounds_and_everything_that_is_named_is_there() {
    visit(description(), "#", &mut |way, value| {
        let several = || value["type"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let kinds: Vec<&str> = value["type"].as_str().map_or_else(several, |kind| vec![kind]);
        if kinds.contains(&"integer") {
            assert!(value["minimum"].is_u64() && value["maximum"].is_u64(), "{way}: {value}");
        }
        assert!(!kinds.contains(&"number"), "{way}: what is counted is whole");
        if let Some(to) = value["$ref"].as_str() {
            let there = description().pointer(to.strip_prefix('#').unwrap());
            assert!(there.is_some(), "{way}: {to} is nowhere");
        }
    });
}

#[test]
fn words_of_which_there_are_only_so_many_are_listed() {
    let schemas = &description()["components"]["schemas"];
    let words = |name: &str| {
        let all = schemas[name]["enum"].as_array().unwrap_or_else(|| panic!("{name}"));
        all.iter().map(|w| w.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(words("LightWord"), ["good", "maintenance", "progress", "unknown", "warning", "critical"]);
    assert_eq!(words("RoutingWord"), ["one-writer", "all-writers"]);
    assert_eq!(words("PoolWord"), ["web", "db"]);
    assert_eq!(words("RunState"), ["running", "done", "cancelled", "broken-off", "failed"]);
    assert_eq!(words("DiskWord"), ["same", "older", "by-hand", "missing"]);
    assert!(words("OfferedAction").contains(&"recopy".to_owned()));
    for (place, list) in [
        ("/StatusJson/properties/light", "LightWord"),
        ("/ServerJson/properties/pool", "PoolWord"),
        ("/DrillJson/properties/state", "RunState"),
        ("/WishJson/properties/state", "WishState"),
        ("/RoutingJson/properties/routing", "RoutingWord"),
    ] {
        let said = schemas.pointer(place).unwrap().to_string();
        assert!(said.contains(&format!("#/components/schemas/{list}")), "{place}: {said}");
    }
    // The words in an address are the same on the pages and in the API.
    for (method, path, said) in operations() {
        for parameter in said["parameters"].as_array().into_iter().flatten() {
            if ["pool", "proxy", "action"].contains(&parameter["name"].as_str().unwrap()) {
                assert!(parameter["schema"]["$ref"].is_string(), "{method} {path}: {parameter}");
            }
        }
    }
}

#[test]
fn two_things_of_one_name_are_told_apart() {
    let schemas = &description()["components"]["schemas"];
    assert!(schemas["GapJson"]["properties"]["epoch"].is_object(), "between two writers");
    assert!(schemas["UnheardJson"]["properties"]["until"].is_object(), "a time without a list of visitors");
}
