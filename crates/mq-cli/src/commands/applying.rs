//! Plans, executed on all targets at once, and what became of each.

use std::sync::Arc;

use futures::future::join_all;
use mq_core::plan::Action;
use mq_core::provisioner::{
    self, ApplyOptions, ChangeResult, ChangeState, Finding, FindingKind, Outcome,
};
use tokio_util::sync::CancellationToken;

use super::planning::Planned;
use crate::app::App;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::render::document::{CloudDocument, CloudOutcome, EndpointDocument};
use crate::render::endpoints::Placed;
use crate::render::text::count;
use crate::targets::Session;

/// How plans are executed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Applying {
    pub(crate) parallelism: u16,
    pub(crate) fail_fast: bool,
    pub(crate) yes: bool,
}

/// What became of one target.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) planned: Planned,
    pub(crate) cloud: CloudOutcome,
    pub(crate) exit: Exit,
    pub(crate) failure: Option<Failure>,
    pub(crate) outcome: Outcome,
}

impl Ended {
    fn without_work(planned: Planned, cloud: CloudOutcome, failure: Option<Failure>) -> Self {
        let exit = failure.as_ref().map_or(Exit::Done, |failure| failure.exit);
        Ended {
            planned,
            cloud,
            exit,
            failure,
            outcome: Outcome::default(),
        }
    }

    /// Its endpoints, with the target's name.
    pub(crate) fn placed(&self) -> Vec<Placed> {
        let target = &self.planned.plan.target;
        let placed = |endpoint: &mq_core::resource::Endpoint| Placed {
            target: target.clone(),
            endpoint: endpoint.clone(),
        };
        self.outcome.endpoints.iter().map(placed).collect()
    }

    /// Its part of the document.
    pub(crate) fn document<'a>(&'a self, endpoints: Option<&'a [Placed]>) -> CloudDocument<'a> {
        let plan = &self.planned.plan;
        let of_this = |placed: &&Placed| placed.target == plan.target;
        CloudDocument {
            cloud: &plan.target,
            backend: &plan.backend,
            scope: Some(&plan.scope),
            outcome: self.cloud,
            exit_code: self.exit.code(),
            error: self.failure.as_ref().map(Failure::document),
            plan: Some(plan.into()),
            results: Some(self.outcome.results.iter().map(Into::into).collect()),
            findings: Some(&self.outcome.findings),
            endpoints: endpoints.map(|endpoints| {
                endpoints
                    .iter()
                    .filter(of_this)
                    .map(EndpointDocument::from)
                    .collect()
            }),
        }
    }
}

/// The worst end of them all.
pub(crate) fn worst(ends: &[Ended]) -> Exit {
    ends.iter()
        .fold(Exit::Done, |exit, end| exit.worse(end.exit))
}

/// Asks, where it must be asked, and then executes every plan that nothing in it forbids.
pub(crate) async fn apply(
    app: &App,
    session: &Session,
    planned: Vec<Planned>,
    how: Applying,
) -> Result<Vec<Ended>> {
    confirm(app, &planned, how.yes).await?;
    let any_refused = planned
        .iter()
        .any(|one| one.plan.refusals().next().is_some());
    let stop = app.interrupt.token().child_token();
    if how.fail_fast && any_refused {
        stop.cancel();
    }
    let ends = join_all(
        planned
            .into_iter()
            .map(|one| apply_one(app, session, one, how, &stop)),
    )
    .await;
    for end in &ends {
        tell(app, end);
    }
    Ok(ends)
}

