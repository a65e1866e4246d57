//! Each attribute of the file: written, changed, noticed when somebody else changes it.

use std::time::Duration;

use futures::FutureExt;
use mq_core::spec::Setting;
use mq_core::verdict::Hold;
use mq_core::{Action, Change, Plan, PlanOptions, ResolvedQueue, Value};

use super::behaviour;
use super::pair::{Pair, Taken, always, same, stating, taken};
use super::reading::{as_wanted, is_about, listed, others_stay, settings};
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
    let exact = verdict
        .as_ref()
        .is_some_and(|verdict| verdict.hold == Hold::Exact);
    let Some(shows) = probe.shows.filter(|_| exact) else {
        return Ok(());
    };
    if seen.iter().any(|(_, value)| shows(value)) {
        return Ok(());
    }
    fail(format!(
        "{} was stated, and there is {}",
        verdict.map(|it| it.value).unwrap_or_default(),
        listed(seen)
    ))
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
