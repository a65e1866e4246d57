//! `queues`, and what `defaults`, stages and `overrides` say of a queue in the same words.

use std::collections::BTreeMap;

use mq_core::queue::{DeduplicateBy, Names, Ordering};
use mq_core::spec::{
    DeadLetterPatch, DeadLetterQueue, DeduplicationPatch, EncryptionPatch, Layered, QueuePatch,
    QueueSpec, Setting,
};
use mq_core::{BackendInfo, Diagnostic};

use crate::check::{Check, Field, Fields, Least, NameRule, excerpt, list};
use crate::docs;
use crate::suggest::did_you_mean;
use crate::tree::NodeKind;

use super::{accept, clouds, per_cloud};

/// Reads the queues.
pub(super) fn queues<'a>(check: &mut Check<'a>, field: &Field<'a>) -> BTreeMap<String, QueueSpec> {
    let mut queues = BTreeMap::new();
    let Some(mapping) = check.map(field) else {
        return queues;
    };
    for entry in mapping.entries() {
        let value = Field::entry(&field.path, entry);
        if !NameRule::Logical.allows(&entry.key) {
            let at_key = Field {
                span: entry.key_span.clone(),
                ..value.clone()
            };
            let said = format!("`{}`", excerpt(&entry.key));
            check.report(&at_key, NameRule::Logical.refusal(&said));
        }
        queues.insert(entry.key.clone(), queue(check, &value));
    }
    queues
}

fn queue<'a>(check: &mut Check<'a>, field: &Field<'a>) -> QueueSpec {
    let mut queue = QueueSpec::default();
    // `orders:` with nothing below it is a queue with create-defaults alone.
    if field.node.is_null() {
        return queue;
    }
    let Some(mut fields) = check.fields(field, "a queue") else {
        return queue;
    };
    queue.patch = patch(check, &mut fields);
    if let Some(field) = fields.get("overrides") {
        queue.overrides = per_cloud(check, &field, overrides);
    }
    if let Some(field) = fields.get("names") {
        queue.names = per_cloud(check, &field, names);
    }
    if let Some(field) = fields.get("manage") {
        queue.unmanaged = check.bool(&field) == Some(false);
    }
    if let Some(field) = fields.get("accept") {
        queue.accept = accept::accepts(check, &field);
    }
    if queue.unmanaged
        && matches!(queue.patch.protect, Setting::Value(true))
        && let Some(field) = fields.get("protect")
    {
        check.report(
            &field,
            Diagnostic::warning("file/no-effect", "the key has no effect")
                .with_detail("with `manage: false` nothing is written, so nothing needs protection")
                .with_hint("remove `protect`"),
        );
    }
    check.finish(fields);
    queue
}

/// Reads what a layer may say of a queue.
pub(super) fn patch<'a>(check: &mut Check<'a>, fields: &mut Fields<'a>) -> QueuePatch {
    let lease = |check: &mut Check<'a>, field: &Field<'a>| check.duration(field, Least::Zero);
    let lasting =
        |check: &mut Check<'a>, field: &Field<'a>| check.duration(field, Least::AboveZero);
    let orderings = [("none", Ordering::None), ("per-key", Ordering::PerKey)];
    QueuePatch {
        visibility_timeout: check.setting(fields.get("visibility_timeout"), lease),
        retention: check.setting(fields.get("retention"), lasting),
        receive_wait: check.setting(fields.get("receive_wait"), lease),
        delivery_delay: check.setting(fields.get("delivery_delay"), lease),
        max_message_size: check.setting(fields.get("max_message_size"), Check::size),
        ordering: check.setting(fields.get("ordering"), |check, field| {
            check.one_of(field, &orderings)
        }),
        deduplication: check.setting(fields.get("deduplication"), deduplication),
        dead_letter: check.setting(fields.get("dead_letter"), dead_letter),
        encryption: check.setting(fields.get("encryption"), encryption),
        labels: fields
            .get("labels")
            .map(|field| labels(check, &field))
            .unwrap_or_default(),
        native: Layered::new(),
        protect: check.setting(fields.get("protect"), Check::bool),
    }
}

