//! Names that two queues would share.

use std::collections::BTreeMap;

use mq_core::Diagnostic;
use mq_core::queue::Names;
use mq_core::spec::{DeadLetterQueue, QueueSpec, Setting, Spec};

use crate::check::Check;
use crate::source_map::SourceMap;

/// Reports stated names that stand twice, and a queue that is named like another one's
/// dead-letter queue.
pub(super) fn check(check: &mut Check<'_>, spec: &Spec, source: &SourceMap) {
    twice(check, spec, source);
    dead_letters(check, spec, source);
    for (name, queue) in &spec.queues {
        if !shares_dead_letters(queue) {
            continue;
        }
        for (cloud, names) in &queue.names {
            if names.dead_letter.is_some() {
                let path = format!("queues.{name}.names.{cloud}.dead_letter");
                check.diagnostics.push(
                    Diagnostic::error("file/contradiction", "two keys contradict each other")
                        .with_detail(
                            "`dead_letter.queue` names another queue, which has its own name",
                        )
                        .with_span(source.span(&path))
                        .with_path(path)
                        .with_hint("remove this name"),
                );
            }
        }
    }
}

fn shares_dead_letters(queue: &QueueSpec) -> bool {
    matches!(
        &queue.patch.dead_letter,
        Setting::Value(said) if matches!(said.queue, Setting::Value(DeadLetterQueue::InFile(_)))
    )
}

/// Service Bus takes `Orders` and `orders` for one queue, so case makes no difference anywhere.
fn twice(check: &mut Check<'_>, spec: &Spec, source: &SourceMap) {
    let mut seen: BTreeMap<(&str, &str, String), &str> = BTreeMap::new();
    for (queue, said) in &spec.queues {
        for (cloud, names) in &said.names {
            for (key, kind, name) in stated(names) {
                let Some(other) = seen.insert((cloud, kind, name.to_lowercase()), queue) else {
                    continue;
                };
                let path = format!("queues.{queue}.names.{cloud}.{key}");
                check.diagnostics.push(
                    Diagnostic::error("file/name-twice", "two queues have one name")
                        .with_detail(format!("`{other}` states this name too"))
                        .with_span(source.span(&path))
                        .with_path(path),
                );
            }
        }
    }
}

/// The names with their key and the set in which they must differ: a subscription may be called
/// like a topic.
fn stated(names: &Names) -> impl Iterator<Item = (&'static str, &'static str, &str)> {
    [
        ("queue", "queue", &names.queue),
        ("dead_letter", "queue", &names.dead_letter),
        ("topic", "queue", &names.topic),
        ("subscription", "subscription", &names.subscription),
    ]
    .into_iter()
    .filter_map(|(key, kind, name)| Some((key, kind, name.as_deref()?)))
}

/// `orders-dlq` as a queue beside `orders` with a dead-letter queue of its own.
fn dead_letters(check: &mut Check<'_>, spec: &Spec, source: &SourceMap) {
    for (name, queue) in &spec.queues {
        let Some(owner) = name.strip_suffix("-dlq") else {
            continue;
        };
        let Some(other) = spec.queues.get(owner) else {
            continue;
        };
        let own = match &other.patch.dead_letter {
            Setting::Value(said) => {
                matches!(said.queue, Setting::Inherit | Setting::Unstated)
            }
            Setting::Inherit | Setting::Unstated => false,
        };
        // A stated name on any cloud is a sign that the author tells them apart.
        if own && queue.names.is_empty() && other.names.is_empty() {
            let path = format!("queues.{name}");
            check.diagnostics.push(
                Diagnostic::error("file/name-twice", "two queues have one name")
                    .with_detail(format!(
                        "the dead-letter queue of `{owner}` is called `{name}` too"
                    ))
                    .with_span(source.span(&path))
                    .with_path(path)
                    .with_hint(format!(
                        "rename it, or make it the dead-letter queue: `dead_letter: {{ queue: \
                         {name} }}` at `{owner}`"
                    )),
            );
        }
    }
}