/// Creating and updating in place need no question; what takes something away, or takes something
/// over, does.
async fn confirm(app: &App, planned: &[Planned], yes: bool) -> Result<()> {
    let asks = |one: &&Planned| {
        let grave = |action| matches!(action, Action::Replace | Action::Delete | Action::Adopt);
        one.plan.refusals().next().is_none()
            && one
                .plan
                .changes
                .iter()
                .any(|change| change.writes() && grave(change.action))
    };
    let places: Vec<&str> = planned
        .iter()
        .filter(asks)
        .map(|one| one.plan.target.as_str())
        .collect();
    if yes || places.is_empty() {
        return Ok(());
    }
    let places = places.join(", ");
    let refuse = |what: String| Failure::new(Exit::Refused, what);
    if !app.printer.interactive() {
        return Err(refuse(format!(
            "nothing was written: queues on {places} would be destroyed, replaced or adopted"
        ))
        .because("nobody can be asked here")
        .with_hint("look at the plan, then add `--yes`"));
    }
    let printer = app.printer.clone();
    let question = format!("Shall these changes be made on {places}?");
    let answer = tokio::task::spawn_blocking(move || printer.confirm(&question));
    let cancel = app.interrupt.token();
    let confirmed = tokio::select! {
        answer = answer => matches!(answer, Ok(Ok(true))),
        () = cancel.cancelled() => return Err(Failure::new(Exit::Interrupted, "nothing was written")),
    };
    if confirmed {
        Ok(())
    } else {
        Err(refuse(
            "nothing was written: the answer was not `yes`".to_owned(),
        ))
    }
}

async fn apply_one(
    app: &App,
    session: &Session,
    planned: Planned,
    how: Applying,
    stop: &CancellationToken,
) -> Ended {
    if let Some(failure) = refusals(&planned) {
        return Ended::without_work(planned, CloudOutcome::Refused, Some(failure));
    }
    let options = ApplyOptions {
        parallelism: how.parallelism.into(),
        cancel: stop.clone(),
        clock: Arc::clone(&session.clock),
    };
    let progress = &planned.opened.progress;
    progress.begin(&planned.plan);
    let outcome = provisioner::apply(
        &planned.opened.control,
        &planned.plan,
        &options,
        &**progress,
    )
    .await;
    progress.end();
    let by_user = app.interrupt.token().is_cancelled();
    let (cloud, exit) = judge(&outcome, by_user);
    if how.fail_fast && exit != Exit::Done {
        stop.cancel();
    }
    let well = matches!(cloud, CloudOutcome::Applied | CloudOutcome::Unchanged);
    let failure = (!well).then(|| failure(&planned.plan.target, &outcome, cloud, exit));
    Ended {
        planned,
        cloud,
        exit,
        failure,
        outcome,
    }
}

/// How a target ended, from what became of its changes.
fn judge(outcome: &Outcome, interrupted_by_user: bool) -> (CloudOutcome, Exit) {
    let failed = outcome.failures().fold(Exit::Done, |exit, (_, error)| {
        exit.worse(Exit::from(error.kind()))
    });
    let applied = outcome.applied();
    if outcome.interrupted && interrupted_by_user {
        return (CloudOutcome::Interrupted, Exit::Interrupted);
    }
    if outcome.partial() {
        return match (applied, failed) {
            // Only `--fail-fast` ends here, and the cloud that failed has the code.
            (0, Exit::Done) => (CloudOutcome::NotStarted, Exit::Done),
            (0, failed) => (CloudOutcome::Failed, failed),
            (_, _) => (CloudOutcome::Partial, Exit::Partial),
        };
    }
    if outcome
        .findings
        .iter()
        .any(|finding| finding.kind == FindingKind::Different)
    {
        return (CloudOutcome::Mismatch, Exit::Mismatch);
    }
    if let Some(error) = &outcome.unproved {
        return (CloudOutcome::Failed, Exit::from(error.kind()));
    }
    let cloud = if applied == 0 {
        CloudOutcome::Unchanged
    } else {
        CloudOutcome::Applied
    };
    (cloud, Exit::Done)
}

