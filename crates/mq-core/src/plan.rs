//! What would be done, as one value: computed by a pure function, then rendered, saved and
//! executed from the same value, so that plan and apply cannot disagree.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::backend::Scope;
use crate::queue::Owner;
use crate::resource::{
    Authority, Counts, Lifecycle, Mutability, NativeAttribute, Observed, OwnedResource, Present,
    Resource, ResourceId,
};
use crate::value::Value;
use crate::verdict::Verdict;

/// What happens to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// It is made.
    Create,
    /// Some of its attributes are changed.
    Update,
    /// It is removed and made again, since something that is fixed at creation differs.
    Replace,
    /// It is there without a marker: it gets ours, and what the file states.
    Adopt,
    /// It is removed.
    Delete,
    /// Nothing.
    NoOp,
}

/// One attribute that changes, or that differs where nothing may be written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttributeChange {
    /// The service's name for it.
    pub name: String,
    /// The file's attribute that it holds.
    pub attribute: Option<Cow<'static, str>>,
    /// What it is; `None` when the service tells of none.
    pub from: Option<Value>,
    /// What it shall be.
    pub to: Value,
    /// Whether only a new resource can have it.
    pub forces_replacement: bool,
    /// What the change brings with it, empty for nothing.
    #[serde(skip_serializing_if = "str::is_empty", default)]
    pub warning: Cow<'static, str>,
}

/// Why a change is not made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// What kind of refusal.
    pub kind: RefusalKind,
    /// What is in the way.
    pub why: String,
    /// The flag or edit that would let it through.
    pub hint: String,
}

/// Kinds of refusals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefusalKind {
    /// It is there without our marker; `--adopt` takes it.
    NotAdopted,
    /// Its marker is another stack's or stage's.
    NotOurs,
    /// Its marker is ours but from another repository.
    OtherOrigin,
    /// The file protects the queue.
    Protected,
    /// It holds messages, or nobody can tell.
    HoldsMessages,
    /// An attribute that is fixed at creation differs; `--replace` makes it anew.
    Immutable,
    /// `manage: false`.
    Unmanaged,
    /// What someone else must have made is not there.
    Missing,
    /// A queue that stays still sends its dead letters there.
    InUse,
}

/// One change of one resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What happens.
    pub action: Action,
    /// What it shall be.
    pub resource: Resource,
    /// What it is.
    pub observed: Observed,
    /// What differs. For a create, all that is written.
    pub attributes: Vec<AttributeChange>,
    /// Attributes that `mq` knows and the file does not state, as they are.
    pub unmanaged: BTreeMap<String, Value>,
    /// Why it is not made, when it is not.
    pub refusal: Option<Refusal>,
    /// How many messages go with it, where some might.
    pub counts: Option<Counts>,
}

impl Change {
    /// Whether it removes messages.
    #[must_use]
    pub fn removes(&self) -> bool {
        matches!(self.action, Action::Delete | Action::Replace)
    }

    /// Whether applying it writes anything.
    #[must_use]
    pub fn writes(&self) -> bool {
        self.action != Action::NoOp && self.refusal.is_none()
    }

    /// Whether what is there differs from the file where `mq` may not write.
    #[must_use]
    pub fn drifts_unmanaged(&self) -> bool {
        self.action == Action::NoOp && !self.attributes.is_empty()
    }
}

/// What the flags allow.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PlanOptions {
    /// Take what is there without a marker.
    pub adopt: bool,
    /// Queues that may be removed and made again.
    pub replace: BTreeSet<String>,
    /// Remove what is ours and no longer in the file.
    pub prune: bool,
    /// Messages may go.
    pub drop_messages: bool,
}

/// What would be done on one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The target's key under `clouds`.
    pub target: String,
    /// Its backend.
    pub backend: String,
    /// Which account, project or namespace it is.
    pub scope: Scope,
    /// Whose resources.
    pub owner: Owner,
    /// The verdicts, by queue.
    pub verdicts: BTreeMap<String, Vec<Verdict>>,
    /// One entry for each resource, queues in order of name, parts after what they depend on.
    pub changes: Vec<Change>,
}

impl Plan {
    /// Whether applying it writes anything.
    #[must_use]
    pub fn writes(&self) -> bool {
        self.changes.iter().any(Change::writes)
    }

