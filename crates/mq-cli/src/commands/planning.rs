//! Plans for every target of a command, made before anything is written.

use std::sync::Arc;

use futures::future::join_all;
use mq_core::provisioner::{self, Request};
use mq_core::{Diagnostic, Plan, PlanOptions, Target};

use crate::app::App;
use crate::args::{AllowArgs, TargetArgs};
use crate::failure::{Failure, Findings, Result};
use crate::targets::{
    Input, Opened, Scrutiny, Session, all_or_none, create_backends, open, reading,
};

/// A target with what would be done on it.
#[derive(Debug)]
pub(crate) struct Planned {
    pub(crate) opened: Opened,
    pub(crate) plan: Plan,
}

/// The targets of a command, opened, with what was found on the way.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) input: Input,
    pub(crate) session: Session,
    pub(crate) opened: Vec<Opened>,
    pub(crate) findings: Findings,
}

/// Chooses the targets of this file and proves each of them. Warnings are told.
pub(crate) async fn prepare(
    app: &App,
    args: &TargetArgs,
    input: Input,
    scrutiny: Scrutiny,
) -> Result<Prepared> {
    let targets = input.targets(app, &args.file.clouds)?;
    let session = Session::begin(app, args).await?;
    let unopened = create_backends(app, &input, targets, &session.access)?;
    let (opened, verdicts) = open(app, &input, &session, unopened, scrutiny).await?;
    let mut diagnostics: Vec<Diagnostic> = input.diagnostics.clone();
    diagnostics.extend(verdicts);
    let findings = Findings {
        file: input.file.clone(),
        diagnostics,
        source: Arc::clone(&input.source),
    };
    app.printer.findings(&findings);
    Ok(Prepared {
        input,
        session,
        opened,
        findings,
    })
}

/// Which plans are made.
#[derive(Debug, Clone)]
pub(crate) enum Purpose {
    /// Make the queues as the file says.
    Provision(PlanOptions),
    /// Remove what the file made.
    Destroy(PlanOptions),
    /// Remove what expired by this time, in seconds since 1970.
    Collect(PlanOptions, u64),
}

/// What is there, as the plan that would make it what the file says: for looking only.
pub(crate) async fn as_it_is(app: &App, args: &TargetArgs) -> Result<(Vec<Planned>, Findings)> {
    let input = Input::read(app, &args.file)?;
    let Prepared {
        input,
        opened,
        findings,
        ..
    } = prepare(app, args, input, Scrutiny::Finding).await?;
    let purpose = Purpose::Provision(PlanOptions::default());
    let planned = plans(app, &input, opened, &purpose).await?;
    Ok((planned, findings))
}

/// A plan for every target, or none.
pub(crate) async fn plans(
    app: &App,
    input: &Input,
    opened: Vec<Opened>,
    purpose: &Purpose,
) -> Result<Vec<Planned>> {
    let targets: Vec<Target> = opened.iter().map(|one| one.target.clone()).collect();
    let plans = join_all(opened.into_iter().map(|one| plan(app, input, one, purpose))).await;
    all_or_none(&targets, plans)
}

async fn plan(app: &App, input: &Input, opened: Opened, purpose: &Purpose) -> Result<Planned> {
    let owner = input.owner();
    let request = Request {
        target: &opened.target.name,
        backend: &opened.target.backend,
        scope: &opened.scope,
        owner: &owner,
        queues: &opened.queues,
        whole_file: input.whole_file(),
    };
    let control = &opened.control;
    let (plan, unlisted) = match purpose {
        Purpose::Provision(options) => (
            reading(app, provisioner::plan(control, &request, options)).await,
            false,
        ),
        Purpose::Destroy(options) => {
            match reading(app, provisioner::plan_destroy(control, &request, options)).await {
                Ok((plan, unlisted)) => (Ok(plan), unlisted),
                Err(error) => (Err(error), false),
            }
        }
        Purpose::Collect(options, now) => (
            reading(
                app,
                provisioner::plan_collection(control, &request, *now, options),
            )
            .await,
            false,
        ),
    };
    let plan =
        plan.map_err(|error| Failure::of(format_args!("plan for {}", opened.target.name), &error))?;
    tracing::debug!(cloud = plan.target, resources = plan.changes.len(), tally = ?plan.tally(), "planned");
    if unlisted {
        app.printer.warning(
            &format!(
                "{}: what is ours and no longer in the file cannot be listed",
                opened.target.name
            ),
            Some("give these credentials the right to list queues, or look for leftovers by hand"),
        );
    }
    Ok(Planned { opened, plan })
}

/// What the flags allow.
pub(crate) fn options(allow: &AllowArgs, input: &Input) -> Result<PlanOptions> {
    let known = |queue: &&String| !input.spec.queues.contains_key(*queue);
    if let Some(unknown) = allow.replace.iter().find(known) {
        return Err(Failure::usage(format!(
            "`--replace {unknown}` names no queue of {}",
            input.file
        )));
    }
    Ok(PlanOptions {
        adopt: allow.adopt,
        replace: allow.replace.iter().cloned().collect(),
        prune: allow.prune,
        drop_messages: allow.drop_messages,
    })
}
