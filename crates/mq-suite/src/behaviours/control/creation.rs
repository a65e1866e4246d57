//! Making queues, and making them again.

use futures::FutureExt;
use mq_core::resource::{Authority, Endpoint, Lifecycle};
use mq_core::{Action, ErrorKind};

use super::reading::{list, reads};
use super::{behaviour, lasting, of_every_queue};
use crate::behaviour::{Behaviour, Stop};
use crate::trial::{Trial, fail, plans};

pub(super) fn all() -> Vec<Behaviour> {
    vec![
        of_every_queue(
            "created-as-stated",
            "A queue that is provisioned is there with all its parts, and each reads as the file says.",
            40,
            |trial| created_as_stated(trial).boxed(),
        ),
        of_every_queue(
            "second-run-writes-nothing",
            "Provisioning the same file again finds nothing to do.",
            60,
            |trial| second_run_writes_nothing(trial).boxed(),
        ),
        of_every_queue(
            "endpoints-stay",
            "A queue has an endpoint, and a later run finds the same one.",
            60,
            |trial| endpoints_stay(trial).boxed(),
        ),
        of_every_queue(
            "half-made-is-completed",
            "A queue of which only some parts were made is completed by running the same command again.",
            60,
            |trial| half_made_is_completed(trial).boxed(),
        ),
        behaviour(
            "create-spares-what-is-there",
            "Creating a queue whose name was taken in the meantime changes nothing about the one that is there.",
            60,
            |trial| create_spares_what_is_there(trial).boxed(),
        ),
    ]
}

async fn created_as_stated(trial: &Trial) -> Result<(), Stop> {
    let queues = trial.queues();
    let before = trial.look(&queues).await?;
    if let Some((resource, _)) = before.iter().find(|(_, seen)| seen.present.is_some()) {
        return fail(format!("{} was there before it was made", resource.id));
    }
    trial.provision(&queues).await?;
    let is_written = |authority: &Authority| !matches!(authority, Authority::Unlink(_));
    reads(&trial.look(&queues).await?, is_written)
}

async fn second_run_writes_nothing(trial: &Trial) -> Result<(), Stop> {
    let queues = trial.queues();
    trial.provision(&queues).await?;
    let again = trial.plan(&queues).await?;
    match again
        .changes
        .iter()
        .find(|change| change.action != Action::NoOp || change.refusal.is_some())
    {
        None => Ok(()),
        Some(change) => fail(format!(
            "the second run would {:?} {}: {}",
            change.action,
            change.resource.id,
            list(change),
        )),
    }
}

async fn endpoints_stay(trial: &Trial) -> Result<(), Stop> {
    let queues = trial.queues();
    let first = trial.provision(&queues).await?.endpoints;
    for queue in &queues {
        let has_address =
            |endpoint: &&Endpoint| endpoint.queue == queue.logical && !endpoint.address.is_empty();
        if !first.iter().any(|endpoint| has_address(&endpoint)) {
            return fail(format!("the queue `{}` has no endpoint", queue.logical));
        }
    }
    let again = trial.provision(&queues).await?.endpoints;
    if first == again {
        return Ok(());
    }
    fail(format!("the endpoints were {first:?} and became {again:?}"))
}

async fn half_made_is_completed(trial: &Trial) -> Result<(), Stop> {
    let queues = trial.queues();
    trial.remember(&queues);
    let mut half = trial.plan(&queues).await?;
    if half.changes.len() < 2 {
        return Err(Stop::Skipped(
            "a queue is a single resource here and cannot be half made".into(),
        ));
    }
    half.changes.truncate(1);
    let made = trial.apply(&half).await?.applied();
    let halfway = trial.look(&queues).await?;
    if made != 1 || halfway.iter().all(|(_, seen)| seen.present.is_some()) {
        return fail(format!(
            "{made} of its parts were made, and it is whole or not begun"
        ));
    }
    trial.provision(&queues).await?;
    let missing = trial.look(&queues).await?;
    match missing.iter().find(|(_, seen)| seen.present.is_none()) {
        None => Ok(()),
        Some((resource, _)) => fail(format!("{} was not made by the second run", resource.id)),
    }
}

async fn create_spares_what_is_there(trial: &Trial) -> Result<(), Stop> {
    let [theirs, ours] = [45, 55].map(|seconds| [trial.sample(lasting(seconds))]);
    trial.holds(&theirs, "visibility_timeout")?;
    trial.remember(&theirs);
    let late = trial.plan(&ours).await?;
    trial.provision(&theirs).await?;
    let before = trial.look(&theirs).await?;
    let creations = late.changes.iter().filter(|change| {
        change.action == Action::Create && change.resource.lifecycle == Lifecycle::Managed
    });
    for creation in creations {
        match trial.by_hand(creation).await {
            Err(Stop::Broken(error)) if error.kind() == ErrorKind::AlreadyExists => {}
            // A service may take it for done where the two are the same.
            ended => ended?,
        }
    }
    if trial.look(&theirs).await? != before {
        return fail("what was there is not as it was");
    }
    if !plans(&trial.plan(&ours).await?, Action::Update) {
        return fail("a run after it does not see that the queue has another value");
    }
    Ok(())
}
