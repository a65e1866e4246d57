//! Two values of one attribute, and how a service takes a change from one to the other.

use mq_core::resource::Mutability;
use mq_core::spec::QueuePatch;
use mq_core::verdict::Hold;
use mq_core::{ResolvedQueue, Resource};

use super::reading::is_about;
use crate::behaviour::Stop;
use crate::probe::Probe;
use crate::trial::{Trial, fail};

/// The queue with the first value, and the same queue with another.
pub(super) struct Pair {
    pub(super) one: [ResolvedQueue; 1],
    pub(super) other: [ResolvedQueue; 1],
    /// States the other value.
    pub(super) change: fn(&mut QueuePatch),
}

impl Pair {
    /// The two queues, or a stop where the service does not hold both values.
    pub(super) fn of(trial: &Trial, probe: &Probe) -> Result<Pair, Stop> {
        let one = stating(trial, probe, probe.one);
        trial.holds(&one, probe.attribute)?;
        let mut refused = Stop::Skipped("there is no other value to tell it from".into());
        for &change in probe.others {
            let other = stating(trial, probe, change);
            match trial.holds(&other, probe.attribute) {
                Ok(()) => return Ok(Pair { one, other, change }),
                Err(stop) => refused = stop,
            }
        }
        Err(refused)
    }
}

pub(super) fn stating(
    trial: &Trial,
    probe: &Probe,
    value: fn(&mut QueuePatch),
) -> [ResolvedQueue; 1] {
    [trial.sample(|patch| {
        (probe.base)(patch);
        value(patch);
    })]
}

/// How the service takes a change from one value to the other.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// On the queue that is there.
    InPlace,
    /// Never: it is fixed at creation.
    Fixed,
    /// By a queue of another name.
    Elsewhere,
    /// There is nothing to change.
    Same,
}

pub(super) fn taken(trial: &Trial, probe: &Probe, pair: &Pair) -> Taken {
    let [one, other] = [&pair.one, &pair.other].map(|queue| trial.lower(&queue[0]).resources);
    let ids = |resources: &[Resource]| -> Vec<_> {
        resources
            .iter()
            .map(|resource| resource.id.clone())
            .collect()
    };
    if ids(&one) != ids(&other) {
        return Taken::Elsewhere;
    }
    let settings = |resources: &[Resource]| -> Vec<_> {
        let settings = resources.iter().flat_map(|resource| &resource.attributes);
        settings
            .filter(|setting| is_about(setting.attribute.as_deref(), probe))
            .cloned()
            .collect()
    };
    let (one, other) = (settings(&one), settings(&other));
    if one == other {
        return Taken::Same;
    }
    let fixed = one.iter().chain(&other);
    let differing = fixed.filter(|setting| !(one.contains(setting) && other.contains(setting)));
    if differing
        .clone()
        .any(|setting| setting.mutability == Mutability::Immutable)
    {
        Taken::Fixed
    } else {
        Taken::InPlace
    }
}

/// Two values come to the same queue: the service cannot be told of the attribute. Then it cannot
/// promise two values either.
pub(super) fn same(trial: &Trial, probe: &Probe, pair: &Pair) -> Result<(), Stop> {
    let promised = |queue: &ResolvedQueue| {
        let verdict = trial.verdict(queue, probe.attribute)?;
        match verdict.hold {
            Hold::Exact => Some(verdict.value),
            Hold::Approximate { to, .. } => Some(to),
            Hold::ClientSide { .. } | Hold::Unsupported { .. } => None,
        }
    };
    let (one, other) = (promised(&pair.one[0]), promised(&pair.other[0]));
    if one == other {
        return Err(Stop::Skipped(always(trial, &pair.one[0], probe).into()));
    }
    fail(format!(
        "`{}` is promised as {} and as {}, and both come to the same queue",
        probe.attribute,
        one.unwrap_or_default(),
        other.unwrap_or_default()
    ))
}

/// Why an attribute has no setting to look at.
pub(super) fn always(trial: &Trial, queue: &ResolvedQueue, probe: &Probe) -> String {
    match trial.verdict(queue, probe.attribute).map(|it| it.hold) {
        Some(hold) if hold != Hold::Exact => format!("{}: {}", hold.name(), hold.reason()),
        _ => "the service does this always, and has no setting for it".to_owned(),
    }
}
