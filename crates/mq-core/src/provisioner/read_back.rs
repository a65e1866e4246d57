//! The proof: what was written is read again and compared.

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::backend::ControlPlane;
use crate::error::Result;
use crate::plan::{Action, AttributeChange, Change};
use crate::queue::Marker;
use crate::resource::{Observed, Present, Resource, ResourceId};
use crate::timing::Clock;
use crate::value::Value;

/// How long a change may stay unseen before it is said and left.
pub(super) const VISIBLE_WITHIN: Duration = Duration::from_secs(60);
/// The first wait between two looks; each further one is twice as long.
pub(super) const POLL_FIRST: Duration = Duration::from_millis(500);
/// The longest wait between two looks.
pub(super) const POLL_MAX: Duration = Duration::from_secs(8);

/// Something that does not read as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Where.
    pub resource: ResourceId,
    /// The key of its queue.
    pub queue: String,
    /// The service's name for the attribute; `None` for the resource itself.
    pub attribute: Option<String>,
    /// What was written.
    pub wanted: Option<Value>,
    /// What is read.
    pub seen: Option<Value>,
    /// What that means.
    pub kind: FindingKind,
}

/// What a difference after a write means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingKind {
    /// The old value still shows; the service says that it may, for so long.
    NotYetVisible {
        /// The time that the vendor documents, in seconds.
        within_seconds: u64,
    },
    /// The service has another value, or ignored the write.
    Different,
}

/// What one look at a resource gave.
#[derive(Default)]
struct Reading {
    /// What may yet show.
    pending: Vec<Finding>,
    /// What will not.
    different: Vec<Finding>,
}

impl Reading {
    fn add(&mut self, finding: Finding) {
        match finding.kind {
            FindingKind::NotYetVisible { .. } => self.pending.push(finding),
            FindingKind::Different => self.different.push(finding),
        }
    }
}

/// Reads what these changes wrote until it shows, for at most [`VISIBLE_WITHIN`].
pub(super) async fn read_back(
    control: &dyn ControlPlane,
    written: &[Cow<'_, Change>],
    clock: &dyn Clock,
    cancel: &CancellationToken,
    waiting: &(dyn Fn(usize, Duration) + Sync),
) -> Result<(HashMap<ResourceId, Observed>, Vec<Finding>)> {
    let mut seen = HashMap::new();
    let mut findings = Vec::new();
    let mut unproved: Vec<&Change> = written
        .iter()
        .map(AsRef::as_ref)
        .filter(|change| change.action != Action::Delete)
        .collect();
    let end = clock.elapsed() + VISIBLE_WITHIN;
    let mut pause = POLL_FIRST;
    while !unproved.is_empty() {
        let resources: Vec<&Resource> = unproved.iter().map(|change| &change.resource).collect();
        let observed = control.observe(&resources).await?;
        let left = end.saturating_sub(clock.elapsed());
        let last = left.is_zero() || cancel.is_cancelled();
        let mut unseen = Vec::new();
        for (change, observed) in unproved.into_iter().zip(observed) {
            let reading = read(change, &observed);
            if reading.pending.is_empty() || last {
                findings.extend(reading.different);
                findings.extend(reading.pending);
            } else {
                unseen.push(change);
            }
            seen.insert(observed.id.clone(), observed);
        }
        unproved = unseen;
        if !unproved.is_empty() {
            waiting(unproved.len(), left);
            tokio::select! {
                biased;
                () = cancel.cancelled() => {}
                () = clock.sleep(pause.min(left)) => {}
            }
            pause = (pause * 2).min(POLL_MAX);
        }
    }
    Ok((seen, findings))
}

fn read(change: &Change, observed: &Observed) -> Reading {
    let mut reading = Reading::default();
    let Some(present) = &observed.present else {
        reading.add(finding(change, None, None, None, not_yet(VISIBLE_WITHIN)));
        return reading;
    };
    for attribute in &change.attributes {
        let seen = present.attributes.get(&attribute.name);
        if attribute.to.holds_in(seen) {
            continue;
        }
        let propagation = propagation(&change.resource, &attribute.name);
        let kind = if is_old(change, attribute, seen) && !propagation.is_zero() {
            not_yet(propagation)
        } else {
            FindingKind::Different
        };
        reading.add(finding(
            change,
            Some(attribute.name.clone()),
            Some(attribute.to.clone()),
            seen.cloned(),
            kind,
        ));
    }
    if let Some(missing) = marker_missing(change, present) {
        reading.add(missing);
    }
    reading
}

/// Whether what is read can be the state before the write.
fn is_old(change: &Change, attribute: &AttributeChange, seen: Option<&Value>) -> bool {
    match change.action {
        Action::Create | Action::Replace => seen.is_none(),
        Action::Update | Action::Adopt | Action::Delete | Action::NoOp => {
            seen == attribute.from.as_ref()
        }
    }
}

fn marker_missing(change: &Change, present: &Present) -> Option<Finding> {
    let wanted = change.resource.marker.as_ref()?;
    let writes_marker = matches!(
        change.action,
        Action::Create | Action::Replace | Action::Adopt
    );
    let seen = present.marker.as_ref();
    if !writes_marker || seen.is_some_and(|seen| is_as_written(seen, wanted)) {
        return None;
    }
    let lag = change
        .resource
        .attributes
        .iter()
        .map(|attribute| attribute.propagation)
        .max()
        .unwrap_or_default();
    let kind = if lag.is_zero() {
        FindingKind::Different
    } else {
        not_yet(lag)
    };
    let seen = seen.map(|marker| Value::Map(marker.entries()));
    Some(finding(
        change,
        Some("marker".to_owned()),
        Some(Value::Map(wanted.entries())),
        seen,
        kind,
    ))
}

/// Two runs at once count the expiry from moments of their own, so the time itself is not compared.
fn is_as_written(seen: &Marker, wanted: &Marker) -> bool {
    seen.owner == wanted.owner
        && seen.queue == wanted.queue
        && seen.expires_at.is_some() == wanted.expires_at.is_some()
}

fn propagation(resource: &Resource, attribute: &str) -> Duration {
    let wanted = resource
        .attributes
        .iter()
        .find(|wanted| wanted.name == attribute);
    wanted.map(|wanted| wanted.propagation).unwrap_or_default()
}

fn not_yet(within: Duration) -> FindingKind {
    FindingKind::NotYetVisible {
        within_seconds: within.as_secs(),
    }
}

fn finding(
    change: &Change,
    attribute: Option<String>,
    wanted: Option<Value>,
    seen: Option<Value>,
    kind: FindingKind,
) -> Finding {
    Finding {
        resource: change.resource.id.clone(),
        queue: change.resource.queue.clone(),
        attribute,
        wanted,
        seen,
        kind,
    }
}
