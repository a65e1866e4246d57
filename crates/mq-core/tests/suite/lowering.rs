//! What a queue becomes on the toy: a queue, its dead-letter queue, and a right on that.

use std::time::Duration;

use mq_core::plan::Change;
use mq_core::queue::{
    DeadLetter, DeadLetterTarget, Ordering, Origin, QueueRef, ResolvedQueue, Stated,
};
use mq_core::resource::{Authority, Lifecycle, Lowered, NativeAttribute, Part, Resource};
use mq_core::{ResourceId, Value};

/// The kind of a queue.
pub(crate) const QUEUE: &str = "toy.queue";
/// The kind of a right that hangs on a queue.
pub(crate) const GRANT: &str = "toy.grant";
/// The attribute that names the dead-letter queue.
pub(crate) const LINK: &str = "DeadLettersTo";
/// The attribute that can only be set on creation.
pub(crate) const FIFO: &str = "Fifo";
/// The attributes that say how long.
pub(crate) const LEASE: &str = "Lease";
pub(crate) const RETENTION: &str = "Retention";
/// How long the toy says that a change of the retention may stay unseen.
pub(crate) const PROPAGATION: Duration = Duration::from_secs(30);

/// The id of the queue of this name.
pub(crate) fn queue_id(name: &str) -> ResourceId {
    ResourceId::new(QUEUE, name)
}

/// Whether a change of a plan is about this queue of the toy.
pub(crate) fn is_of(change: &Change, name: &str) -> bool {
    change.resource.id == queue_id(name)
}

pub(crate) fn lower(queue: &ResolvedQueue) -> Lowered {
    let name = queue.names.queue.as_ref().unwrap_or(&queue.base_name);
    let mut main = resource(queue, queue_id(name), Part::Queue);
    main.attributes = attributes(queue, name);
    let mut resources = Vec::new();
    if let Some(dead_letter) = &queue.attributes.dead_letter {
        let target = &dead_letter.value.target;
        let dead = queue_id(&dead_letters_of(queue, name, target));
        main.depends_on.push(dead.clone());
        match target {
            DeadLetterTarget::Own => {
                let mut part = resource(queue, dead.clone(), Part::DeadLetter);
                part.attributes.extend(own_retention(&dead_letter.value));
                resources.push(part);
                resources.push(grant(queue, dead));
            }
            DeadLetterTarget::Shared(_) => main.serial = Some(format!("to {}", dead.name)),
            DeadLetterTarget::External(_) => resources.push(Resource {
                lifecycle: Lifecycle::External,
                marker: None,
                ..resource(queue, dead, Part::DeadLetter)
            }),
        }
    }
    resources.push(main);
    Lowered {
        queue: queue.logical.clone(),
        resources,
        ..Lowered::default()
    }
}

fn attributes(queue: &ResolvedQueue, name: &str) -> Vec<NativeAttribute> {
    let wanted = &queue.attributes;
    let fifo = wanted.ordering.value == Ordering::PerKey;
    let mut attributes = vec![NativeAttribute::new(FIFO, Value::Bool(fifo)).immutable()];
    let lasting = |name, stated: &Stated<Duration>| {
        NativeAttribute::new(name, Value::Duration(stated.value)).with_origin(stated.origin)
    };
    attributes.extend(wanted.visibility_timeout.map(|it| lasting(LEASE, &it)));
    let retention = wanted.retention.map(|it| lasting(RETENTION, &it));
    attributes.extend(retention.map(|it| it.with_propagation(PROPAGATION)));
    if !wanted.labels.is_empty() {
        let labels = Value::Map(wanted.labels.clone());
        attributes.push(NativeAttribute::new("Labels", labels));
    }
    attributes.push(match &wanted.dead_letter {
        Some(stated) => {
            let to = dead_letters_of(queue, name, &stated.value.target);
            NativeAttribute::new(LINK, Value::Text(to))
        }
        None => NativeAttribute::new(LINK, Value::Absent)
            .with_authority(Authority::Unlink(Value::Text(format!("{name}-dlq")))),
    });
    attributes
}

fn own_retention(dead_letter: &DeadLetter) -> Option<NativeAttribute> {
    let (value, origin) = match dead_letter.retention {
        Some(stated) => (stated, Origin::File),
        None => (Duration::from_secs(14 * 86_400), Origin::CreateDefault),
    };
    Some(NativeAttribute::new(RETENTION, Value::Duration(value)).with_origin(origin))
}

fn dead_letters_of(queue: &ResolvedQueue, name: &str, target: &DeadLetterTarget) -> String {
    let own = || format!("{name}-dlq");
    match target {
        DeadLetterTarget::Own => queue.names.dead_letter.clone().unwrap_or_else(own),
        DeadLetterTarget::Shared(QueueRef {
            names, base_name, ..
        }) => names.queue.clone().unwrap_or_else(|| base_name.clone()),
        DeadLetterTarget::External(name) => name.clone(),
    }
}

fn grant(queue: &ResolvedQueue, on: ResourceId) -> Resource {
    let id = ResourceId::new(GRANT, format!("on {}", on.name));
    Resource {
        lifecycle: if queue.managed {
            Lifecycle::Attached
        } else {
            Lifecycle::External
        },
        marker: None,
        serial: Some("the policy".to_owned()),
        holds_messages: false,
        attributes: vec![NativeAttribute::new("On", Value::text(&on.name))],
        depends_on: vec![on],
        ..resource(queue, id, Part::Grant)
    }
}

fn resource(queue: &ResolvedQueue, id: ResourceId, part: Part) -> Resource {
    Resource {
        id,
        queue: queue.logical.clone(),
        part,
        lifecycle: if queue.managed {
            Lifecycle::Managed
        } else {
            Lifecycle::External
        },
        depends_on: Vec::new(),
        serial: None,
        attributes: Vec::new(),
        marker: queue.managed.then(|| queue.marker()),
        holds_messages: true,
        remedy: None,
    }
}
