//! Removing queues, and nothing else.

use std::time::Duration;

use futures::FutureExt;
use mq_core::plan::PlanOptions;
use mq_core::provisioner;
use mq_core::resource::Lifecycle;
use mq_core::spec::Setting;
use mq_core::{Action, Observed, ResolvedQueue, Resource};

use super::reading::as_wanted;
use super::{behaviour, lasting, make_unmarked, of_every_queue};
use crate::behaviour::{Behaviour, Stop};
use crate::trial::{Trial, fail};

pub(super) fn all() -> Vec<Behaviour> {
    vec![
        of_every_queue(
            "destroy-leaves-nothing",
            "Destroying removes every part of a queue, and none is there once it has ended.",
            70,
            |trial| destroy_leaves_nothing(trial).boxed(),
        ),
        of_every_queue(
            "destroy-twice",
            "Destroying what is gone succeeds and does nothing.",
            80,
            |trial| destroy_twice(trial).boxed(),
        ),
        behaviour(
            "destroy-spares-others",
            "Destroying removes nothing that belongs to another stage, carries no marker, or merely has a similar name.",
            150,
            |trial| destroy_spares_others(trial).boxed(),
        ),
        behaviour(
            "recreated-is-new",
            "A queue that is destroyed and made again with other values has those, and nothing of the old ones.",
            110,
            |trial| recreated_is_new(trial).boxed(),
        )
        .that_recreates(),
        behaviour(
            "prune-only-when-asked",
            "A queue that the file no longer has stays until its removal is asked for, and then goes alone.",
            110,
            |trial| prune_only_when_asked(trial).boxed(),
        ),
        behaviour(
            "collected-when-expired",
            "What has expired can be collected, and what has not is left alone.",
            120,
            |trial| collected_when_expired(trial).boxed(),
        ),
    ]
}

async fn destroy_leaves_nothing(trial: &Trial) -> Result<(), Stop> {
    let queues = trial.queues();
    trial.provision(&queues).await?;
    trial.destroy(&queues).await?;
    gone(&trial.look(&queues).await?)
}

fn gone(seen: &[(Resource, Observed)]) -> Result<(), Stop> {
    match seen.iter().find(|(_, seen)| seen.present.is_some()) {
        None => Ok(()),
        Some((resource, _)) => fail(format!("{} is still there", resource.id)),
    }
}

async fn destroy_twice(trial: &Trial) -> Result<(), Stop> {
    let queues = trial.queues();
    trial.provision(&queues).await?;
    // Both are planned while everything is there: the second finds it gone as it goes on.
    let late = trial.plan_destroy(&queues).await?;
    trial.destroy(&queues).await?;
    let outcome = trial.apply(&late).await?;
    if let Some((result, error)) = outcome.failures().next() {
        return fail(format!(
            "removing {} again failed: {error}",
            result.resource
        ));
    }
    let again = trial.plan_destroy(&queues).await?;
    if again.writes() {
        return fail("the plan would remove what is gone");
    }
    gone(&trial.look(&queues).await?)
}

async fn destroy_spares_others(trial: &Trial) -> Result<(), Stop> {
    let ours = [trial.sample(|_| {})];
    let mut of_another_stage = trial.named_sample("sample-of-another", |_| {});
    if let Some(stage) = &mut of_another_stage.owner.stage {
        stage.push('b');
    }
    let of_another_stage = [of_another_stage];
    let mut unmarked = trial.named_sample("sample-unmarked", |_| {});
    unmarked.dead_letter_for.clear();
    let unmarked = [unmarked];
    trial.provision(&ours).await?;
    trial.provision(&of_another_stage).await?;
    make_unmarked(trial, &unmarked[0]).await?;
    let others = [of_another_stage.as_slice(), &unmarked].concat();
    let before = trial.look(&others).await?;
    if let Some((resource, _)) = before.iter().find(|(_, seen)| seen.present.is_none()) {
        return fail(format!("{} could not be made", resource.id));
    }
    trial.destroy_of(&ours, true).await?;
    gone(&trial.look(&ours).await?)?;
    if trial.look(&others).await? != before {
        return fail("a queue that is not ours is not as it was");
    }
    Ok(())
}

