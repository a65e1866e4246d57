//! The schema says of a file what the reader says, as far as an editor can know it.

use jsonschema::Validator;
use mq_config::{attributes, file_keys, reference_markdown, schema, template};
use mq_core::Severity;
use serde_json::Value;

use crate::common::{BACKENDS, loaded, shipped, with_queues};

fn validator() -> Validator {
    jsonschema::draft7::new(&schema(&BACKENDS)).expect("a schema")
}

fn document(yaml: &str) -> Value {
    serde_yaml::from_str(yaml).expect("YAML")
}

fn reader_takes(yaml: &str) -> bool {
    loaded(yaml)
        .diagnostics
        .iter()
        .all(|diagnostic| diagnostic.severity != Severity::Error)
}

#[track_caller]
fn both_take(validator: &Validator, yaml: &str) {
    let yaml = yaml.trim_start_matches('\n');
    let found: Vec<String> = validator
        .iter_errors(&document(yaml))
        .map(|error| format!("{}: {error}", error.instance_path))
        .collect();
    assert!(found.is_empty(), "schema: {found:?}\n{yaml}");
    assert!(reader_takes(yaml), "{:?}\n{yaml}", loaded(yaml).diagnostics);
}

#[track_caller]
fn both_refuse(validator: &Validator, yaml: &str) {
    let yaml = yaml.trim_start_matches('\n');
    assert!(!validator.is_valid(&document(yaml)), "schema takes\n{yaml}");
    assert!(!reader_takes(yaml), "reader takes\n{yaml}");
}

#[test]
fn the_schema_is_a_valid_draft_07_schema() {
    let schema = schema(&BACKENDS);
    assert!(jsonschema::draft7::meta::is_valid(&schema));
    assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
}

#[test]
fn shipped_files_are_taken_by_both() {
    let validator = validator();
    both_take(&validator, template());
    let files = shipped();
    assert!(files.len() >= 6);
    for (_, text) in files {
        both_take(&validator, &text);
    }
}

#[test]
fn every_documented_example_is_taken_by_both() {
    let validator = validator();
    let indented = |text: &str, by: usize| -> String {
        text.lines()
            .map(|line| format!("{}{line}\n", " ".repeat(by)))
            .collect()
    };
    for doc in attributes() {
        let queue = format!("  orders:\n{}", indented(doc.example, 4));
        both_take(
            &validator,
            &with_queues(&format!("{queue}  shared-failures: {{}}\n")),
        );
    }
    for doc in file_keys() {
        let frame = ["version: 1", "stack: test", "queues:\n  orders: {}"];
        let kept: Vec<&str> = frame
            .into_iter()
            .filter(|line| {
                let key = line.split(':').next().unwrap();
                !doc.example.starts_with(&format!("{key}:"))
            })
            .collect();
        both_take(
            &validator,
            &format!("{}\n{}\n", kept.join("\n"), doc.example),
        );
    }
}

#[test]
fn what_a_file_may_say_is_taken_by_both() {
    let validator = validator();
    for queues in [
        "  orders:\n",
        "  orders: { visibility_timeout: null, dead_letter: null, labels: { a: null, b: 5 } }\n",
        "  orders: { dead_letter: {}, deduplication: {}, encryption: {} }\n",
        "  orders: { max_message_size: 262144 }\n",
        "  orders: { visibility_timeout: \"${MISSING:-30s}\", protect: \"${MISSING:-true}\" }\n",
        "  orders: { accept: [labels.team@azure, native.AutoDeleteOnIdle, dead_letter] }\n",
        "  orders: { names: { aws: { queue: a, dead_letter: b }, gcp: { topic: c } } }\n",
    ] {
        both_take(&validator, &with_queues(queues));
    }
    both_take(
        &validator,
        "
version: 1
stack: test
clouds:
  aws:
  aws-us: { cloud: aws, region: us-east-1, account: '011122223333', verify: forbidden }
stages:
  dev:
  prod: { clouds: { aws: { region: null, verify: forbidden } }, queues: { orders: { retention: null } } }
queues: { orders: { overrides: { aws-us: { retention: 3d } } } }
",
    );
}

