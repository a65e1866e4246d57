//! The files that are shipped, and what comes of them.

use std::time::Duration;

use crate::common::{BACKENDS, complaints, loaded, shipped};
use mq_config::{load, select_stage, template};
use mq_core::queue::{DeadLetterTarget, Ordering};
use mq_core::spec::{DeadLetterQueue, Selection, Setting};

#[test]
fn every_shipped_file_loads_without_a_word() {
    let files = shipped();
    assert!(files.len() >= 6, "configs/ has {} files", files.len());
    for (name, text) in files {
        assert_eq!(complaints(&text), "", "{name}");
        assert!(loaded(&text).spec.is_some(), "{name}");
        assert!(
            text.starts_with("# yaml-language-server: $schema="),
            "{name} has no schema line"
        );
    }
}

#[test]
fn the_template_loads_without_a_word_and_without_an_environment() {
    let loaded = load(template(), &|_| None, &BACKENDS);
    assert_eq!(loaded.diagnostics, []);
    assert!(loaded.spec.is_some());
    assert!(template().starts_with("# yaml-language-server: $schema="));
}

fn shipped_file(name: &str) -> String {
    let found = shipped().into_iter().find(|(file, _)| file == name);
    found.expect("it is shipped").1
}

#[test]
fn the_quickstart_is_one_queue_with_dead_letters() {
    let spec = loaded(&shipped_file("quickstart.yaml")).spec.unwrap();
    assert_eq!(spec.cloud.as_deref(), Some("aws"));
    assert_eq!(
        spec.targets.keys().collect::<Vec<_>>(),
        ["aws", "azure", "gcp"]
    );
    let queues = spec.resolve(&Selection::default(), &spec.target("aws", None));
    assert_eq!(queues.len(), 1);
    let attributes = &queues[0].attributes;
    assert_eq!(
        attributes.visibility_timeout.unwrap().value,
        Duration::from_secs(30)
    );
    let dead_letter = &attributes.dead_letter.as_ref().unwrap().value;
    assert_eq!(dead_letter.max_deliveries, 5);
    assert_eq!(dead_letter.target, DeadLetterTarget::Own);
}

#[test]
fn the_production_file_keeps_every_word() {
    let spec = loaded(&shipped_file("production.yaml")).spec.unwrap();
    assert_eq!(
        spec.targets["aws"].text("account").as_deref(),
        Some("111122223333")
    );
    assert_eq!(
        spec.defaults.labels["cost-center"],
        Setting::Value("ml".to_owned())
    );
    let billing = &spec.queues["billing-events"];
    assert_eq!(billing.patch.ordering, Setting::Value(Ordering::PerKey));
    assert_eq!(billing.patch.protect, Setting::Value(true));
    assert_eq!(billing.accept.len(), 5);
    assert_eq!(billing.accept[0].attribute, "deduplication");
    assert_eq!(billing.accept[0].on.as_deref(), Some("gcp"));
    assert_eq!(billing.accept[0].until.as_deref(), Some("2030-06-01"));
    let inference = &spec.queues["inference-requests"];
    assert_eq!(
        inference.overrides["azure"].native["EnableBatchedOperations"],
        Setting::Value(serde_json::Value::Bool(true))
    );
}

#[test]
fn stages_change_names_settings_and_values() {
    let spec = loaded(&shipped_file("stages.yaml")).spec.unwrap();
    let stage = select_stage(&spec, Some("prod")).unwrap();
    let selection = Selection { stage, now: 0 };
    let queues = spec.resolve(&selection, &spec.target("aws", Some("prod")));
    let orders = queues
        .iter()
        .find(|queue| queue.logical == "orders")
        .unwrap();
    assert_eq!(orders.base_name, "orders");
    assert!(orders.protect);
    assert_eq!(
        orders.attributes.retention.unwrap().value,
        Duration::from_secs(14 * 86_400)
    );
    let mails = queues
        .iter()
        .find(|queue| queue.logical == "mails")
        .unwrap();
    assert_eq!(mails.attributes.dead_letter, None);
    assert_eq!(
        spec.target("gcp", Some("dev")).text("project").as_deref(),
        Some("shop-dev")
    );
}

#[test]
fn shared_and_foreign_dead_letter_queues_are_told_apart() {
    let spec = loaded(&shipped_file("shared-dead-letter.yaml"))
        .spec
        .unwrap();
    let queue_of = |name: &str| match &spec.queues[name].patch.dead_letter {
        Setting::Value(said) => said.queue.clone(),
        other => panic!("{name}: {other:?}"),
    };
    assert_eq!(
        queue_of("receipts"),
        Setting::Value(DeadLetterQueue::InFile("failures".to_owned()))
    );
    let Setting::Value(DeadLetterQueue::External(by_cloud)) = queue_of("imports") else {
        panic!("not external");
    };
    assert_eq!(by_cloud["azure"], "ops-failures");
}

#[test]
fn a_stage_is_asked_for_only_where_the_file_has_stages() {
    let with = loaded(&shipped_file("stages.yaml")).spec.unwrap();
    let without = loaded(&shipped_file("quickstart.yaml")).spec.unwrap();
    let id = |outcome: Result<Option<String>, mq_core::Diagnostic>| outcome.unwrap_err().id;
    assert_eq!(id(select_stage(&with, None)), "file/stage-required");
    let unknown = select_stage(&with, Some("prd")).unwrap_err();
    assert_eq!(unknown.id, "file/unknown-stage");
    assert_eq!(unknown.hint.as_deref(), Some("did you mean `prod`?"));
    assert_eq!(select_stage(&without, None), Ok(None));
    assert_eq!(
        select_stage(&without, Some("ci-17")),
        Ok(Some("ci-17".to_owned()))
    );
    assert_eq!(id(select_stage(&without, Some("CI 17"))), "file/bad-name");
}
