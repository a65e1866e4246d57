//! Random files, as values: no YAML in between.

use std::collections::BTreeMap;
use std::time::Duration;

use mq_core::queue::{DeduplicateBy, Ordering};
use mq_core::spec::{
    DeadLetterPatch, DeadLetterQueue, DeduplicationPatch, QueuePatch, QueueSpec, Selection,
    Setting, Spec,
};
use mq_core::{ResolvedQueue, Target};
use proptest::prelude::*;

/// A file of up to four queues that every service can hold in some way. What a service has
/// nothing like is accepted, as an author would after reading `mq check`.
pub fn spec() -> impl Strategy<Value = Spec> {
    (proptest::collection::vec(patch(), 1..4), any::<bool>()).prop_map(|(patches, shared)| {
        let mut queues: BTreeMap<String, QueueSpec> = patches
            .into_iter()
            .enumerate()
            .map(|(index, patch)| {
                (
                    format!("queue-{index}"),
                    QueueSpec {
                        patch,
                        ..QueueSpec::default()
                    },
                )
            })
            .collect();
        if shared {
            share_dead_letters(&mut queues);
        }
        Spec {
            stack: "random".to_owned(),
            origin: Some("example.org/random".to_owned()),
            queues,
            ..Spec::default()
        }
    })
}

/// Makes the last queue take the dead letters of the first, where their orderings agree.
fn share_dead_letters(queues: &mut BTreeMap<String, QueueSpec>) {
    let last = QueueSpec {
        patch: QueuePatch {
            ordering: queues["queue-0"].patch.ordering.clone(),
            ..QueuePatch::default()
        },
        ..QueueSpec::default()
    };
    queues.insert("shared-failures".to_owned(), last);
    let source = queues.entry("queue-0".to_owned()).or_default();
    source.patch.dead_letter = Setting::Value(DeadLetterPatch {
        max_deliveries: Setting::Value(5),
        queue: Setting::Value(DeadLetterQueue::InFile("shared-failures".to_owned())),
        ..DeadLetterPatch::default()
    });
}

fn setting<T: Clone + std::fmt::Debug>(
    value: impl Strategy<Value = T>,
) -> impl Strategy<Value = Setting<T>> {
    prop_oneof![2 => Just(Setting::Inherit), 1 => Just(Setting::Unstated), 4 => value.prop_map(Setting::Value)]
}

fn seconds(range: std::ops::RangeInclusive<u64>) -> impl Strategy<Value = Duration> {
    range.prop_map(Duration::from_secs)
}

fn patch() -> impl Strategy<Value = QueuePatch> {
    let times = (
        setting(seconds(10..=300)),
        setting(seconds(600..=1_209_600)),
        setting(seconds(0..=20)),
        setting(seconds(0..=900)),
    );
    let kinds = (
        setting(prop_oneof![Just(Ordering::None), Just(Ordering::PerKey)]),
        setting((seconds(20..=3600), any::<bool>())),
        setting((1..=100_u32, setting(seconds(600..=1_209_600)))),
    );
    let labels = proptest::collection::btree_map("[a-z][a-z0-9_-]{0,10}", "[a-z0-9_-]{0,12}", 0..3);
    (times, kinds, labels).prop_map(|(times, kinds, labels)| QueuePatch {
        visibility_timeout: times.0,
        retention: times.1,
        receive_wait: times.2,
        delivery_delay: times.3,
        ordering: kinds.0,
        deduplication: map(kinds.1, |(window, by_id)| DeduplicationPatch {
            window: Setting::Value(window),
            by: Setting::Value(if by_id {
                DeduplicateBy::Id
            } else {
                DeduplicateBy::Content
            }),
        }),
        dead_letter: map(kinds.2, |(max_deliveries, retention)| DeadLetterPatch {
            max_deliveries: Setting::Value(max_deliveries),
            retention,
            queue: Setting::Inherit,
        }),
        labels: labels
            .into_iter()
            .map(|(key, value)| (key, Setting::Value(value)))
            .collect(),
        ..QueuePatch::default()
    })
}

fn map<T, U>(setting: Setting<T>, into: impl FnOnce(T) -> U) -> Setting<U> {
    match setting {
        Setting::Inherit => Setting::Inherit,
        Setting::Unstated => Setting::Unstated,
        Setting::Value(value) => Setting::Value(into(value)),
    }
}

/// The file's queues on a backend, on a stage of their own.
#[must_use]
pub fn resolve(spec: &Spec, backend: &str, stage: &str) -> Vec<ResolvedQueue> {
    let selection = Selection {
        stage: Some(stage.to_owned()),
        now: 1_800_000_000,
    };
    spec.resolve(&selection, &Target::implied(backend))
}