async fn recreated_is_new(trial: &Trial) -> Result<(), Stop> {
    let old = [trial.sample(|patch| {
        lasting(45)(patch);
        patch
            .labels
            .insert("old".to_owned(), Setting::Value("yes".to_owned()));
    })];
    let new = [trial.sample(|patch| {
        lasting(55)(patch);
        patch.retention = Setting::Value(Duration::from_secs(3 * 86_400));
    })];
    trial.provision(&old).await?;
    trial.destroy(&old).await?;
    trial.provision(&new).await?;
    let seen = trial.look(&new).await?;
    as_wanted(&seen)?;
    let keeps_a_label = seen.iter().any(|(_, seen)| {
        let present = seen.present.iter();
        present
            .flat_map(|present| present.attributes.values())
            .any(|value| matches!(value, mq_core::Value::Map(labels) if labels.contains_key("old")))
    });
    if keeps_a_label {
        return fail("it carries a label of the queue that was destroyed");
    }
    Ok(())
}

async fn prune_only_when_asked(trial: &Trial) -> Result<(), Stop> {
    let both = [
        trial.sample(|_| {}),
        trial.named_sample("taken-out", |_| {}),
    ];
    let kept = &both[..1];
    let taken_out = &both[1..];
    trial.provision(&both).await?;
    let before = trial.look(&both).await?;
    trial.provision(kept).await?;
    if trial.look(&both).await? != before {
        return fail("it went though nobody asked for it");
    }
    let options = PlanOptions {
        prune: true,
        drop_messages: true,
        ..PlanOptions::default()
    };
    trial.provision_with(kept, &options).await?;
    gone(&trial.look(taken_out).await?)?;
    as_wanted(&trial.look(kept).await?)
}

async fn collected_when_expired(trial: &Trial) -> Result<(), Stop> {
    let mut expired = trial.sample(|_| {});
    // Long before anything else of the run.
    expired.expires_at = Some(1);
    let lasting = trial.named_sample("lasting", |_| {});
    let mut endless = trial.named_sample("endless", |_| {});
    endless.expires_at = None;
    let queues = [expired, lasting, endless];
    trial.provision(&queues).await?;
    let options = PlanOptions {
        drop_messages: true,
        ..PlanOptions::default()
    };
    let owner = queues[0].owner.clone();
    let request = trial.request(&[], &owner);
    let plan = provisioner::plan_collection(trial.control(), &request, 2, &options).await?;
    // Others of the same stack may have left something that has expired too.
    let plan = mq_core::Plan {
        changes: plan
            .changes
            .into_iter()
            .filter(|change| {
                change.observed.present.as_ref().is_some_and(|present| {
                    present
                        .marker
                        .as_ref()
                        .is_some_and(|marker| marker.owner == owner)
                })
            })
            .collect(),
        ..plan
    };
    let strays = plan
        .changes
        .iter()
        .filter(|change| change.action == Action::Delete);
    if let Some(stray) = strays
        .into_iter()
        .find(|change| change.resource.queue != queues[0].logical)
    {
        return fail(format!(
            "{} would go though it has not expired",
            stray.resource.id
        ));
    }
    let outcome = trial.apply(&plan).await?;
    if let Some((result, error)) = outcome.failures().next() {
        return fail(format!(
            "{} could not be collected: {error}",
            result.resource
        ));
    }
    marked_are_gone(trial, &queues[..1]).await?;
    as_wanted(&trial.look(&queues[1..]).await?)
}

/// Only what carries a marker can be collected; what hangs on it goes with it.
async fn marked_are_gone(trial: &Trial, queues: &[ResolvedQueue]) -> Result<(), Stop> {
    let seen = trial.look(queues).await?;
    let managed: Vec<_> = seen
        .into_iter()
        .filter(|(resource, _)| resource.lifecycle == Lifecycle::Managed)
        .collect();
    gone(&managed)
}
