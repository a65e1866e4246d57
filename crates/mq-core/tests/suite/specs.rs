//! Random files.

use std::time::Duration;

use mq_core::Spec;
use mq_core::spec::{QueueSpec, Setting};
use proptest::option;
use proptest::prelude::*;

use crate::world::{dead_lettered, dead_lettered_outside, file, ordered, plain, sharing};

/// Someone else's queue that takes dead letters.
pub(crate) const OUTSIDE: &str = "outside";

#[derive(Debug, Clone, Copy)]
enum DeadLetters {
    None,
    Own,
    Shared,
    Outside,
}

/// Files of up to four queues, of which `d` may take the dead letters of the others.
pub(crate) fn specs() -> impl Strategy<Value = Spec> {
    let queue = || option::weighted(0.75, (dead_letters(), plain_queue()));
    (queue(), queue(), queue(), option::of(plain_queue())).prop_map(|(a, b, c, d)| {
        let shares = d.is_some();
        let others = ["a", "b", "c"].into_iter().zip([a, b, c]);
        let mut queues: Vec<(&str, QueueSpec)> = others
            .filter_map(|(key, queue)| {
                let (dead_letters, values) = queue?;
                let mut queue = sending(dead_letters, shares);
                queue.patch = queue.patch.over(&values.patch);
                Some((key, queue))
            })
            .collect();
        queues.extend(d.map(|queue| ("d", queue)));
        file(queues)
    })
}

/// Two files, one after the other. The second never takes a link to a queue other than the
/// queue's own out of the file, which leaves it in the cloud.
pub(crate) fn edits() -> impl Strategy<Value = (Spec, Spec)> {
    (specs(), specs()).prop_map(|(first, mut second)| {
        for (key, queue) in &mut second.queues {
            let before = first.queues.get(key).map(|queue| &queue.patch.dead_letter);
            let linked_elsewhere = before.is_some_and(|before| {
                *before != Setting::Inherit && *before != dead_lettered().patch.dead_letter
            });
            if linked_elsewhere && queue.patch.dead_letter == Setting::Inherit {
                queue.patch.dead_letter = dead_lettered().patch.dead_letter;
            }
        }
        (first, second)
    })
}

fn dead_letters() -> impl Strategy<Value = DeadLetters> {
    prop_oneof![
        Just(DeadLetters::None),
        Just(DeadLetters::Own),
        Just(DeadLetters::Shared),
        Just(DeadLetters::Outside),
    ]
}

fn sending(dead_letters: DeadLetters, shares: bool) -> QueueSpec {
    match dead_letters {
        DeadLetters::Shared if shares => sharing("d"),
        DeadLetters::Own => dead_lettered(),
        DeadLetters::Outside => dead_lettered_outside(OUTSIDE),
        DeadLetters::None | DeadLetters::Shared => plain(),
    }
}

/// A queue without dead letters.
fn plain_queue() -> impl Strategy<Value = QueueSpec> {
    let days = option::of(1_u64..4);
    let lease = option::of(1_u64..4);
    (days, lease, any::<bool>(), option::of("[xy]")).prop_map(|(days, lease, fifo, label)| {
        let mut queue = if fifo { ordered(plain()) } else { plain() };
        let patch = &mut queue.patch;
        let long = |seconds| Setting::Value(Duration::from_secs(seconds));
        patch.retention = days.map_or(Setting::Inherit, |days| long(days * 86_400));
        patch.visibility_timeout = lease.map_or(Setting::Inherit, |tens| long(tens * 10));
        if let Some(label) = label {
            patch.labels = [("team".to_owned(), Setting::Value(label))].into();
        }
        queue
    })
}