    /// Whether something is, or would be, done or refused: reality is not as the file says.
    #[must_use]
    pub fn pending(&self) -> bool {
        self.changes
            .iter()
            .any(|change| change.action != Action::NoOp || change.refusal.is_some())
    }

    /// The refusals, with their resources.
    pub fn refusals(&self) -> impl Iterator<Item = (&Resource, &Refusal)> {
        self.changes
            .iter()
            .filter_map(|change| Some((&change.resource, change.refusal.as_ref()?)))
    }

    /// How many resources are added, changed and destroyed; a replacement counts as one added and
    /// one destroyed.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for change in self
            .changes
            .iter()
            .filter(|change| change.refusal.is_none())
        {
            match change.action {
                Action::Create => tally.add += 1,
                Action::Update | Action::Adopt => tally.change += 1,
                Action::Delete => tally.destroy += 1,
                Action::Replace => {
                    tally.add += 1;
                    tally.destroy += 1;
                }
                Action::NoOp => {}
            }
        }
        tally.refused = self
            .changes
            .iter()
            .filter(|change| change.refusal.is_some())
            .count();
        tally
    }
}

/// A plan in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Tally {
    /// Resources made.
    pub add: usize,
    /// Resources changed.
    pub change: usize,
    /// Resources removed.
    pub destroy: usize,
    /// Changes refused.
    pub refused: usize,
}

/// What to do about one resource of the file. Pure.
#[must_use]
pub fn diff(
    resource: Resource,
    observed: Observed,
    owner: &Owner,
    protect: bool,
    options: &PlanOptions,
) -> Change {
    let change = match (&observed.present, resource.lifecycle) {
        (None, Lifecycle::External) => {
            let refusal = missing(&resource);
            bare(Action::NoOp, resource, observed, Some(refusal))
        }
        (None, Lifecycle::Managed | Lifecycle::Attached) => create(resource, observed),
        (Some(present), Lifecycle::External | Lifecycle::Attached) => {
            let attributes = differences(&resource, present, Lifecycle::External);
            Change {
                attributes,
                ..bare(Action::NoOp, resource, observed, None)
            }
        }
        (Some(present), Lifecycle::Managed) => {
            let (refusal, adopting) = ownership(&resource, present, owner, options);
            let attributes = differences(&resource, present, Lifecycle::Managed);
            let unmanaged = unmanaged(&resource, present);
            let action = if attributes.iter().any(|change| change.forces_replacement) {
                Action::Replace
            } else if adopting {
                Action::Adopt
            } else if attributes.is_empty() {
                Action::NoOp
            } else {
                Action::Update
            };
            Change {
                attributes,
                unmanaged,
                ..bare(action, resource, observed, refusal)
            }
        }
    };
    guard_replacement(change, protect, options)
}

/// The removal of one resource of this owner, or of what the file names. Pure; the messages in it
/// are counted afterwards, by [`guard_messages`].
#[must_use]
pub fn removal(owned: OwnedResource, owner: &Owner, protect: bool) -> Change {
    let OwnedResource { resource, observed } = owned;
    let Some(present) = &observed.present else {
        return bare(Action::NoOp, resource, observed, None);
    };
    let refusal = match resource.lifecycle {
        Lifecycle::Attached => return bare(Action::NoOp, resource, observed, None),
        Lifecycle::External => Some(Refusal {
            kind: RefusalKind::Unmanaged,
            why: "the file says `manage: false`: someone else owns it".to_owned(),
            hint: "remove it with the tool that made it".to_owned(),
        }),
        Lifecycle::Managed => ownership(&resource, present, owner, &PlanOptions::default()).0,
    };
    let refusal = refusal.or_else(|| protect.then(|| protected(&resource)));
    bare(Action::Delete, resource, observed, refusal)
}

/// Refuses a removal that would lose messages, unless `--drop-messages` lets it.
pub fn guard_messages(change: &mut Change, counts: Counts, options: &PlanOptions) {
    let total = counts.total();
    if !options.drop_messages && change.refusal.is_none() && total != Some(0) {
        let why = match total {
            Some(1) => "it holds 1 message".to_owned(),
            Some(count) => format!("it holds {count} messages"),
            None => format!(
                "it may hold messages: {}",
                counts
                    .unknown_because
                    .as_deref()
                    .unwrap_or("the service does not tell how many")
            ),
        };
        change.refusal = Some(Refusal {
            kind: RefusalKind::HoldsMessages,
            why,
            hint: "run again with `--drop-messages` to lose them".to_owned(),
        });
    }
    change.counts = Some(counts);
}

