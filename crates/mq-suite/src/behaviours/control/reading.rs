//! What resources show, held against what they should.

use mq_core::resource::Authority;
use mq_core::{Change, Observed, Plan, Resource, Value, judge};

use crate::behaviour::Stop;
use crate::probe::Probe;
use crate::trial::fail;

/// Whether a native attribute holds the probe's attribute, or a part of it.
pub(super) fn is_about(attribute: Option<&str>, probe: &Probe) -> bool {
    attribute.is_some_and(|attribute| judge::covers(probe.attribute, attribute))
}

/// What the resources show of the probe's attribute, with their kinds: names differ between queues.
pub(super) fn settings(seen: &[(Resource, Observed)], probe: &Probe) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for (resource, observed) in seen {
        let Some(present) = &observed.present else {
            continue;
        };
        for wanted in &resource.attributes {
            if is_about(wanted.attribute.as_deref(), probe)
                && let Some(value) = present.attributes.get(&wanted.name)
            {
                found.push((
                    format!("{}.{}", resource.id.kind, wanted.name),
                    value.clone(),
                ));
            }
        }
    }
    found
}

/// Insists that every part is there, and reads as the file says.
pub(super) fn as_wanted(seen: &[(Resource, Observed)]) -> Result<(), Stop> {
    reads(seen, |authority| *authority == Authority::File)
}

/// Insists that every part is there, and that its settings of these authorities read as they
/// should.
pub(super) fn reads(
    seen: &[(Resource, Observed)],
    counts: impl Fn(&Authority) -> bool,
) -> Result<(), Stop> {
    for (resource, observed) in seen {
        let Some(present) = &observed.present else {
            return fail(format!("{} is not there", resource.id));
        };
        let settings = resource.attributes.iter();
        for wanted in settings.filter(|wanted| counts(&wanted.authority)) {
            let value = present.attributes.get(&wanted.name);
            if !wanted.value.holds_in(value) {
                return fail(format!(
                    "{}: {} should be {} and is {}",
                    resource.id,
                    wanted.name,
                    wanted.value,
                    shown(value)
                ));
            }
        }
    }
    Ok(())
}

/// Insists that what the plan did not name is as it was.
pub(super) fn others_stay(
    before: &[(Resource, Observed)],
    after: &[(Resource, Observed)],
    plan: &Plan,
) -> Result<(), Stop> {
    for ((resource, was), (_, is)) in before.iter().zip(after) {
        let (Some(was), Some(is)) = (&was.present, &is.present) else {
            return fail(format!("{} is gone", resource.id));
        };
        let changed = plan
            .changes
            .iter()
            .find(|change| change.resource.id == resource.id);
        let named = |name: &String| {
            changed.is_some_and(|change| change.attributes.iter().any(|it| it.name == *name))
        };
        let mut values = was.attributes.iter().filter(|(name, _)| !named(name));
        if let Some((name, value)) =
            values.find(|(name, value)| is.attributes.get(*name) != Some(value))
        {
            return fail(format!(
                "{}: {name} was {value} and became {}, though it was not asked for",
                resource.id,
                shown(is.attributes.get(name))
            ));
        }
    }
    Ok(())
}

/// A value for people, or that there is none.
pub(super) fn shown(value: Option<&Value>) -> String {
    value.map_or_else(|| "not there".to_owned(), ToString::to_string)
}

/// What a change would write, for people.
pub(super) fn list(change: &Change) -> String {
    let mut parts: Vec<String> = change
        .attributes
        .iter()
        .map(|it| format!("{} from {} to {}", it.name, shown(it.from.as_ref()), it.to))
        .collect();
    parts.extend(change.refusal.as_ref().map(|refusal| refusal.why.clone()));
    parts.join(", ")
}

pub(super) fn listed(seen: &[(String, Value)]) -> String {
    let parts: Vec<String> = seen
        .iter()
        .map(|(name, value)| format!("{name} = {value}"))
        .collect();
    parts.join(", ")
}