fn deduplication<'a>(check: &mut Check<'a>, field: &Field<'a>) -> Option<DeduplicationPatch> {
    let mut fields = check.fields(field, "`deduplication`")?;
    let words = [
        ("id", DeduplicateBy::Id),
        ("content", DeduplicateBy::Content),
    ];
    let patch = DeduplicationPatch {
        window: check.setting(fields.get("window"), |check, field| {
            check.duration(field, Least::AboveZero)
        }),
        by: check.setting(fields.get("by"), |check, field| check.one_of(field, &words)),
    };
    check.finish(fields);
    Some(patch)
}

fn dead_letter<'a>(check: &mut Check<'a>, field: &Field<'a>) -> Option<DeadLetterPatch> {
    let mut fields = check.fields(field, "`dead_letter`")?;
    let patch = DeadLetterPatch {
        max_deliveries: check.setting(fields.get("max_deliveries"), Check::count),
        retention: check.setting(fields.get("retention"), |check, field| {
            check.duration(field, Least::AboveZero)
        }),
        queue: check.setting(fields.get("queue"), dead_letter_queue),
    };
    if let (Setting::Value(DeadLetterQueue::InFile(_)), Setting::Value(_)) =
        (&patch.queue, &patch.retention)
        && let Some(field) = fields.get("retention")
    {
        check.report(
            &field,
            Diagnostic::error("file/contradiction", "two keys contradict each other")
                .with_detail("the dead-letter queue is a queue of its own, with its own retention")
                .with_hint("state `retention` at that queue"),
        );
    }
    check.finish(fields);
    Some(patch)
}

fn dead_letter_queue<'a>(check: &mut Check<'a>, field: &Field<'a>) -> Option<DeadLetterQueue> {
    match &field.node.kind {
        NodeKind::Mapping(_) => {
            let external = per_cloud(check, field, |check, field, _| {
                check.text(field).map(str::to_owned)
            });
            Some(DeadLetterQueue::External(external))
        }
        NodeKind::Sequence(_) => {
            check.wrong_type(
                field,
                "the name of a queue, or a map from clouds to resources",
            );
            None
        }
        NodeKind::Scalar(_) | NodeKind::Invalid => check
            .text(field)
            .map(|name| DeadLetterQueue::InFile(name.to_owned())),
    }
}

fn encryption<'a>(check: &mut Check<'a>, field: &Field<'a>) -> Option<EncryptionPatch> {
    let mut fields = check.fields(field, "`encryption`")?;
    let mut patch = EncryptionPatch::default();
    if let Some(field) = fields.get("key") {
        if let NodeKind::Scalar(_) = field.node.kind {
            check.report(
                &field,
                Diagnostic::error("file/wrong-type", "the value has the wrong type")
                    .with_detail("a key belongs to one cloud, so this is a map from clouds to keys")
                    .with_hint("write it as in `key: { aws: alias/queues }`"),
            );
        } else {
            patch.key = per_cloud(check, &field, |check, field, _| {
                Some(check.setting(Some(field.clone()), |check, field| {
                    check.text(field).map(str::to_owned)
                }))
            });
        }
    }
    check.finish(fields);
    Some(patch)
}

