//! Queues that tests provision.

use std::collections::BTreeMap;
use std::time::Duration;

use mq_core::queue::{
    Attributes, DeadLetter, DeadLetterTarget, Names, Ordering, Owner, ResolvedQueue, Stated,
};

/// Every test's owner: tests are kept apart by their projects.
pub(crate) fn owner() -> Owner {
    Owner {
        stack: "tests".to_owned(),
        stage: None,
        origin: None,
    }
}

/// A queue of which the file says nothing.
pub(crate) fn plain(name: &str) -> ResolvedQueue {
    ResolvedQueue {
        logical: name.to_owned(),
        base_name: name.to_owned(),
        names: Names::default(),
        owner: owner(),
        expires_at: None,
        managed: true,
        protect: false,
        attributes: Attributes {
            visibility_timeout: Some(Stated::create_default(Duration::from_secs(30))),
            retention: Some(Stated::create_default(Duration::from_secs(4 * 86_400))),
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

/// A queue with dead letters and labels.
pub(crate) fn rich(name: &str) -> ResolvedQueue {
    let mut queue = plain(name);
    queue.attributes.visibility_timeout = Some(Stated::file(Duration::from_secs(60)));
    queue.attributes.retention = Some(Stated::file(Duration::from_secs(86_400)));
    queue.attributes.labels = BTreeMap::from([("team".to_owned(), "a".to_owned())]);
    dead_lettered(queue, DeadLetterTarget::Own)
}

/// The queue with dead letters that go there. Theirs is the longest retention that every subject
/// takes: Google's emulator still ends at 7 days.
pub(crate) fn dead_lettered(mut queue: ResolvedQueue, target: DeadLetterTarget) -> ResolvedQueue {
    let own = target == DeadLetterTarget::Own;
    queue.attributes.dead_letter = Some(Stated::file(DeadLetter {
        max_deliveries: 5,
        retention: own.then(|| Duration::from_secs(7 * 86_400)),
        target,
    }));
    queue
}
