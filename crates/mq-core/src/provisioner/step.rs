//! One change, made, whatever an earlier attempt or another run has made of it already.

use std::time::Duration;

use crate::backend::ControlPlane;
use crate::error::{Error, ErrorKind, Result};
use crate::plan::{Action, Change, PlanOptions, diff, recreate};
use crate::provisioner::apply::ApplyOptions;
use crate::provisioner::read_back::{POLL_FIRST, POLL_MAX, VISIBLE_WITHIN};
use crate::queue::Owner;
use crate::resource::{Observed, Resource};

/// Makes one change. What turns out to be there already is ours to go on with if it carries our
/// marker: the answer to an earlier attempt may have been lost, or two runs go at once.
pub(super) async fn perform(
    control: &dyn ControlPlane,
    change: &Change,
    owner: &Owner,
    options: &ApplyOptions,
) -> Result<()> {
    match change.action {
        Action::NoOp => Ok(()),
        Action::Update | Action::Adopt | Action::Delete => control.apply(change).await,
        Action::Create => create(control, change, owner, options).await,
        Action::Replace => {
            let removal = Change {
                action: Action::Delete,
                ..change.clone()
            };
            control.apply(&removal).await?;
            create(control, &recreate(change), owner, options).await
        }
    }
}

async fn create(
    control: &dyn ControlPlane,
    change: &Change,
    owner: &Owner,
    options: &ApplyOptions,
) -> Result<()> {
    let error = match control.apply(change).await {
        Ok(()) => return Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => error,
        Err(error) => return Err(error),
    };
    let Some(observed) = appeared(control, &change.resource, options).await? else {
        return Err(error);
    };
    let now = diff(
        change.resource.clone(),
        observed,
        owner,
        false,
        &PlanOptions::default(),
    );
    if let Some(refusal) = now.refusal {
        return Err(Error::new(
            ErrorKind::Refused,
            format!("it came to be there meanwhile, and {}", refusal.why),
        )
        .with_hint(refusal.hint));
    }
    match now.action {
        Action::Update => control.apply(&now).await,
        _ => Ok(()),
    }
}

/// What is there now; a service that says so may yet take a while to show it.
async fn appeared(
    control: &dyn ControlPlane,
    resource: &Resource,
    options: &ApplyOptions,
) -> Result<Option<Observed>> {
    let clock = &options.clock;
    let end = clock.elapsed() + VISIBLE_WITHIN;
    let mut pause = POLL_FIRST;
    loop {
        let observed = control.observe(&[resource]).await?.pop();
        let observed = observed.filter(|observed| observed.present.is_some());
        let left = end.saturating_sub(clock.elapsed());
        if observed.is_some() || left == Duration::ZERO || options.cancel.is_cancelled() {
            return Ok(observed);
        }
        tokio::select! {
            biased;
            () = options.cancel.cancelled() => {}
            () = clock.sleep(pause.min(left)) => {}
        }
        pause = (pause * 2).min(POLL_MAX);
    }
}
