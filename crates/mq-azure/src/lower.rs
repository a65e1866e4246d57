//! A queue of the file becomes one queue of the namespace, or two: pure, so that it can be shown
//! before any call.

mod attributes;
mod dead_letter;
mod names;
#[cfg(test)]
mod tests;

use mq_core::diagnostic::Diagnostic;
use mq_core::queue::{DeadLetterTarget, Marker, ResolvedQueue};
use mq_core::resource::{Lifecycle, Lowered, NativeAttribute, Part, Resource, ResourceId};
use mq_core::verdict::Verdict;

use self::names::QueueNames;
use crate::facts::Tier;

/// The kind of every resource of this backend.
pub(crate) const KIND: &str = "servicebus.queue";

/// The identity of a queue. The service folds case, so the identity is in lower case: two
/// spellings of one queue must not be taken for two.
pub(crate) fn id(name: &str) -> ResourceId {
    ResourceId::new(KIND, name.to_lowercase())
}

/// What lowering gathers, attribute by attribute.
struct Written<'a> {
    queue: &'a ResolvedQueue,
    names: &'a QueueNames,
    tier: Tier,
    verdicts: Vec<Verdict>,
    problems: Vec<Diagnostic>,
    /// Of the queue itself.
    attributes: Vec<NativeAttribute>,
    /// Of a real queue for its dead letters; `None` where they stay in the built-in one.
    dead_letter: Option<Vec<NativeAttribute>>,
    /// The queue that dead letters are forwarded to.
    forwards_to: Option<ResourceId>,
}

/// The queue's resources, each after those it depends on, and its verdicts on this tier.
/// `namespace` is the short name, for commands that people copy.
pub(crate) fn lower(queue: &ResolvedQueue, tier: Tier, namespace: &str) -> Lowered {
    let names = QueueNames::of(queue);
    let mut written = Written {
        queue,
        names: &names,
        tier,
        verdicts: Vec::new(),
        problems: names.problems(queue),
        attributes: Vec::new(),
        dead_letter: None,
        forwards_to: None,
    };
    written.portable();
    written.dead_letters();
    written.encryption(namespace);
    written.labels();
    written.native();
    Lowered {
        queue: queue.logical.clone(),
        resources: resources(&written, namespace),
        verdicts: written.verdicts,
        problems: written.problems,
    }
}

fn resources(written: &Written<'_>, namespace: &str) -> Vec<Resource> {
    let queue = written.queue;
    let mut resources = Vec::new();
    if let Some(attributes) = &written.dead_letter {
        resources.push(Resource {
            attributes: attributes.clone(),
            ..bare(queue, id(&written.names.dead_letter), Part::DeadLetter)
        });
    }
    let external = queue.attributes.dead_letter.as_ref().and_then(|stated| {
        let outside = matches!(stated.value.target, DeadLetterTarget::External(_));
        written.forwards_to.clone().filter(|_| outside)
    });
    if let Some(target) = external {
        let name = target.name.clone();
        resources.push(Resource {
            lifecycle: Lifecycle::External,
            marker: None,
            remedy: Some(format!(
                "create it: `az servicebus queue create --namespace-name {namespace} --resource-group GROUP --name {name}`"
            )),
            ..bare(queue, target, Part::DeadLetter)
        });
    }
    let own = written.dead_letter.is_some();
    resources.push(Resource {
        attributes: written.attributes.clone(),
        depends_on: written.forwards_to.iter().cloned().collect(),
        // The service lets one operation at a time touch the queue that others forward to, and
        // answers the rest with 40901. A queue has no other parent.
        serial: written
            .forwards_to
            .as_ref()
            .filter(|_| !own)
            .map(|target| format!("forwards to {}", target.name)),
        ..bare(queue, id(&written.names.queue), Part::Queue)
    });
    resources
}

fn bare(queue: &ResolvedQueue, id: ResourceId, part: Part) -> Resource {
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

/// A queue that was found by its marker: what removing it needs to know.
pub(crate) fn owned(
    name: &str,
    marker: &Marker,
    part: Part,
    forwards_to: Option<&str>,
) -> Resource {
    Resource {
        id: id(name),
        queue: marker.queue.clone(),
        part,
        lifecycle: Lifecycle::Managed,
        depends_on: forwards_to.map(id).into_iter().collect(),
        serial: None,
        attributes: Vec::new(),
        marker: Some(marker.clone()),
        holds_messages: true,
        remedy: None,
    }
}
