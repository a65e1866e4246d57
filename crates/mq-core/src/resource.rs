//! Native resources: what a queue becomes on one cloud, and what is there.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::diagnostic::Diagnostic;
use crate::queue::Marker;
use crate::value::Value;
use crate::verdict::Verdict;

/// A resource's identity inside one target.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ResourceId {
    /// The service and the kind of thing: `sqs.queue`, `servicebus.queue`, `pubsub.topic`,
    /// `pubsub.subscription`, `pubsub.grant`.
    pub kind: Cow<'static, str>,
    /// The service's own name for it.
    pub name: String,
}

impl ResourceId {
    /// An identity.
    pub fn new(kind: impl Into<Cow<'static, str>>, name: impl Into<String>) -> Self {
        ResourceId {
            kind: kind.into(),
            name: name.into(),
        }
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} \"{}\"", self.kind, self.name)
    }
}

/// Which part of a queue a resource is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// The queue itself (on Pub/Sub its topic and its subscription).
    Queue,
    /// Its dead-letter queue.
    DeadLetter,
    /// A right that one of the parts needs.
    Grant,
}

/// Who decides over a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lifecycle {
    /// `mq` creates, updates and removes it, and it carries the marker.
    Managed,
    /// `mq` creates it, and it goes when the resource it hangs on goes: a grant.
    Attached,
    /// Someone else does: it is read and compared, and must be there.
    External,
}

/// Why a native attribute is compared, and when it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Authority {
    /// The file states it, or the queue would not be what the file says without it: written on
    /// create, corrected when it differs.
    File,
    /// Written on create only; on a queue that is there already it is shown as unmanaged.
    CreateDefault,
    /// The file no longer has it. Taken away where the observed value is this one, which `mq`
    /// itself once wrote; anything else is someone else's and stays.
    Unlink(Value),
}

/// Whether an attribute of an existing resource can be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mutability {
    /// It can.
    InPlace,
    /// It is fixed at creation: another value is another resource.
    Immutable,
}

/// One attribute of a resource, in the service's own words, as it shall be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NativeAttribute {
    /// The service's name for it, such as `VisibilityTimeout`.
    pub name: String,
    /// The path of the file's attribute that it holds, where it holds one.
    pub attribute: Option<Cow<'static, str>>,
    /// The value it shall have.
    pub value: Value,
    /// Why it is compared, and when it is written.
    pub authority: Authority,
    /// Whether it can be changed.
    pub mutability: Mutability,
    /// How long the service may take to show a change; zero where a read after the write shows it.
    pub propagation: Duration,
    /// A sentence that the plan prints when this attribute changes (lowering `retention` deletes
    /// messages), empty for none.
    pub warning: Cow<'static, str>,
}

impl NativeAttribute {
    /// An attribute that the file states and that can be changed in place.
    pub fn new(name: impl Into<String>, value: Value) -> Self {
        NativeAttribute {
            name: name.into(),
            attribute: None,
            value,
            authority: Authority::File,
            mutability: Mutability::InPlace,
            propagation: Duration::ZERO,
            warning: Cow::Borrowed(""),
        }
    }

    /// Names the file's attribute that it holds.
    #[must_use]
    pub fn holding(mut self, attribute: impl Into<Cow<'static, str>>) -> Self {
        self.attribute = Some(attribute.into());
        self
    }

    /// Says why it is compared, and when it is written.
    #[must_use]
    pub fn with_authority(mut self, authority: Authority) -> Self {
        self.authority = authority;
        self
    }

    /// Says that it comes from the file or from a create-default.
    #[must_use]
    pub fn with_origin(mut self, origin: crate::queue::Origin) -> Self {
        self.authority = match origin {
            crate::queue::Origin::File => Authority::File,
            crate::queue::Origin::CreateDefault => Authority::CreateDefault,
        };
        self
    }

    /// Says that it is fixed at creation.
    #[must_use]
    pub fn immutable(mut self) -> Self {
        self.mutability = Mutability::Immutable;
        self
    }

    /// Says how long a change may stay unseen.
    #[must_use]
    pub fn with_propagation(mut self, propagation: Duration) -> Self {
        self.propagation = propagation;
        self
    }

