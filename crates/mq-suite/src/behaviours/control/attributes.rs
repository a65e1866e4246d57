//! Each attribute of the file: written, changed, noticed when somebody else changes it.

use std::time::Duration;

use futures::FutureExt;
use mq_core::resource::{Authority, Mutability};
use mq_core::spec::{QueuePatch, Setting};
use mq_core::verdict::Hold;
use mq_core::{Action, Change, Observed, Plan, PlanOptions, ResolvedQueue, Resource, Value};

use super::behaviour;
use crate::behaviour::{Behaviour, Stop};
use crate::probe::{Fixed, Probe};
use crate::trial::{Trial, fail};

pub(super) fn all() -> Vec<Behaviour> {
    let mut all = Vec::new();
    all.extend(
        behaviour(
            "attribute-is-written",
            "A value that the file states is what the service then shows, and another value shows as another.",
            70,
            |trial| attribute_is_written(trial).boxed(),
        )
        .for_each(|_| true),
    );
    all.extend(
        behaviour(
            "update-in-place",
            "A changed value reaches the queue that is there, reads back, and leaves its other values alone.",
            70,
            |trial| update_in_place(trial).boxed(),
        )
        .that_recreates()
        .for_each(|probe| changes(probe) && probe.fixed != Fixed::Everywhere),
    );
    all.extend(
        behaviour(
            "changed-or-refused",
            "A changed value either reaches the queue that is there or is refused; refused, the queue stays as it is, and only a replacement that is asked for makes it anew.",
            90,
            |trial| changed_or_refused(trial).boxed(),
        )
        .that_recreates()
        .for_each(|probe| changes(probe) && probe.fixed != Fixed::Nowhere),
    );
    all.extend(
        behaviour(
            "drift-is-seen",
            "A value that somebody else changed is seen by the next plan and put right by the next run.",
            80,
            |trial| drift_is_seen(trial).boxed(),
        )
        .for_each(|probe| changes(probe) && probe.fixed != Fixed::Everywhere),
    );
    all.extend(
        behaviour(
            "unstated-stays",
            "A value that the file no longer states stays as it is, whatever else changes.",
            70,
            |trial| unstated_stays(trial).boxed(),
        )
        .for_each(|probe| probe.stays_unstated),
    );
    all
}

fn changes(probe: &Probe) -> bool {
    !probe.others.is_empty()
}

/// The queue with the first value, and the same queue with another.
struct Pair {
    one: [ResolvedQueue; 1],
    other: [ResolvedQueue; 1],
    /// States the other value.
    change: fn(&mut QueuePatch),
}