/// Refuses a removal that would leave a queue which stays with nowhere to send its dead letters.
pub fn guard_use(change: &mut Change, sender: &str) {
    if change.refusal.is_none() {
        change.refusal = Some(Refusal {
            kind: RefusalKind::InUse,
            why: format!("the queue `{sender}` stays and still sends its dead letters there"),
            hint: format!(
                "give `{sender}` another `dead_letter` first, or take the link away with the \
                 cloud's own tool"
            ),
        });
    }
}

/// Whether the change ends the resource's need of another: the attribute that names it gets
/// another value, or the resource is made anew as the file says.
pub(crate) fn ends_need(change: &Change, needed: &ResourceId) -> bool {
    // A service names a resource by its name or by an address that ends with it.
    let names = |value: &Value| matches!(value, Value::Text(text) if text.ends_with(&needed.name));
    let mut attributes = change.attributes.iter();
    change.action == Action::Replace
        || attributes.any(|attribute| attribute.from.as_ref().is_some_and(names))
}

fn bare(
    action: Action,
    resource: Resource,
    observed: Observed,
    refusal: Option<Refusal>,
) -> Change {
    Change {
        action,
        resource,
        observed,
        attributes: Vec::new(),
        unmanaged: BTreeMap::new(),
        refusal,
        counts: None,
    }
}

/// The second half of a replacement: the resource made anew, with all that is written on create.
#[must_use]
pub fn recreate(replacement: &Change) -> Change {
    let resource = replacement.resource.clone();
    let observed = Observed::absent(resource.id.clone());
    create(resource, observed)
}

fn create(resource: Resource, observed: Observed) -> Change {
    let attributes = resource
        .attributes
        .iter()
        .filter(|wanted| {
            !matches!(wanted.authority, Authority::Unlink(_)) && wanted.value != Value::Absent
        })
        .map(|wanted| AttributeChange {
            warning: Cow::Borrowed(""),
            ..attribute_change(wanted, None)
        })
        .collect();
    Change {
        attributes,
        ..bare(Action::Create, resource, observed, None)
    }
}

fn attribute_change(wanted: &NativeAttribute, from: Option<&Value>) -> AttributeChange {
    AttributeChange {
        name: wanted.name.clone(),
        attribute: wanted.attribute.clone(),
        from: from.cloned(),
        to: wanted.value.clone(),
        forces_replacement: false,
        warning: wanted.warning.clone(),
    }
}

fn differences(
    resource: &Resource,
    present: &Present,
    lifecycle: Lifecycle,
) -> Vec<AttributeChange> {
    let mut changes = Vec::new();
    for wanted in &resource.attributes {
        let seen = present.attributes.get(&wanted.name);
        let differs = match &wanted.authority {
            Authority::File => !wanted.value.holds_in(seen),
            Authority::CreateDefault => false,
            Authority::Unlink(ours) => lifecycle == Lifecycle::Managed && seen == Some(ours),
        };
        if differs {
            changes.push(AttributeChange {
                forces_replacement: wanted.mutability == Mutability::Immutable,
                ..attribute_change(wanted, seen)
            });
        }
    }
    changes
}