    /// Says what the plan prints when it changes.
    #[must_use]
    pub fn with_warning(mut self, warning: impl Into<Cow<'static, str>>) -> Self {
        self.warning = warning.into();
        self
    }
}

/// A resource as it shall be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// What and where.
    pub id: ResourceId,
    /// The key of the queue it belongs to.
    pub queue: String,
    /// Which part of it.
    pub part: Part,
    /// Who decides over it.
    pub lifecycle: Lifecycle,
    /// Resources that must be there before it; on the way down, it must be gone before them.
    pub depends_on: Vec<ResourceId>,
    /// Changes with the same key are made one after the other (one Service Bus parent entity).
    pub serial: Option<String>,
    /// What it shall be.
    pub attributes: Vec<NativeAttribute>,
    /// What it carries, where it can carry one and `mq` manages it.
    pub marker: Option<Marker>,
    /// Whether it holds messages of its own, so that removing it may lose some.
    pub holds_messages: bool,
    /// For what must be there but is not made by `mq`: the exact command that makes it.
    pub remedy: Option<String>,
}

/// What one queue becomes on one cloud: pure, so that it can be shown before any call.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Lowered {
    /// The queue's key in the file.
    pub queue: String,
    /// Its resources, each after those it depends on.
    pub resources: Vec<Resource>,
    /// One verdict for every attribute that is stated or written on create.
    pub verdicts: Vec<Verdict>,
    /// What no verdict can say and no `accept` can excuse: a name that the service forbids, an
    /// unknown native key.
    #[serde(skip)]
    pub problems: Vec<Diagnostic>,
}

/// What was found in place of one resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed {
    /// Of which.
    pub id: ResourceId,
    /// What is there; `None` when nothing is.
    pub present: Option<Present>,
}

impl Observed {
    /// Nothing is there.
    #[must_use]
    pub fn absent(id: ResourceId) -> Self {
        Observed { id, present: None }
    }
}

/// A resource that was found by its marker and not by a name of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnedResource {
    /// What it is, with the dependencies that can be read from it; its attributes are empty.
    pub resource: Resource,
    /// As it is.
    pub observed: Observed,
}

/// A resource as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Present {
    /// Its attributes under the names that [`NativeAttribute::name`] uses; what the service does
    /// not tell is left out.
    pub attributes: BTreeMap<String, Value>,
    /// Our marker, where it carries one.
    pub marker: Option<Marker>,
    /// Addresses and ids that only the service knows: `url`, `arn`.
    pub address: BTreeMap<String, String>,
}

/// A way to reach a queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// The queue's key in the file.
    pub queue: String,
    /// What it is for.
    pub role: Role,
    /// The address, as the vendor's SDKs take it.
    pub address: String,
    /// The same apart, and further ids: `arn`, `namespace`, `entity`, `amqp`.
    pub details: BTreeMap<String, String>,
}

/// What an endpoint is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// One address serves both ways.
    Queue,
    /// Messages are sent here.
    Send,
    /// Messages are received from here.
    Receive,
    /// Dead letters are received from here.
    DeadLetter,
}

impl Role {
    /// The role's name on the command line and in outputs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Role::Queue => "queue",
            Role::Send => "send",
            Role::Receive => "receive",
            Role::DeadLetter => "dead-letter",
        }
    }
}

/// How many messages there are, per kind; `None` where the service does not tell.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Ready to be received.
    pub visible: Option<u64>,
    /// Under a lease.
    pub in_flight: Option<u64>,
    /// Held back until later.
    pub delayed: Option<u64>,
    /// In a dead-letter part of the resource itself.
    pub dead_lettered: Option<u64>,
    /// Why there are no numbers, where there are none.
    pub unknown_because: Option<String>,
}

impl Counts {
    /// All messages together; `None` when the service does not tell.
    #[must_use]
    pub fn total(&self) -> Option<u64> {
        if self.unknown_because.is_some() {
            return None;
        }
        let parts = [
            self.visible,
            self.in_flight,
            self.delayed,
            self.dead_lettered,
        ];
        Some(parts.into_iter().flatten().sum())
    }
}
