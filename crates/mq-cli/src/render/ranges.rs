//! "10s to 5m works everywhere": the values that every cloud takes.

use std::time::Duration;

use mq_core::Capability;
use mq_core::capability::{Limit, Unit, common_range};
use mq_core::queue::{Attributes, Stated};
use serde::Serialize;

use super::matrix::Column;

/// The range of one attribute that every cloud takes, where a value is outside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Everywhere {
    pub(crate) attribute: &'static str,
    /// `None` where no value is taken everywhere.
    pub(crate) range: Option<(String, String)>,
}

impl Everywhere {
    /// In words: `visibility_timeout: 10s to 5m works everywhere`.
    pub(crate) fn words(&self) -> String {
        match &self.range {
            Some((from, to)) => format!("{}: {from} to {to} works everywhere", self.attribute),
            None => format!("{}: no value works everywhere", self.attribute),
        }
    }
}

/// For each attribute of a queue whose value some cloud does not take: the range that all take.
pub(crate) fn everywhere(columns: &[Column], queue: usize) -> Vec<Everywhere> {
    let found = [
        range(
            "visibility_timeout",
            columns,
            queue,
            |wanted| wanted.visibility_timeout,
            |can| can.visibility_timeout,
        ),
        range(
            "retention",
            columns,
            queue,
            |wanted| wanted.retention,
            |can| can.retention,
        ),
        range(
            "receive_wait",
            columns,
            queue,
            |wanted| wanted.receive_wait,
            |can| can.receive_wait,
        ),
        range(
            "delivery_delay",
            columns,
            queue,
            |wanted| wanted.delivery_delay,
            |can| can.delivery_delay,
        ),
        range(
            "max_message_size",
            columns,
            queue,
            |wanted| wanted.max_message_size,
            |can| can.max_message_size,
        ),
        range(
            "dead_letter.max_deliveries",
            columns,
            queue,
            max_deliveries,
            |can| can.max_deliveries,
        ),
        range(
            "dead_letter.retention",
            columns,
            queue,
            dead_letter_retention,
            |can| can.dead_letter_retention,
        ),
        range("deduplication.window", columns, queue, window, |can| {
            can.deduplication_window
        }),
    ];
    found.into_iter().flatten().collect()
}

fn max_deliveries(wanted: &Attributes) -> Option<Stated<u32>> {
    let dead_letter = wanted.dead_letter.as_ref()?;
    Some(Stated {
        value: dead_letter.value.max_deliveries,
        origin: dead_letter.origin,
    })
}

fn dead_letter_retention(wanted: &Attributes) -> Option<Stated<Duration>> {
    let dead_letter = wanted.dead_letter.as_ref()?;
    Some(Stated {
        value: dead_letter.value.retention?,
        origin: dead_letter.origin,
    })
}

fn window(wanted: &Attributes) -> Option<Stated<Duration>> {
    let deduplication = wanted.deduplication.as_ref()?;
    Some(Stated {
        value: deduplication.value.window,
        origin: deduplication.origin,
    })
}

fn range<T: Unit>(
    attribute: &'static str,
    columns: &[Column],
    queue: usize,
    wanted: impl Fn(&Attributes) -> Option<Stated<T>>,
    limit: impl Fn(&Capability) -> Option<Limit<T>>,
) -> Option<Everywhere> {
    // A service without the setting takes any value in its own way, which its verdict tells.
    let limits = || {
        columns
            .iter()
            .filter_map(|column| limit(&column.capability))
    };
    let outside = columns.iter().any(|column| {
        let value = wanted(&column.queues[queue].attributes);
        value
            .zip(limit(&column.capability))
            .is_some_and(|(value, limit)| !limit.contains(value.value))
    });
    outside.then(|| Everywhere {
        attribute,
        range: common_range(limits().map(Some)).map(|(from, to)| (from.written(), to.written())),
    })
}
