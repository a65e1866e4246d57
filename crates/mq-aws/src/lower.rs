//! What a queue of the file becomes on SQS: one or two queues, and a verdict for every attribute.
//! Pure.

mod dead_letter;
mod labels;
mod native;

use std::time::Duration;

use mq_core::capability::Limit;
use mq_core::queue::{DeduplicateBy, Ordering, Origin, ResolvedQueue, Stated};
use mq_core::resource::{Lifecycle, Part};
use mq_core::verdict::Hold;
use mq_core::{
    Diagnostic, Lowered, NativeAttribute, Resource, ResourceId, Scope, Value, Verdict, units,
};

use crate::attribute::key;
use crate::limits::{self, page};
use crate::name::{self, Place, QueueNames};

/// What a lower retention does to messages that are there.
const RETENTION_WARNING: &str =
    "a shorter retention deletes the messages that are older, within 15 minutes";

/// The queue's native resources and one verdict for each attribute.
pub(crate) fn lower(queue: &ResolvedQueue, scope: &Scope) -> Lowered {
    let mut lowering = Lowering {
        queue,
        place: Place::of(scope),
        names: QueueNames::of(queue),
        attributes: Vec::new(),
        verdicts: Vec::new(),
        problems: Vec::new(),
    };
    lowering.name();
    lowering.ordering();
    lowering.timing();
    lowering.message_size();
    lowering.deduplication();
    let dead_letter = lowering.dead_letter();
    lowering.sources();
    lowering.encryption();
    lowering.labels();
    lowering.native();
    lowering.finish(dead_letter)
}

struct Lowering<'a> {
    queue: &'a ResolvedQueue,
    place: Place<'a>,
    names: QueueNames,
    /// Of the queue itself.
    attributes: Vec<NativeAttribute>,
    verdicts: Vec<Verdict>,
    problems: Vec<Diagnostic>,
}

/// Where the dead letters go.
struct DeadLetters {
    /// What must be there before the queue.
    id: ResourceId,
    /// The resource, where it comes from this queue.
    resource: Option<Resource>,
}