/// The refused changes of a target as one failure: nothing is written there.
fn refusals(planned: &Planned) -> Option<Failure> {
    let mut reasons = Vec::new();
    let mut hints: Vec<&str> = Vec::new();
    for (resource, refusal) in planned.plan.refusals() {
        reasons.push(format!("{}: {}", resource.id, refusal.why));
        if !hints.contains(&refusal.hint.as_str()) {
            hints.push(&refusal.hint);
        }
    }
    if reasons.is_empty() {
        return None;
    }
    let what = format!(
        "{}: nothing was written there, with {}",
        planned.plan.target,
        count(reasons.len(), "refused change")
    );
    Some(
        Failure::new(Exit::Refused, what)
            .because(reasons.join("\n"))
            .with_hint(hints.join("\n")),
    )
}

/// What became of a target that did not end well, in one line and how to go on.
fn failure(target: &str, outcome: &Outcome, cloud: CloudOutcome, exit: Exit) -> Failure {
    const AGAIN: &str = "run the same command again: it goes on from what is there";
    let applied = outcome.applied();
    let all = count(outcome.results.len(), "change");
    let done = format!("{applied} of {all} made");
    match cloud {
        CloudOutcome::Interrupted => {
            Failure::new(exit, format!("{target}: interrupted, {done}")).with_hint(AGAIN)
        }
        CloudOutcome::NotStarted => Failure::new(
            exit,
            format!("{target}: not begun, since another cloud failed"),
        )
        .with_hint(AGAIN),
        CloudOutcome::Partial => {
            Failure::new(exit, format!("{target}: only {done}")).with_hint(AGAIN)
        }
        CloudOutcome::Mismatch => Failure::new(
            exit,
            format!("{target}: {done}, and the cloud did not do what was asked"),
        ),
        _ if outcome.unproved.is_some() => Failure::new(
            exit,
            format!("{target}: {done}, and it could not be read back"),
        ),
        _ => Failure::new(exit, format!("{target}: {done}")),
    }
}

/// Tells what became of a target: each failure with its reason, each difference, the sum.
fn tell(app: &App, end: &Ended) {
    let target = &end.planned.plan.target;
    for (result, error) in end.outcome.failures() {
        app.printer.failure(&Failure::of(
            format_args!("{} {} on {target}", verb(result), result.resource),
            error,
        ));
    }
    for finding in &end.outcome.findings {
        tell_finding(app, target, finding);
    }
    if let Some(error) = &end.outcome.unproved {
        app.printer
            .failure(&Failure::of(format_args!("read back from {target}"), error));
    }
    if let Some(failure) = &end.failure {
        app.printer.failure(failure);
    } else if end.outcome.applied() > 0 {
        let applied = count(end.outcome.applied(), "change");
        app.printer
            .note(format_args!("{target}: {applied} made and read back"));
    }
    let skipped = |result: &&ChangeResult| matches!(result.state, ChangeState::NotAttempted(_));
    for result in end.outcome.results.iter().filter(skipped) {
        if let ChangeState::NotAttempted(why) = &result.state {
            app.printer.note(format_args!(
                "{target}: did not {} {}: {why}",
                verb(result),
                result.resource
            ));
        }
    }
}

fn tell_finding(app: &App, target: &str, finding: &Finding) {
    let value = |value: &Option<mq_core::Value>| {
        value
            .as_ref()
            .map_or("nothing".to_owned(), ToString::to_string)
    };
    let what = finding.attribute.as_deref().map_or_else(
        || format!("{target}: {}", finding.resource),
        |attribute| format!("{target}: {}: {attribute}", finding.resource),
    );
    match finding.kind {
        FindingKind::NotYetVisible { within_seconds } => app.printer.warning(
            &format!("{what} does not show yet; the service says that this takes up to {within_seconds} s"),
            None,
        ),
        FindingKind::Different => {
            let text = format!("{what} was written as {}, and reads {}", value(&finding.wanted), value(&finding.seen));
            app.printer.failure(&Failure::new(Exit::Mismatch, text));
        }
    }
}

fn verb(result: &ChangeResult) -> &'static str {
    match result.action {
        Action::Create => "create",
        Action::Update => "update",
        Action::Replace => "replace",
        Action::Adopt => "adopt",
        Action::Delete => "destroy",
        Action::NoOp => "leave",
    }
}

#[cfg(test)]
mod tests;
