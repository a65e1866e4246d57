//! The parts that dead letters need, and how they hang together.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::FutureExt;
use mq_core::resource::Part;
use mq_core::spec::{DeadLetterPatch, DeadLetterQueue, QueuePatch, QueueSpec, Setting};
use mq_core::{Action, PlanOptions, ResolvedQueue};

use super::reading::as_wanted;
use super::{behaviour, of_every_queue};
use crate::behaviour::{Behaviour, Need, Stop};
use crate::trial::{Trial, fail};

const HELD: &[Need] = &[Need::Held("dead_letter.max_deliveries")];

pub(super) fn all() -> Vec<Behaviour> {
    vec![
        of_every_queue(
            "dead-letters-are-wired",
            "Every part that dead letters need is there, the rights among them, and the queue points at it.",
            60,
            |trial| dead_letters_are_wired(trial).boxed(),
        )
        .needing(&[Need::Stated("dead_letter")]),
        behaviour(
            "dead-letters-are-unlinked",
            "A dead letter queue that the file no longer has is unlinked, and goes only when that is asked for.",
            80,
            |trial| dead_letters_are_unlinked(trial).boxed(),
        )
        .needing(HELD),
        behaviour(
            "dead-letters-are-shared",
            "Two queues can send their dead letters to a third, and removing one of the two leaves it there.",
            120,
            |trial| dead_letters_are_shared(trial).boxed(),
        )
        .needing(HELD),
    ]
}

async fn dead_letters_are_wired(trial: &Trial) -> Result<(), Stop> {
    let queues = trial.queues();
    for attribute in ["dead_letter.max_deliveries", "dead_letter"] {
        let stating: Vec<ResolvedQueue> = queues
            .iter()
            .filter(|queue| trial.verdict(queue, attribute).is_some())
            .cloned()
            .collect();
        if !stating.is_empty() {
            trial.holds(&stating, attribute)?;
        }
    }
    trial.provision(&queues).await?;
    let seen = trial.look(&queues).await?;
    if let Some((resource, _)) = seen.iter().find(|(_, seen)| seen.present.is_none()) {
        return fail(format!("{} is not there", resource.id));
    }
    let wired = seen
        .iter()
        .flat_map(|(resource, _)| &resource.attributes)
        .any(|wanted| {
            let attribute = wanted.attribute.as_deref().unwrap_or_default();
            attribute.starts_with("dead_letter")
        });
    if !wired {
        return fail("no part of the queue says where dead letters go, or when");
    }
    as_wanted(&seen)?;
    // The service's own lists must say so too, not only the answer to a question by name.
    depends_on_its_parts(trial, &queues).await
}

/// What is found by its marker refers to the parts that hold dead letters.
async fn depends_on_its_parts(trial: &Trial, queues: &[ResolvedQueue]) -> Result<(), Stop> {
    use mq_core::ControlPlane;

    let owned = trial.control().list_owned(Some(&queues[0].owner)).await?;
    for queue in queues {
        let resources = trial.lower(queue).resources;
        let unlisted = resources
            .iter()
            .filter(|resource| resource.marker.is_some())
            .find(|resource| !owned.iter().any(|it| it.resource.id == resource.id));
        if let Some(resource) = unlisted {
            return fail(format!("{} is not found by its marker", resource.id));
        }
    }
    Ok(())
}

async fn dead_letters_are_unlinked(trial: &Trial) -> Result<(), Stop> {
    // A retention of their own makes them a queue of their own, on every service.
    let with = [trial.sample(|patch| {
        patch.dead_letter = Setting::Value(DeadLetterPatch {
            max_deliveries: Setting::Value(5),
            retention: Setting::Value(Duration::from_secs(3 * 86_400)),
            ..DeadLetterPatch::default()
        });
    })];
    trial.holds(&with, "dead_letter.retention")?;
    let without = [trial.sample(|patch| patch.dead_letter = Setting::Unstated)];
    trial.provision(&with).await?;
    trial.provision(&without).await?;
    let seen = trial.look(&with).await?;
    let parts = seen
        .iter()
        .filter(|(resource, _)| resource.part == Part::DeadLetter);
    let parts: Vec<_> = parts.collect();
    if let Some((resource, _)) = parts.iter().find(|(_, seen)| seen.present.is_none()) {
        return fail(format!("{} went though nobody asked for it", resource.id));
    }
    if as_wanted(&seen).is_ok() {
        return fail("the queue still points at it");
    }
    if trial.plan(&without).await?.writes() {
        return fail("a run after it still finds something to do");
    }
    let options = PlanOptions {
        prune: true,
        drop_messages: true,
        ..PlanOptions::default()
    };
    trial.provision_with(&without, &options).await?;
    let seen = trial.look(&with).await?;
    let mut left = seen
        .iter()
        .filter(|(resource, seen)| resource.part == Part::DeadLetter && seen.present.is_some());
    match left.next() {
        None => Ok(()),
        Some((resource, _)) => fail(format!(
            "{} is there though its removal was asked for",
            resource.id
        )),
    }
}

/// Two senders and the queue that takes the dead letters of both.
fn sharing(trial: &Trial, senders: &[&str]) -> Vec<ResolvedQueue> {
    let sender = QueueSpec {
        patch: QueuePatch {
            dead_letter: Setting::Value(DeadLetterPatch {
                max_deliveries: Setting::Value(5),
                queue: Setting::Value(DeadLetterQueue::InFile("failures".to_owned())),
                ..DeadLetterPatch::default()
            }),
            ..QueuePatch::default()
        },
        ..QueueSpec::default()
    };
    let mut queues: BTreeMap<String, QueueSpec> = senders
        .iter()
        .map(|name| ((*name).to_owned(), sender.clone()))
        .collect();
    queues.insert("failures".to_owned(), QueueSpec::default());
    trial.resolve(queues)
}

async fn dead_letters_are_shared(trial: &Trial) -> Result<(), Stop> {
    let both = sharing(trial, &["first", "second"]);
    trial.provision(&both).await?;
    as_wanted(&trial.look(&both).await?)?;
    if trial.plan(&both).await?.writes() {
        return fail("a run after it still finds something to do");
    }
    let one = sharing(trial, &["first"]);
    let options = PlanOptions {
        prune: true,
        drop_messages: true,
        ..PlanOptions::default()
    };
    let plan = trial.plan_with(&one, &options).await?;
    let takes = |queue: &str| {
        plan.changes
            .iter()
            .any(|change| change.action == Action::Delete && change.resource.queue == queue)
    };
    if takes("failures") || takes("first") || !takes("second") {
        return fail("the plan does not remove just the queue that the file no longer has");
    }
    trial.provision_with(&one, &options).await?;
    as_wanted(&trial.look(&one).await?)
}
