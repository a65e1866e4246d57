//! Values for rendering tests, made by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use mq_core::plan::{Change, Plan, PlanOptions, diff};
use mq_core::queue::{Marker, Owner};
use mq_core::resource::{
    Authority, Lifecycle, NativeAttribute, Observed, Part, Present, Resource, ResourceId,
};
use mq_core::{Scope, Value};

pub(crate) fn owner() -> Owner {
    Owner {
        stack: "ai-pipeline".into(),
        stage: None,
        origin: None,
    }
}

pub(crate) fn marker(queue: &str) -> Marker {
    Marker {
        owner: owner(),
        queue: queue.into(),
        expires_at: None,
    }
}

pub(crate) fn seconds(seconds: u64) -> Value {
    Value::Duration(Duration::from_secs(seconds))
}

/// A queue on SQS with a lease of this many seconds.
pub(crate) fn queue(name: &str, lease: u64) -> Resource {
    Resource {
        id: ResourceId::new("sqs.queue", name),
        queue: name.into(),
        part: Part::Queue,
        lifecycle: Lifecycle::Managed,
        depends_on: Vec::new(),
        serial: None,
        attributes: vec![
            NativeAttribute::new("VisibilityTimeout", seconds(lease)).holding("visibility_timeout"),
            NativeAttribute::new("MessageRetentionPeriod", seconds(14 * 86_400))
                .holding("retention")
                .with_warning("lowering it deletes messages"),
            NativeAttribute::new("FifoQueue", Value::Bool(false))
                .holding("ordering")
                .immutable(),
            NativeAttribute::new("ReceiveMessageWaitTimeSeconds", seconds(20))
                .holding("receive_wait")
                .with_authority(Authority::CreateDefault),
        ],
        marker: Some(marker(name)),
        holds_messages: true,
        remedy: None,
    }
}

/// The queue as it is, with changes to its attributes.
pub(crate) fn observed(resource: &Resource, different: &[(&str, Value)]) -> Observed {
    let mut attributes: BTreeMap<String, Value> = resource
        .attributes
        .iter()
        .map(|wanted| (wanted.name.clone(), wanted.value.clone()))
        .collect();
    attributes.extend(
        different
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone())),
    );
    Observed {
        id: resource.id.clone(),
        present: Some(Present {
            attributes,
            marker: resource.marker.clone(),
            address: BTreeMap::new(),
        }),
    }
}

pub(crate) fn absent(resource: &Resource) -> Observed {
    Observed::absent(resource.id.clone())
}

pub(crate) fn compare(resource: Resource, observed: Observed, options: &PlanOptions) -> Change {
    diff(resource, observed, &owner(), false, options)
}

pub(crate) fn replacing(queue: &str) -> PlanOptions {
    PlanOptions {
        replace: BTreeSet::from([queue.to_owned()]),
        ..PlanOptions::default()
    }
}

pub(crate) fn plan(changes: Vec<Change>) -> Plan {
    Plan {
        target: "aws".into(),
        backend: "aws".into(),
        scope: Scope {
            label: "111122223333/eu-west-1".into(),
            facts: BTreeMap::new(),
        },
        owner: owner(),
        verdicts: BTreeMap::new(),
        changes,
    }
}
