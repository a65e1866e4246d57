//! The JSON report has the form that its schema says, and holds the whole report.

use std::sync::LazyLock;

use mq_suite::Report;
use mq_suite::report::json;
use proptest::prelude::*;
use serde_json::Value;

use crate::{generated, sample};

fn schema() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/report.schema.json");
    let text = std::fs::read_to_string(path).expect(path);
    serde_json::from_str(&text).expect("a JSON schema")
}

fn problems(document: &Value) -> Vec<String> {
    static VALIDATOR: LazyLock<jsonschema::Validator> =
        LazyLock::new(|| jsonschema::draft7::new(&schema()).expect("a valid schema"));
    let errors = VALIDATOR.iter_errors(document);
    errors
        .map(|error| format!("{}: {error}", error.instance_path))
        .collect()
}

#[test]
fn the_schema_is_one_of_draft_7() {
    assert!(jsonschema::draft7::meta::is_valid(&schema()));
}

#[test]
fn the_sample_has_the_form_and_ends_with_a_line_end() {
    let text = json(&sample::report());
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(problems(&document), Vec::<String>::new());
    assert!(text.ends_with("}\n"));
}

/// A field that the schema does not know is an error at every level: else the type could grow
/// away from the schema.
#[test]
fn an_unknown_field_is_refused_everywhere() {
    let document = serde_json::to_value(sample::report()).unwrap();
    let mut places = Vec::new();
    objects(&document, String::new(), &mut places);
    assert!(places.len() > 100, "{}", places.len());
    let mut tried = std::collections::BTreeSet::new();
    for place in places {
        // Of the items of a list one is enough.
        let kind = place.replace(|it: char| it.is_ascii_digit(), "");
        if !tried.insert(kind) {
            continue;
        }
        let mut changed = document.clone();
        changed.pointer_mut(&place).unwrap()["surprise"] = Value::Null;
        assert!(!problems(&changed).is_empty(), "{place}");
    }
}

fn objects(value: &Value, place: String, places: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                objects(value, format!("{place}/{name}"), places);
            }
            places.push(place);
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                objects(value, format!("{place}/{index}"), places);
            }
        }
        _ => {}
    }
}

proptest! {
    #[test]
    fn every_report_has_the_form_and_is_read_back(report in generated::any_report()) {
        let text = json(&report);
        let document: Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(problems(&document), Vec::<String>::new());
        let read: Report = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(read, report);
    }
}
