use mq_core::error::ErrorKind;
use mq_core::queue::{Attributes, Names, Ordering, Stated};
use mq_core::resource::Part;
use serde_json::json;

use super::*;

fn target(settings: &serde_json::Value) -> Target {
    Target {
        settings: settings.as_object().cloned().expect("an object"),
        ..Target::implied("azure")
    }
}

#[test]
fn offline_there_is_a_scope_for_each_tier_that_it_may_be() {
    let backend = factory()
        .create(
            &target(&json!({ "namespace": "acme-prod" })),
            &Access::default(),
        )
        .expect("no credentials are needed");
    let labels: Vec<_> = backend
        .offline_scopes()
        .into_iter()
        .map(|scope| scope.label)
        .collect();
    assert_eq!(
        labels,
        [
            "acme-prod (basic)",
            "acme-prod (standard)",
            "acme-prod (premium)"
        ]
    );
    let stated = factory()
        .create(&target(&json!({ "tier": "premium" })), &Access::default())
        .expect("valid");
    let scopes = stated.offline_scopes();
    assert_eq!(scopes.len(), 1);
    assert_eq!(scopes[0].label, "premium");
    let size = stated.capability(&scopes[0]).max_message_size;
    assert_eq!(size.map(|limit| limit.max), Some(100 << 20));
}

#[tokio::test]
async fn what_is_missing_is_an_error_of_the_first_call_only() {
    let backend = factory()
        .create(&target(&json!({})), &Access::default())
        .expect("`mq check` needs no namespace");
    let error = backend
        .control()
        .identify()
        .await
        .expect_err("no namespace");
    assert_eq!(error.kind(), ErrorKind::ConfigInvalid);
    assert!(
        error.hint().is_some_and(|hint| hint.contains("namespace")),
        "{error:?}"
    );
}

#[test]
fn nothing_of_a_backend_shows_its_secrets() {
    let access = Access::vendor([
        (
            config::CONNECTION_STRING_VARIABLE.to_owned(),
            "Endpoint=sb://acme-prod.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey=s3cr3t".to_owned(),
        ),
        ("AZURE_CLIENT_SECRET".to_owned(), "s3cr3t".to_owned()),
        ("AZURE_CLIENT_ID".to_owned(), "client".to_owned()),
        ("AZURE_TENANT_ID".to_owned(), "tenant".to_owned()),
    ]);
    let backend = factory()
        .create(&target(&json!({})), &access)
        .expect("valid");
    let config = Config::read(&target(&json!({}))).expect("valid");
    let site = config.site(&access).expect("a site");
    let client = Client::new(&site, &access).expect("a client");
    let entra = Config::read(&target(&json!({ "namespace": "acme-prod" }))).expect("valid");
    let tokens = Access::vendor(
        ["AZURE_CLIENT_SECRET", "AZURE_CLIENT_ID", "AZURE_TENANT_ID"]
            .map(|name| (name.to_owned(), "s3cr3t-or-id".to_owned())),
    );
    let entra_site = entra.site(&tokens).expect("a site");
    let entra_client = Client::new(&entra_site, &tokens).expect("a client");
    let shown = format!(
        "{backend:?} {config:?} {site:?} {client:?} {entra_site:?} {entra_client:?} {access:?} {tokens:?}"
    );
    assert!(!shown.contains("s3cr3t"), "{shown}");
}

#[test]
fn native_keys_and_settings_are_documented() {
    for info in INFO.settings.iter().chain(INFO.native) {
        assert!(info.doc.ends_with('.'), "{}", info.name);
    }
    let known = INFO
        .native
        .iter()
        .filter(|info| elements::codec(info.name).is_some());
    assert_eq!(known.count(), INFO.native.len());
}

fn lowered() -> Lowered {
    let queue = ResolvedQueue {
        logical: "orders".to_owned(),
        base_name: "orders".to_owned(),
        names: Names::default(),
        owner: Owner {
            stack: "shop".to_owned(),
            stage: None,
            origin: None,
        },
        expires_at: None,
        managed: true,
        protect: false,
        attributes: Attributes {
            visibility_timeout: None,
            retention: None,
            receive_wait: None,
            delivery_delay: None,
            max_message_size: None,
            ordering: Stated::create_default(Ordering::None),
            deduplication: None,
            dead_letter: None,
            encryption: None,
            labels: BTreeMap::new(),
            native: BTreeMap::new(),
        },
        accept: Vec::new(),
        dead_letter_for: Vec::new(),
    };
    lower::lower(&queue, Tier::Standard, "acme")
}

/// Z8: there is no change that names anything but a queue.
#[test]
fn a_namespace_is_never_a_resource() {
    for resource in lowered().resources {
        assert_eq!(resource.id.kind, "servicebus.queue");
        assert_eq!(resource.part, Part::Queue);
    }
}
