//! Whose a queue is, and what may be done to one that is not ours.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use mq_core::plan::RefusalKind;
use mq_core::queue::{Ordering, OriginHash};
use mq_core::resource::Lifecycle;
use mq_core::spec::{QueuePatch, Setting};
use mq_core::{Change, ControlPlane, ErrorKind, Plan, PlanOptions, ResolvedQueue};
use tokio_util::sync::CancellationToken;

use super::reading::as_wanted;
use super::{behaviour, lasting, make_unmarked, of_every_queue};
use crate::behaviour::{Behaviour, Need, Stop};
use crate::trial::{Trial, fail};

pub(super) fn all() -> Vec<Behaviour> {
    vec![
        behaviour(
            "wrong-account-is-refused",
            "A cloud whose account is not the one that the file states is refused.",
            2,
            |trial| wrong_account_is_refused(trial).boxed(),
        )
        .needing(&[Need::StatedIdentity]),
        of_every_queue(
            "marker-names-the-owner",
            "Every part that is made carries whose it is, which queue it belongs to, and when it expires.",
            40,
            |trial| marker_names_the_owner(trial).boxed(),
        ),
        behaviour(
            "unmarked-is-left-alone",
            "A queue of that name that carries no marker is left as it is unless its adoption is asked for.",
            80,
            |trial| unmarked_is_left_alone(trial).boxed(),
        ),
        behaviour(
            "adopt-keeps-the-unstated",
            "Adopting a queue gives it the marker and what the file states, and keeps everything else.",
            90,
            |trial| adopt_keeps_the_unstated(trial).boxed(),
        ),
        behaviour(
            "foreign-is-refused",
            "A queue of another stack, another stage or another origin is neither changed nor removed.",
            170,
            |trial| foreign_is_refused(trial).boxed(),
        ),
        behaviour(
            "unmanaged-is-never-written",
            "A queue that someone else manages is never made, changed or removed.",
            80,
            |trial| unmanaged_is_never_written(trial).boxed(),
        ),
        behaviour(
            "protected-is-kept",
            "A protected queue is not removed, and is not replaced even where that is asked for.",
            90,
            |trial| protected_is_kept(trial).boxed(),
        ),
    ]
}

async fn wrong_account_is_refused(trial: &Trial) -> Result<(), Stop> {
    let subject = trial.subject();
    let Some(identity) = subject.backend.info().identity else {
        return fail("the backend names no setting for it");
    };
    let mut target = subject.target.clone();
    let real = target
        .text(identity)
        .unwrap_or_else(|| subject.scope.label.clone());
    let wrong = if real.contains("999999999999") {
        "888888888888"
    } else {
        "999999999999"
    };
    target.settings.insert(identity.to_owned(), wrong.into());
    let access = subject.access.insisting_on_identity();
    let backend = subject.factory.create(&target, &access)?;
    let control = subject.control_of(Arc::clone(&backend), CancellationToken::new());
    match control.identify().await {
        Err(error) if error.kind() == ErrorKind::Refused => Ok(()),
        Err(error) => Err(error.into()),
        Ok(scope) => fail(format!(
            "{identity} {wrong} was stated, and {} was accepted",
            scope.label
        )),
    }
}

async fn marker_names_the_owner(trial: &Trial) -> Result<(), Stop> {
    let queues = trial.queues();
    trial.provision(&queues).await?;
    carries_its_marker(trial, &queues).await
}

async fn carries_its_marker(trial: &Trial, queues: &[ResolvedQueue]) -> Result<(), Stop> {
    for (resource, observed) in trial.look(queues).await? {
        let seen = observed.present.and_then(|present| present.marker);
        if resource.lifecycle == Lifecycle::Managed && resource.marker.is_none() {
            return fail(format!("{} is to carry no marker", resource.id));
        }
        if seen != resource.marker {
            return fail(format!("{} carries {seen:?}", resource.id));
        }
    }
    Ok(())
}

async fn unmarked_is_left_alone(trial: &Trial) -> Result<(), Stop> {
    let theirs = trial.sample(lasting(45));
    make_unmarked(trial, &theirs).await?;
    let ours = [trial.sample(lasting(55))];
    leaves_alone(trial, &ours, RefusalKind::NotAdopted).await?;
    let removal = trial.plan_destroy(&ours).await?;
    nothing_comes_of(trial, &ours, &removal).await
}

/// Insists that every managed part is refused for this reason, and that applying all the same
/// changes nothing.
async fn leaves_alone(
    trial: &Trial,
    queues: &[ResolvedQueue],
    kind: RefusalKind,
) -> Result<(), Stop> {
    let plan = trial.plan(queues).await?;
    for change in plan.changes.iter().filter(|change| is_managed(change)) {
        if change.refusal.as_ref().map(|refusal| refusal.kind) != Some(kind) {
            return fail(format!(
                "the plan would {:?} {} ({})",
                change.action,
                change.resource.id,
                super::reading::list(change)
            ));
        }
    }
    nothing_comes_of(trial, queues, &plan).await
}

