//! Queues and scopes for tests.

use std::collections::BTreeMap;
use std::time::Duration;

use mq_core::queue::{
    Attributes, DeadLetter, DeadLetterTarget, Names, Ordering, Owner, QueueRef, Stated,
};
use mq_core::{ResolvedQueue, Scope};

use crate::name::facts;

pub(crate) const DAY: Duration = Duration::from_secs(86_400);

/// The account and region of every test.
pub(crate) fn scope() -> Scope {
    let facts = [
        (facts::ACCOUNT, "111122223333"),
        (facts::REGION, "eu-west-1"),
        (facts::PARTITION, "aws"),
    ];
    Scope {
        label: "111122223333/eu-west-1".to_owned(),
        facts: facts
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
    }
}

/// A queue of which the file says nothing, on create.
pub(crate) fn queue(logical: &str) -> ResolvedQueue {
    ResolvedQueue {
        logical: logical.to_owned(),
        base_name: logical.to_owned(),
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
            visibility_timeout: Some(Stated::create_default(Duration::from_secs(30))),
            retention: Some(Stated::create_default(4 * DAY)),
            receive_wait: Some(Stated::create_default(Duration::from_secs(20))),
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
    }
}

pub(crate) fn dead_letter(max_deliveries: u32, target: DeadLetterTarget) -> Stated<DeadLetter> {
    Stated::file(DeadLetter {
        max_deliveries,
        retention: None,
        target,
    })
}

pub(crate) fn reference(logical: &str, ordering: Ordering) -> QueueRef {
    QueueRef {
        logical: logical.to_owned(),
        base_name: logical.to_owned(),
        names: Names::default(),
        ordering,
    }
}