impl Lowering<'_> {
    fn finish(self, dead_letters: Option<DeadLetters>) -> Lowered {
        let mut queue = self.resource(self.names.queue.clone(), Part::Queue);
        queue.attributes = self.attributes;
        let mut resources = Vec::new();
        if let Some(DeadLetters { id, resource }) = dead_letters {
            queue.depends_on.push(id);
            resources.extend(resource);
        }
        resources.push(queue);
        Lowered {
            queue: self.queue.logical.clone(),
            resources,
            verdicts: self.verdicts,
            problems: self.problems,
        }
    }

    fn resource(&self, name: String, part: Part) -> Resource {
        let managed = self.queue.managed;
        Resource {
            remedy: (!managed).then(|| remedy(&name)),
            id: name::id(&name),
            queue: self.queue.logical.clone(),
            part,
            lifecycle: if managed {
                Lifecycle::Managed
            } else {
                Lifecycle::External
            },
            depends_on: Vec::new(),
            serial: None,
            attributes: Vec::new(),
            marker: managed.then(|| self.queue.marker()),
            holds_messages: true,
        }
    }

    /// The path of a name in the file, for what is wrong with it.
    fn path_of_name(&self, stated: bool) -> String {
        let names = if stated { ".names.aws" } else { "" };
        format!("queues.{}{names}", self.queue.logical)
    }

    fn name(&mut self) {
        let path = self.path_of_name(self.queue.names.queue.is_some());
        self.problems
            .extend(name::problem(&self.names.queue, self.names.fifo, &path));
    }

    fn ordering(&mut self) {
        let stated = &self.queue.attributes.ordering;
        if !self.queue.managed && stated.origin == Origin::CreateDefault {
            // Someone else's queue, and the file does not say which kind it is.
            return;
        }
        let verdict = |value: &str| {
            Verdict::new("ordering", value, stated.origin, Hold::Exact).with_source(page::FIFO)
        };
        self.verdicts.push(match stated.value {
            Ordering::None => verdict("none"),
            Ordering::PerKey => verdict("per-key").with_consumer(
                "senders give each message a MessageGroupId, its key, and a \
                 MessageDeduplicationId unless `deduplication.by` is `content`",
            ),
        });
        if self.names.fifo {
            self.attributes.push(fifo_queue());
        }
    }

    fn timing(&mut self) {
        let stated = &self.queue.attributes;
        let retention = self.seconds(
            "retention",
            key::RETENTION,
            stated.retention,
            limits::RETENTION,
        );
        let others = [
            self.seconds(
                "visibility_timeout",
                key::VISIBILITY_TIMEOUT,
                stated.visibility_timeout,
                limits::VISIBILITY_TIMEOUT,
            ),
            self.seconds(
                "receive_wait",
                key::RECEIVE_WAIT,
                stated.receive_wait,
                limits::RECEIVE_WAIT,
            ),
            self.seconds(
                "delivery_delay",
                key::DELAY,
                stated.delivery_delay,
                limits::DELIVERY_DELAY,
            ),
        ];
        self.attributes.extend(retention.map(as_retention));
        self.attributes.extend(others.into_iter().flatten());
    }

    /// A duration that the service takes in whole seconds: its verdict, and the attribute where
    /// the service takes it.
    fn seconds(
        &mut self,
        attribute: &'static str,
        native: &str,
        stated: Option<Stated<Duration>>,
        limit: Limit<Duration>,
    ) -> Option<NativeAttribute> {
        let stated = stated?;
        let verdict = judge_seconds(attribute, &stated, limit);
        let taken = !matches!(verdict.hold, Hold::Unsupported { .. });
        self.verdicts.push(verdict);
        taken.then(|| {
            in_place(native, Value::Duration(whole_seconds(stated.value)))
                .holding(attribute)
                .with_origin(stated.origin)
        })
    }

    fn message_size(&mut self) {
        let Some(stated) = self.queue.attributes.max_message_size else {
            return;
        };
        let verdict = limits::MESSAGE_SIZE.judge("max_message_size", &stated);
        if verdict.hold == Hold::Exact {
            self.attributes.push(
                in_place(key::MESSAGE_SIZE, Value::Bytes(stated.value))
                    .holding("max_message_size")
                    .with_origin(stated.origin),
            );
        }
        self.verdicts.push(verdict);
    }

    fn deduplication(&mut self) {
        let Some(Stated { value, origin }) = self.queue.attributes.deduplication.clone() else {
            return;
        };
        let window = limits::DEDUPLICATION_WINDOW.max;
        let asked = units::duration(value.window);
        let by = match value.by {
            DeduplicateBy::Id => "id",
            DeduplicateBy::Content => "content",
        };
        let hold = if !self.names.fifo {
            Hold::Unsupported {
                why: "only a FIFO queue detects duplicates: add `ordering: per-key`".to_owned(),
            }
        } else if value.window == window {
            Hold::Exact
        } else {
            Hold::Approximate {
                from: asked.clone(),
                to: units::duration(window),
                why: "a FIFO queue recognises duplicates for 5 minutes, no more and no less"
                    .to_owned(),
            }
        };
        let consumer = match value.by {
            DeduplicateBy::Id => {
                "senders give each message a MessageDeduplicationId; its duplicates are accepted \
                 and not delivered"
            }
            DeduplicateBy::Content => {
                "the service takes the body's SHA-256 for the id; message attributes do not count"
            }
        };
        let verdict = Verdict::new("deduplication", format!("{asked} by {by}"), origin, hold)
            .with_source(limits::DEDUPLICATION_WINDOW.source);
        self.verdicts.push(if self.names.fifo {
            verdict.with_consumer(consumer)
        } else {
            verdict
        });
        if self.names.fifo {
            let by_content = value.by == DeduplicateBy::Content;
            self.attributes.push(
                in_place(key::CONTENT_BASED, Value::Bool(by_content))
                    .holding("deduplication")
                    .with_origin(origin),
            );
        }
    }

    fn encryption(&mut self) {
        let Some(stated) = &self.queue.attributes.encryption else {
            return;
        };
        let value = stated.value.as_deref().unwrap_or("the service's own key");
        self.verdicts.push(
            Verdict::new("encryption", value, stated.origin, Hold::Exact)
                .with_source(page::ENCRYPTION),
        );
        self.attributes.extend(self.encrypting());
    }

    /// The attributes of encryption, for the queue and for its dead-letter queue, which holds the
    /// same messages. A queue has one kind of encryption at a time.
    fn encrypting(&self) -> Vec<NativeAttribute> {
        let Some(stated) = &self.queue.attributes.encryption else {
            return Vec::new();
        };
        let attributes = match &stated.value {
            Some(key_id) => vec![in_place(key::KMS_KEY, Value::text(key_id))],
            None => vec![
                in_place(key::MANAGED_SSE, Value::Bool(true)),
                in_place(key::KMS_KEY, Value::Absent),
            ],
        };
        attributes
            .into_iter()
            .map(|attribute| attribute.holding("encryption").with_origin(stated.origin))
            .collect()
    }
}

/// The command that makes a queue which must be there and is not.
fn remedy(name: &str) -> String {
    let fifo = if name::is_fifo(name) {
        " --attributes FifoQueue=true"
    } else {
        ""
    };
    format!("aws sqs create-queue --queue-name {name}{fifo}")
}

/// An attribute that can be changed, and shows within a minute.
fn in_place(name: &str, value: Value) -> NativeAttribute {
    NativeAttribute::new(name, value).with_propagation(limits::PROPAGATION)
}

fn as_retention(attribute: NativeAttribute) -> NativeAttribute {
    attribute
        .with_propagation(limits::PROPAGATION_RETENTION)
        .with_warning(RETENTION_WARNING)
}

fn fifo_queue() -> NativeAttribute {
    in_place(key::FIFO_QUEUE, Value::Bool(true))
        .holding("ordering")
        .immutable()
}

/// The next whole second.
fn whole_seconds(duration: Duration) -> Duration {
    let rest = u64::from(duration.subsec_nanos() > 0);
    Duration::from_secs(duration.as_secs().saturating_add(rest))
}

fn judge_seconds(attribute: &str, stated: &Stated<Duration>, limit: Limit<Duration>) -> Verdict {
    let whole = whole_seconds(stated.value);
    if whole == stated.value || !limit.contains(stated.value) {
        return limit.judge(attribute, stated);
    }
    let asked = units::duration(stated.value);
    let hold = Hold::Approximate {
        from: asked.clone(),
        to: units::duration(whole),
        why: "the service takes whole seconds".to_owned(),
    };
    Verdict::new(attribute, asked, stated.origin, hold).with_source(limit.source)
}

/// A verdict on what is written on create where the file says nothing.
fn silent(attribute: &str, value: &str) -> Verdict {
    Verdict::new(attribute, value, Origin::CreateDefault, Hold::Exact)
}

#[cfg(test)]
mod tests;