async fn nothing_comes_of(
    trial: &Trial,
    queues: &[ResolvedQueue],
    plan: &Plan,
) -> Result<(), Stop> {
    let before = trial.look(queues).await?;
    trial.apply(plan).await?;
    if trial.look(queues).await? == before {
        return Ok(());
    }
    fail("what was there is not as it was")
}

fn is_managed(change: &Change) -> bool {
    change.resource.lifecycle == Lifecycle::Managed
}

async fn adopt_keeps_the_unstated(trial: &Trial) -> Result<(), Stop> {
    let retention = Setting::Value(Duration::from_secs(3 * 86_400));
    let theirs = trial.sample(|patch| {
        lasting(45)(patch);
        patch.retention = retention;
    });
    make_unmarked(trial, &theirs).await?;
    let ours = [trial.sample(lasting(55))];
    let options = PlanOptions {
        adopt: true,
        ..PlanOptions::default()
    };
    trial.provision_with(&ours, &options).await?;
    carries_its_marker(trial, &ours).await?;
    let kept = trial.sample(|patch| {
        lasting(55)(patch);
        patch.retention = Setting::Value(Duration::from_secs(3 * 86_400));
    });
    as_wanted(&trial.look(&[kept]).await?)?;
    match trial.plan(&ours).await?.writes() {
        false => Ok(()),
        true => fail("a run after it still finds something to do"),
    }
}

async fn foreign_is_refused(trial: &Trial) -> Result<(), Stop> {
    let ours = trial.sample(lasting(45));
    trial.provision(std::slice::from_ref(&ours)).await?;
    let stranger = |change: fn(&mut ResolvedQueue)| {
        let mut queue = trial.sample(lasting(55));
        change(&mut queue);
        [queue]
    };
    let strangers = [
        (
            stranger(|queue| queue.owner.stack.push('x')),
            RefusalKind::NotOurs,
        ),
        (
            // Derived from the trial's own: any other stage may be somebody's.
            stranger(|queue| queue.owner.stage.get_or_insert_default().push('b')),
            RefusalKind::NotOurs,
        ),
        (
            stranger(|queue| queue.owner.origin = Some(OriginHash::of("another repository"))),
            RefusalKind::OtherOrigin,
        ),
    ];
    for (theirs, kind) in strangers {
        leaves_alone(trial, &theirs, kind).await?;
        let removal = trial.plan_destroy(&theirs).await?;
        nothing_comes_of(trial, &theirs, &removal).await?;
    }
    Ok(())
}

async fn unmanaged_is_never_written(trial: &Trial) -> Result<(), Stop> {
    let ours = trial.sample(lasting(45));
    let mut theirs = trial.sample(lasting(55));
    theirs.managed = false;
    let theirs = [theirs];
    trial.remember(std::slice::from_ref(&ours));
    let plan = trial.plan(&theirs).await?;
    if plan.changes.iter().any(Change::writes) {
        return fail("the plan would make it");
    }
    trial.provision(std::slice::from_ref(&ours)).await?;
    let plan = trial.plan(&theirs).await?;
    nothing_comes_of(trial, &theirs, &plan).await?;
    let removal = trial.plan_destroy(&theirs).await?;
    nothing_comes_of(trial, &theirs, &removal).await?;
    if plan.changes.iter().any(Change::drifts_unmanaged) {
        return Ok(());
    }
    fail("the plan does not see that it is not as the file says")
}

async fn protected_is_kept(trial: &Trial) -> Result<(), Stop> {
    let protected = |change: &dyn Fn(&mut QueuePatch)| {
        let mut queue = trial.sample(|patch| {
            lasting(45)(patch);
            change(patch);
        });
        queue.protect = true;
        [queue]
    };
    let queues = protected(&|_| {});
    trial.provision(&queues).await?;
    let removal = trial.plan_destroy(&queues).await?;
    removes_nothing(&removal)?;
    nothing_comes_of(trial, &queues, &removal).await?;
    // Order is fixed at creation wherever it is not another queue altogether.
    let other = protected(&|patch| patch.ordering = Setting::Value(Ordering::PerKey));
    trial.remember(&other);
    let options = PlanOptions {
        replace: [other[0].logical.clone()].into(),
        drop_messages: true,
        ..PlanOptions::default()
    };
    let replacement = trial.plan_with(&other, &options).await?;
    removes_nothing(&replacement)?;
    nothing_comes_of(trial, &queues, &replacement).await
}

fn removes_nothing(plan: &Plan) -> Result<(), Stop> {
    let removes = |change: &&Change| change.removes() && change.refusal.is_none();
    match plan.changes.iter().find(removes) {
        None => Ok(()),
        Some(change) => fail(format!("the plan would remove {}", change.resource.id)),
    }
}
