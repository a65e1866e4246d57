use std::time::Duration;

use mq_core::capability::{DeadLetterModel, LabelModel, Limit, NameRule, OrderingModel, fact};
use mq_core::queue::{Ordering, Origin};
use mq_core::spec::Selection;
use mq_core::{Spec, Target};

use super::*;

fn capability(lease_max: u64) -> Capability {
    let lease = Limit {
        min: Duration::from_secs(0),
        max: Duration::from_secs(lease_max),
        default: Duration::from_secs(30),
        source: "https://vendor.example/limits",
    };
    Capability {
        visibility_timeout: Some(lease),
        retention: None,
        receive_wait: None,
        delivery_delay: None,
        max_message_size: None,
        max_message_size_fixed: fact(262_144, "page"),
        max_deliveries: None,
        max_deliveries_exact: fact(true, "page"),
        ordering: fact(OrderingModel::None, "page"),
        deduplication_window: None,
        deduplication_by_content: fact(false, "page"),
        dead_letter: fact(DeadLetterModel::Queue, "page"),
        dead_letter_retention: None,
        encryption_key: fact(false, "page"),
        labels: fact(LabelModel::Tags, "page"),
        counts: fact(true, "page"),
        name: NameRule {
            min: 1,
            max: 80,
            alphabet: "letters",
            case_sensitive: true,
            source: "page",
        },
    }
}

fn resolved(target: &str) -> Vec<ResolvedQueue> {
    let text = "version: 1\nstack: s\nqueues: { orders: { visibility_timeout: 10m, ordering: per-key } }\n";
    let spec: Spec = mq_config::load(text, &|_| None, &[]).spec.expect("a file");
    let queues = spec.resolve(&Selection::default(), &Target::implied(target));
    assert_eq!(queues[0].attributes.ordering.value, Ordering::PerKey);
    queues
}

fn column(target: &str, scope: Option<&str>, lease_max: u64, ordering: Hold) -> Column {
    let queues = resolved(target);
    let capability = capability(lease_max);
    let lease = queues[0].attributes.visibility_timeout.expect("stated");
    let limit = capability.visibility_timeout.expect("has one");
    let ordering = Verdict::new("ordering", "per-key", Origin::File, ordering)
        .with_consumer("receives through a session receiver");
    Column {
        target: target.to_owned(),
        backend: target.to_owned(),
        scope: scope.map(str::to_owned),
        verdicts: vec![
            [limit.judge("visibility_timeout", &lease), ordering]
                .map(|verdict| Judged {
                    accepted: verdict.hold.name() == "approximate",
                    verdict,
                })
                .into(),
        ],
        capability,
        queues,
    }
}

fn columns() -> Vec<Column> {
    let best_effort = || Hold::Approximate {
        from: "per-key".into(),
        to: "per-key".into(),
        why: "redelivery | may reorder".into(),
    };
    vec![
        column("aws", None, 43_200, Hold::Exact),
        column(
            "azure",
            Some("basic"),
            300,
            Hold::Unsupported {
                why: "Basic has no sessions".into(),
            },
        ),
        column("azure", Some("standard"), 300, Hold::Exact),
        column("gcp", None, 600, best_effort()),
    ]
}

#[test]
fn every_cloud_has_its_column_and_every_difference_its_reason() {
    insta::assert_snapshot!(text(&columns(), Palette::default()), @r"
    orders
      attribute           value    aws        azure basic      azure standard   gcp
      visibility_timeout  10m      exact      unsupported [1]  unsupported [1]  exact
      ordering            per-key  exact [2]  unsupported [3]  exact [4]        approximate, accepted [5]
      visibility_timeout: 0s to 5m works everywhere

    [1] azure: visibility_timeout: the service takes 0s to 5m; <https://vendor.example/limits>
    [2] aws: ordering: for your application: receives through a session receiver
    [3] azure: ordering: Basic has no sessions; for your application: receives through a session receiver
    [4] azure: ordering: for your application: receives through a session receiver
    [5] gcp: ordering: redelivery | may reorder; for your application: receives through a session receiver
    ");
}

#[test]
fn a_bar_in_a_reason_does_not_break_the_markdown() {
    insta::assert_snapshot!(markdown(&columns()), @r"
    ## Equivalence

    ### orders

    | attribute | value | aws | azure basic | azure standard | gcp |
    | --- | --- | --- | --- | --- | --- |
    | visibility_timeout | 10m | exact | unsupported [1] | unsupported [1] | exact |
    | ordering | per-key | exact [2] | unsupported [3] | exact [4] | approximate, accepted [5] |

    visibility_timeout: 0s to 5m works everywhere

    - [1] azure: visibility_timeout: the service takes 0s to 5m; <https://vendor.example/limits>
    - [2] aws: ordering: for your application: receives through a session receiver
    - [3] azure: ordering: Basic has no sessions; for your application: receives through a session receiver
    - [4] azure: ordering: for your application: receives through a session receiver
    - [5] gcp: ordering: redelivery \| may reorder; for your application: receives through a session receiver
    ");
}