impl Pair {
    /// The two queues, or a stop where the service does not hold both values.
    fn of(trial: &Trial, probe: &Probe) -> Result<Pair, Stop> {
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

fn stating(trial: &Trial, probe: &Probe, value: fn(&mut QueuePatch)) -> [ResolvedQueue; 1] {
    [trial.sample(|patch| {
        (probe.base)(patch);
        value(patch);
    })]
}

/// How the service takes a change from one value to the other.
#[derive(Debug, PartialEq, Eq)]
enum Taken {
    /// On the queue that is there.
    InPlace,
    /// Never: it is fixed at creation.
    Fixed,
    /// By a queue of another name.
    Elsewhere,
    /// There is nothing to change.
    Same,
}

fn taken(trial: &Trial, probe: &Probe, pair: &Pair) -> Taken {
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

/// Whether a native attribute holds the probe's attribute, or a part of it.
fn is_about(attribute: Option<&str>, probe: &Probe) -> bool {
    attribute.is_some_and(|attribute| {
        attribute
            .strip_prefix(probe.attribute)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}

async fn attribute_is_written(trial: &Trial) -> Result<(), Stop> {
    let probe = trial.probe()?;
    let one = stating(trial, probe, probe.one);
    trial.holds(&one, probe.attribute)?;
    let pair = Pair::of(trial, probe);
    if let Ok(pair) = &pair
        && taken(trial, probe, pair) == Taken::Same
    {
        return same(trial, probe, pair);
    }
    trial.provision(&one).await?;
    let first = settings(&trial.look(&one).await?, probe);
    if first.is_empty() {
        return Err(Stop::Skipped(always(trial, &one[0], probe).into()));
    }
    reads_as_stated(trial, &one[0], probe, &first)?;
    let Ok(pair) = pair else { return Ok(()) };
    let elsewhere = [trial.named_sample("other", |patch| {
        (probe.base)(patch);
        (pair.change)(patch);
    })];
    trial.provision(&elsewhere).await?;
    if settings(&trial.look(&elsewhere).await?, probe) == first {
        return fail(format!("both values read the same: {}", listed(&first)));
    }
    Ok(())
}

/// Where the verdict is exact and the value's meaning is the same everywhere, it is just that one
/// that must be there.
fn reads_as_stated(
    trial: &Trial,
    queue: &ResolvedQueue,
    probe: &Probe,
    seen: &[(String, Value)],
) -> Result<(), Stop> {
    let verdict = trial.verdict(queue, probe.attribute);
    let exact = verdict.is_some_and(|verdict| verdict.hold == Hold::Exact);
    let Some(wanted) = probe.shown.map(|value| value()).filter(|_| exact) else {
        return Ok(());
    };
    if seen.iter().any(|(_, value)| *value == wanted) {
        return Ok(());
    }
    fail(format!(
        "{wanted} was stated, and there is {}",
        listed(seen)
    ))
}

/// Two values come to the same queue: the service cannot be told of the attribute. Then it cannot
/// promise two values either.
fn same(trial: &Trial, probe: &Probe, pair: &Pair) -> Result<(), Stop> {
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
fn always(trial: &Trial, queue: &ResolvedQueue, probe: &Probe) -> String {
    match trial.verdict(queue, probe.attribute).map(|it| it.hold) {
        Some(hold) if hold != Hold::Exact => format!("{}: {}", hold.name(), hold.reason()),
        _ => "the service does this always, and has no setting for it".to_owned(),
    }
}

fn listed(seen: &[(String, Value)]) -> String {
    let parts: Vec<String> = seen
        .iter()
        .map(|(name, value)| format!("{name} = {value}"))
        .collect();
    parts.join(", ")
}

/// What the resources show of the probe's attribute, with their kinds: names differ between queues.
fn settings(seen: &[(Resource, Observed)], probe: &Probe) -> Vec<(String, Value)> {
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

async fn update_in_place(trial: &Trial) -> Result<(), Stop> {
    let probe = trial.probe()?;
    let pair = Pair::of(trial, probe)?;
    match taken(trial, probe, &pair) {
        Taken::InPlace => {}
        Taken::Same => return same(trial, probe, &pair),
        // Where the list does not ask for the refusal by its own name, it is asked for here.
        Taken::Fixed | Taken::Elsewhere if probe.fixed == Fixed::Nowhere => {
            return changed_or_refused(trial).await;
        }
        Taken::Fixed | Taken::Elsewhere => {
            return Err(Stop::Skipped("the value is fixed at creation here".into()));
        }
    }
    changed_in_place(trial, &pair).await
}

async fn changed_in_place(trial: &Trial, pair: &Pair) -> Result<(), Stop> {
    trial.provision(&pair.one).await?;
    let before = trial.look(&pair.one).await?;
    let plan = trial.plan(&pair.other).await?;
    let updates = plan.changes.iter().filter(|change| change.writes());
    let updates: Vec<&Change> = updates.collect();
    if updates.is_empty() {
        return fail("the plan does not see that the value changed");
    }
    if let Some(odd) = updates
        .iter()
        .find(|change| change.action != Action::Update)
    {
        return fail(format!(
            "the plan would {:?} {}",
            odd.action, odd.resource.id
        ));
    }
    trial.provision(&pair.other).await?;
    as_wanted(&trial.look(&pair.other).await?)?;
    others_stay(&before, &trial.look(&pair.one).await?, &plan)
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
fn others_stay(
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

async fn changed_or_refused(trial: &Trial) -> Result<(), Stop> {
    let probe = trial.probe()?;
    let pair = Pair::of(trial, probe)?;
    let how = taken(trial, probe, &pair);
    match how {
        Taken::Fixed | Taken::Elsewhere => {}
        Taken::Same => return same(trial, probe, &pair),
        // What is not fixed must then really change.
        Taken::InPlace => return changed_in_place(trial, &pair).await,
    }
    trial.provision(&pair.one).await?;
    let before = trial.look(&pair.one).await?;
    trial.remember(&pair.other);
    let plan = trial.plan(&pair.other).await?;
    let outcome = trial.apply(&plan).await?;
    if trial.look(&pair.one).await? != before {
        return fail("the queue that was there is not as it was");
    }
    if how == Taken::Elsewhere {
        return as_wanted(&trial.look(&pair.other).await?);
    }
    if plan.refusals().next().is_none() || outcome.applied() > 0 {
        return fail("the change was not refused");
    }
    let options = PlanOptions {
        replace: [pair.other[0].logical.clone()].into(),
        drop_messages: true,
        ..PlanOptions::default()
    };
    trial.provision_with(&pair.other, &options).await?;
    as_wanted(&trial.look(&pair.other).await?)
}

async fn drift_is_seen(trial: &Trial) -> Result<(), Stop> {
    let probe = trial.probe()?;
    let pair = Pair::of(trial, probe)?;
    match taken(trial, probe, &pair) {
        Taken::InPlace => {}
        Taken::Same => return same(trial, probe, &pair),
        Taken::Fixed | Taken::Elsewhere => {
            return Err(Stop::Skipped(
                "the value is fixed at creation here, so that nobody can change it".into(),
            ));
        }
    }
    trial.provision(&pair.one).await?;
    let drift = trial.plan(&pair.other).await?;
    let updates = drift.changes.iter();
    for change in updates.filter(|change| change.action == Action::Update) {
        trial.by_hand(change).await?;
    }
    // A service may take a while to show what was written.
    let mut wait = trial.wait_for_a_change();
    while !is_seen(&trial.plan(&pair.one).await?, probe) {
        if !wait.again().await {
            return fail("the plan does not see the other value");
        }
    }
    trial.provision(&pair.one).await?;
    as_wanted(&trial.look(&pair.one).await?)?;
    if trial.plan(&pair.one).await?.writes() {
        return fail("a run after it still finds something to do");
    }
    Ok(())
}

fn is_seen(plan: &Plan, probe: &Probe) -> bool {
    let mut changes = plan.changes.iter().flat_map(|change| &change.attributes);
    changes.any(|change| is_about(change.attribute.as_deref(), probe))
}

async fn unstated_stays(trial: &Trial) -> Result<(), Stop> {
    let probe = trial.probe()?;
    let stated = stating(trial, probe, probe.one);
    trial.holds(&stated, probe.attribute)?;
    trial.provision(&stated).await?;
    let before = settings(&trial.look(&stated).await?, probe);
    if before.is_empty() {
        return Err(Stop::Skipped(always(trial, &stated[0], probe).into()));
    }
    let without = [trial.sample(|patch| {
        (probe.base)(patch);
        // Something else changes, so that the resource is written.
        if probe.attribute == "visibility_timeout" {
            patch.retention = Setting::Value(Duration::from_secs(3 * 86_400));
        } else {
            patch.visibility_timeout = Setting::Value(Duration::from_secs(50));
        }
    })];
    trial.provision(&without).await?;
    let after = settings(&trial.look(&stated).await?, probe);
    if before != after {
        return fail(format!(
            "it was {} and became {}",
            listed(&before),
            listed(&after)
        ));
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