fn labels<'a>(check: &mut Check<'a>, field: &Field<'a>) -> Layered<String> {
    let mut labels = Layered::new();
    if field.node.is_null() {
        check.report(
            field,
            Diagnostic::error("file/wrong-type", "the value has the wrong type")
                .with_detail("labels are taken back one by one")
                .with_hint("write `null` at each label that shall go, or remove the key"),
        );
        return labels;
    }
    let Some(mapping) = check.map(field) else {
        return labels;
    };
    for entry in mapping.entries() {
        let value = Field::entry(&field.path, entry);
        let detail = if entry.key.is_empty() {
            Some("a label needs a key")
        } else if entry.key.starts_with("mq-") {
            Some("labels that start with `mq-` say who owns a queue, and `mq` writes them")
        } else {
            None
        };
        if let Some(detail) = detail {
            let at_key = Field {
                span: entry.key_span.clone(),
                ..value.clone()
            };
            check.report(
                &at_key,
                Diagnostic::error("file/bad-name", "the name is not allowed").with_detail(detail),
            );
        }
        let label = check.setting(Some(value), |check, field| {
            check.text(field).map(str::to_owned)
        });
        labels.insert(entry.key.clone(), label);
    }
    labels
}

fn overrides<'a>(
    check: &mut Check<'a>,
    field: &Field<'a>,
    backend: Option<&'static BackendInfo>,
) -> Option<QueuePatch> {
    let mut fields = check.fields(field, "`overrides`")?;
    let mut said = patch(check, &mut fields);
    if let Some(field) = fields.get("native")
        && let Some(backend) = backend
    {
        said.native = native(check, &field, backend);
    }
    check.finish(fields);
    Some(said)
}

fn native<'a>(
    check: &mut Check<'a>,
    field: &Field<'a>,
    backend: &'static BackendInfo,
) -> Layered<serde_json::Value> {
    let mut native = Layered::new();
    let Some(mapping) = check.map(field) else {
        return native;
    };
    for entry in mapping.entries() {
        let value = Field::entry(&field.path, entry);
        let Some(info) = backend.native.iter().find(|info| info.name == entry.key) else {
            let known = || backend.native.iter().map(|info| info.name);
            let hint = did_you_mean(&entry.key, known())
                .or_else(|| docs::elsewhere(&entry.key))
                .unwrap_or_else(|| format!("{} has {}", backend.service, list(known(), "and")));
            check.unknown_key(&field.path, entry, "this cloud's `native`", hint);
            continue;
        };
        let setting = check.setting(Some(value), |check, field| {
            clouds::setting(check, field, info.kind)
        });
        native.insert(entry.key.clone(), setting);
    }
    native
}

fn names<'a>(
    check: &mut Check<'a>,
    field: &Field<'a>,
    backend: Option<&'static BackendInfo>,
) -> Option<Names> {
    let allowed = backend.map_or(&docs::NAMES[..], |backend| backend.names);
    if let NodeKind::Scalar(_) = field.node.kind {
        let name = check.text(field)?;
        if allowed.contains(&"queue") {
            return Some(Names {
                queue: Some(name.to_owned()),
                ..Names::default()
            });
        }
        check.report(
            field,
            Diagnostic::error("file/wrong-type", "the value has the wrong type")
                .with_detail(format!(
                    "a queue has several names here: {}",
                    list(allowed.iter().copied(), "and")
                ))
                .with_hint("write a map, as in `{ topic: orders, subscription: orders-worker }`"),
        );
        return None;
    }
    let mapping = check.map(field)?;
    let mut names = Names::default();
    for entry in mapping.entries() {
        let value = Field::entry(&field.path, entry);
        let place = match entry.key.as_str() {
            key if !allowed.contains(&key) => None,
            "queue" => Some(&mut names.queue),
            "dead_letter" => Some(&mut names.dead_letter),
            "topic" => Some(&mut names.topic),
            "subscription" => Some(&mut names.subscription),
            _ => None,
        };
        if let Some(place) = place {
            *place = check.text(&value).map(str::to_owned);
        } else {
            let hint = did_you_mean(&entry.key, allowed.iter().copied())
                .unwrap_or_else(|| format!("it takes {}", list(allowed.iter().copied(), "and")));
            check.unknown_key(&field.path, entry, "`names` on this cloud", hint);
        }
    }
    Some(names)
}