#[test]
fn what_a_file_may_not_say_is_refused_by_both() {
    let validator = validator();
    for queues in [
        "  Orders: {}\n",
        "  orders: { visibility_timout: 30s }\n",
        "  orders: { visibility_timeout: 30 }\n",
        "  orders: { visibility_timeout: [30s] }\n",
        "  orders: { retention: 1.5h }\n",
        "  orders: { max_message_size: 256KB }\n",
        "  orders: { max_message_size: 0 }\n",
        "  orders: { ordering: fifo }\n",
        "  orders: { protect: 1 }\n",
        "  orders: { manage: null }\n",
        "  orders: { native: {} }\n",
        "  orders: { dead_letter: 5 }\n",
        "  orders: { dead_letter: { max_deliveries: 0 } }\n",
        "  orders: { dead_letter: { max_deliveries: \"5\" } }\n",
        "  orders: { dead_letter: { max_deliveries: 4294967296 } }\n",
        "  orders: { dead_letter: { maximum: 5 } }\n",
        "  orders: { deduplication: { by: hash } }\n",
        "  orders: { encryption: { key: alias/queues } }\n",
        "  orders: { labels: { mq-stack: a } }\n",
        "  orders: { labels: { team: true } }\n",
        "  orders: { labels: null }\n",
        "  orders: { encryption: { key: null } }\n",
        "  orders: { accept: [nothing@aws] }\n",
        "  orders: { accept: [{ because: so }] }\n",
        "  orders: { accept: [{ what: ordering, until: soon }] }\n",
        "  orders: { names: { gcp: orders } }\n",
        "  orders: { names: { aws: { topic: orders } } }\n",
        "  orders: { overrides: { azure: { native: { Unknown: 1 } } } }\n",
        "  orders: { overrides: { azure: { native: { EnableBatchedOperations: 5 } } } }\n",
        "  orders: { overrides: { azure: { names: {} } } }\n",
        "  orders: { subscribers: [] }\n",
    ] {
        both_refuse(&validator, &with_queues(queues));
    }
    for file in [
        "stack: test\nqueues: {}\n",
        "version: 2\nstack: test\nqueues: {}\n",
        "version: \"1\"\nstack: test\nqueues: {}\n",
        "version: 1\nqueues: {}\n",
        "version: 1\nstack: test\n",
        "version: 1\nstack: Test\nqueues: {}\n",
        "version: 1\nstack: test\nqueues: []\n",
        "version: 1\nstack: test\ncolour: red\nqueues: {}\n",
        "version: 1\nstack: test\nclouds: { aws: { regon: a } }\nqueues: {}\n",
        "version: 1\nstack: test\nclouds: { azure: { tier: gold } }\nqueues: {}\n",
        "version: 1\nstack: test\nclouds: { eu: { region: a } }\nqueues: {}\n",
        "version: 1\nstack: test\nclouds: { eu: { cloud: aws, project: a } }\nqueues: {}\n",
        "version: 1\nstack: test\nstages: { dev: { name: dev } }\nqueues: {}\n",
        "version: 1\nstack: test\nstages: { dev: { expires: 8 } }\nqueues: {}\n",
        "version: 1\nstack: test\ndefaults: { accept: [] }\nqueues: {}\n",
    ] {
        both_refuse(&validator, file);
    }
}

#[test]
fn every_key_is_described_with_an_example() {
    let schema = schema(&BACKENDS);
    let described = |value: &Value, path: &str| {
        assert!(value["description"].is_string(), "{path}: {value}");
        assert!(
            value["examples"].is_array(),
            "{path} has no example: {value}"
        );
    };
    let queue = &schema["definitions"]["queue"]["properties"];
    for doc in attributes().iter().filter(|doc| !doc.path.contains('.')) {
        described(&queue[doc.path], doc.path);
    }
    for doc in file_keys().iter().filter(|doc| !doc.path.contains('.')) {
        described(&schema["properties"][doc.path], doc.path);
    }
}

#[test]
fn the_reference_page_has_every_key_and_every_setting() {
    let page = reference_markdown(&BACKENDS);
    for doc in attributes().iter().chain(file_keys()) {
        assert!(
            page.contains(&format!("\n### {}\n", doc.path)),
            "{}",
            doc.path
        );
    }
    for backend in BACKENDS {
        for info in backend.settings.iter().chain(backend.native) {
            assert!(
                page.contains(&format!("| `{}` |", info.name)),
                "{}",
                info.name
            );
        }
    }
}
