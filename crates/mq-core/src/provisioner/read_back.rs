//! The proof: what was written is read again and compared.

use std::collections::HashMap;
use std::time::Duration;

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::backend::ControlPlane;
use crate::error::Result;
use crate::plan::{Action, AttributeChange, Change};
use crate::resource::{Observed, Present, Resource, ResourceId};
use crate::timing::Clock;
use crate::value::Value;

/// How long a change may stay unseen before it is said and left.
const VISIBLE_WITHIN: Duration = Duration::from_secs(60);
const POLL_FIRST: Duration = Duration::from_millis(500);
const POLL_MAX: Duration = Duration::from_secs(8);

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

enum Reading {
    AsWritten,
    Pending(Vec<Finding>),
    Different(Vec<Finding>),
}

/// Reads what these changes wrote until it shows, for at most `VISIBLE_WITHIN`.
pub(super) async fn read_back(
    control: &dyn ControlPlane,
    written: &[&Change],
    clock: &dyn Clock,
    cancel: &CancellationToken,
    waiting: &(dyn Fn(usize, Duration) + Sync),
) -> Result<(HashMap<ResourceId, Observed>, Vec<Finding>)> {
    let mut seen = HashMap::new();
    let mut findings = Vec::new();
    let mut pending: Vec<&Change> = written
        .iter()
        .copied()
        .filter(|change| change.action != Action::Delete)
        .collect();
    let start = clock.elapsed();
    let mut pause = POLL_FIRST;
    while !pending.is_empty() {
        let resources: Vec<&Resource> = pending.iter().map(|change| &change.resource).collect();
        let observed = control.observe(&resources).await?;
        let last = clock.elapsed().saturating_sub(start) >= VISIBLE_WITHIN || cancel.is_cancelled();
        let mut unseen = Vec::new();
        for (change, observed) in pending.into_iter().zip(observed) {
            match classify(change, &observed) {
                Reading::AsWritten => {}
                Reading::Different(found) => findings.extend(found),
                Reading::Pending(found) if last => findings.extend(found),
                Reading::Pending(_) => unseen.push(change),
            }
            seen.insert(observed.id.clone(), observed);
        }
        pending = unseen;
        if !pending.is_empty() {
            waiting(
                pending.len(),
                VISIBLE_WITHIN.saturating_sub(clock.elapsed().saturating_sub(start)),
            );
            tokio::select! {
                () = clock.sleep(pause) => {}
                () = cancel.cancelled() => {}
            }
            pause = (pause * 2).min(POLL_MAX);
        }
    }
    Ok((seen, findings))
}

fn classify(change: &Change, observed: &Observed) -> Reading {
    let Some(present) = &observed.present else {
        return Reading::Pending(vec![finding(
            change,
            None,
            None,
            None,
            not_yet(VISIBLE_WITHIN),
        )]);
    };
    let mut pending = Vec::new();
    let mut different = Vec::new();
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
        let found = finding(
            change,
            Some(attribute.name.clone()),
            Some(attribute.to.clone()),
            seen.cloned(),
            kind,
        );
        if kind == FindingKind::Different {
            different.push(found);
        } else {
            pending.push(found);
        }
    }
    if let Some(found) = marker_missing(change, present) {
        if found.kind == FindingKind::Different {
            different.push(found);
        } else {
            pending.push(found);
        }
    }
    match (pending.is_empty(), different.is_empty()) {
        (true, true) => Reading::AsWritten,
        (_, false) => Reading::Different(different),
        (false, true) => Reading::Pending(pending),
    }
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
    if !writes_marker || present.marker.as_ref() == Some(wanted) {
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
    let seen = present
        .marker
        .as_ref()
        .map(|marker| Value::Map(marker.entries()));
    Some(finding(
        change,
        Some("marker".to_owned()),
        Some(Value::Map(wanted.entries())),
        seen,
        kind,
    ))
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