/// What is there, is known by name to the backend, and is not the file's.
fn unmanaged(resource: &Resource, present: &Present) -> BTreeMap<String, Value> {
    let stated: BTreeSet<&str> = resource
        .attributes
        .iter()
        .filter(|wanted| wanted.authority == Authority::File)
        .map(|wanted| wanted.name.as_str())
        .collect();
    present
        .attributes
        .iter()
        .filter(|(name, _)| !stated.contains(name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Whether the marker lets us write, and whether writing means adopting.
fn ownership(
    resource: &Resource,
    present: &Present,
    owner: &Owner,
    options: &PlanOptions,
) -> (Option<Refusal>, bool) {
    let Some(marker) = &present.marker else {
        let refusal = (!options.adopt).then(|| Refusal {
            kind: RefusalKind::NotAdopted,
            why: "it is there already and `mq` did not make it".to_owned(),
            hint: "run `mq provision --adopt` to take it over, or say `manage: false` in the file"
                .to_owned(),
        });
        return (refusal, true);
    };
    if marker.owner == *owner {
        if marker.queue == resource.queue {
            return (None, false);
        }
        let refusal = (!options.adopt).then(|| Refusal {
            kind: RefusalKind::NotAdopted,
            why: format!("it belongs to the queue `{}` of this stack", marker.queue),
            hint: "run `mq provision --adopt` to move it to this queue".to_owned(),
        });
        return (refusal, true);
    }
    let same_stack = marker.owner.stack == owner.stack && marker.owner.stage == owner.stage;
    let refusal = if same_stack && marker.owner.origin.is_none() {
        // A file that is given an `origin` would otherwise lose what it made without one.
        let refusal = (!options.adopt).then(|| Refusal {
            kind: RefusalKind::OtherOrigin,
            why: format!(
                "it belongs to a stack `{}` of no `origin`, and this file has one",
                owner.stack
            ),
            hint: "run `mq provision --adopt` if this file made it before it had its `origin`; \
                   else give this file's `stack` another name"
                .to_owned(),
        });
        return (refusal, true);
    } else if same_stack {
        Refusal {
            kind: RefusalKind::OtherOrigin,
            why: format!(
                "it belongs to the stack `{}` of another repository",
                owner.stack
            ),
            hint: "give this file's `stack` another name, or run where its `origin` is the same"
                .to_owned(),
        }
    } else {
        Refusal {
            kind: RefusalKind::NotOurs,
            why: match &marker.owner.stage {
                Some(stage) => format!(
                    "it belongs to stage `{stage}` of the stack `{}`",
                    marker.owner.stack
                ),
                None => format!("it belongs to the stack `{}`", marker.owner.stack),
            },
            hint: "give the queue another name, through `names` or the stage's template".to_owned(),
        }
    };
    (Some(refusal), false)
}

fn guard_replacement(mut change: Change, protect: bool, options: &PlanOptions) -> Change {
    if change.action != Action::Replace || change.refusal.is_some() {
        return change;
    }
    let fixed: Vec<&str> = change
        .attributes
        .iter()
        .filter(|attribute| attribute.forces_replacement)
        .map(|attribute| attribute.attribute.as_deref().unwrap_or(&attribute.name))
        .collect();
    if protect {
        change.refusal = Some(protected(&change.resource));
    } else if !options.replace.contains(&change.resource.queue) {
        change.refusal = Some(Refusal {
            kind: RefusalKind::Immutable,
            why: format!("{} is fixed at creation and differs", fixed.join(", ")),
            hint: format!(
                "run again with `--replace {}` to remove it and make it anew; its messages are lost",
                change.resource.queue
            ),
        });
    }
    change
}

fn protected(resource: &Resource) -> Refusal {
    Refusal {
        kind: RefusalKind::Protected,
        why: format!("the file protects the queue `{}`", resource.queue),
        hint: "take `protect: true` out of the file (or the stage) first".to_owned(),
    }
}

fn missing(resource: &Resource) -> Refusal {
    Refusal {
        kind: RefusalKind::Missing,
        why: "it is not there, and `mq` does not make it".to_owned(),
        hint: resource.remedy.clone().unwrap_or_else(|| {
            "create it with the tool that owns it, or correct its name in the file".to_owned()
        }),
    }
}

/// A grant goes with the resource that it hangs on: where that one is replaced, the grant is made
/// again. Comes after everything that may still refuse a replacement.
pub fn cascade_replacements(changes: &mut [Change]) {
    let replaced: BTreeSet<_> = changes
        .iter()
        .filter(|change| change.action == Action::Replace && change.refusal.is_none())
        .map(|change| change.resource.id.clone())
        .collect();
    for change in changes.iter_mut() {
        let hangs = change
            .resource
            .depends_on
            .iter()
            .any(|id| replaced.contains(id));
        if hangs
            && change.resource.lifecycle == Lifecycle::Attached
            && change.action == Action::NoOp
        {
            *change = recreate(change);
        }
    }
}
