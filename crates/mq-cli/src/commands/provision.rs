//! `mq provision`: plan, apply, read back, and print where the queues are.

use std::path::Path;

use mq_core::plan::PlanOptions;
use mq_core::{ControlPlane, Plan, Target};

use super::applying::{self, Applying, Ended, worst};
use super::endpoint::{can_print, of_role, print};
use super::planning::{Planned, Prepared, Purpose, options, plans, prepare};
use super::{github, saved};
use crate::app::App;
use crate::args::{EndpointOutput, ProvisionArgs};
use crate::exit::Exit;
use crate::failure::{CloudEnd, Failure, Findings, Result};
use crate::render::document::{CloudOutcome, RunDocument, SCHEMA_VERSION};
use crate::render::endpoints::Placed;
use crate::render::{markdown, plan as render};
use crate::targets::{Input, Scrutiny, Session, identify_all, unopened};

pub(crate) async fn run(app: &App, args: &ProvisionArgs) -> Result<Exit> {
    let (session, planned, findings) = match &args.plan {
        Some(file) => from_file(app, args, file).await?,
        None => from_spec(app, args).await?,
    };
    can_print(&args.show, &places(&planned))?;
    show_plans(app, args, &planned)?;
    let how = Applying {
        parallelism: args.target.parallelism,
        fail_fast: args.fail_fast,
        yes: args.yes,
    };
    let ends = applying::apply(app, &session, planned, how).await?;
    let exit = worst(&ends);
    report(app, args, &ends, &findings, exit)?;
    Ok(exit)
}

async fn from_spec(app: &App, args: &ProvisionArgs) -> Result<(Session, Vec<Planned>, Findings)> {
    let input = Input::read(app, &args.target.file)?;
    let purpose = Purpose::Provision(options(&args.allow, &input)?);
    let scrutiny = Scrutiny::making(args.target.file.strict);
    let Prepared {
        input,
        session,
        opened,
        findings,
    } = prepare(app, &args.target, input, scrutiny).await?;
    let planned = plans(app, &input, opened, &purpose).await?;
    Ok((session, planned, findings))
}

/// The plans of a file, on clouds that are still as they saw them.
async fn from_file(
    app: &App,
    args: &ProvisionArgs,
    file: &Path,
) -> Result<(Session, Vec<Planned>, Findings)> {
    let saved = saved::read(file)?;
    if saved.emulated != args.target.emulator {
        let (made, hint) = if saved.emulated {
            ("against the emulator", "add `--emulator`")
        } else {
            ("against the clouds themselves", "take `--emulator` away")
        };
        return Err(Failure::usage(format!("{} was made {made}", file.display())).with_hint(hint));
    }
    let session = Session::begin(app, &args.target).await?;
    let targets: Vec<Target> = saved
        .clouds
        .iter()
        .map(|cloud| cloud.target.clone())
        .collect();
    let opened = identify_all(app, &session, unopened(app, &targets, &session.access)?).await?;
    let mut planned = Vec::new();
    let mut ends = Vec::new();
    for (cloud, opened) in saved.clouds.into_iter().zip(opened) {
        let mut one = Planned {
            opened,
            plan: cloud.plan,
        };
        let failure = check(&mut one, &cloud.options).await;
        ends.push(CloudEnd {
            target: cloud.target.name,
            backend: cloud.target.backend,
            failure,
        });
        planned.push(one);
    }
    if ends.iter().any(|end| end.failure.is_some()) {
        return Err(Failure::before_writing(ends));
    }
    Ok((session, planned, Findings::default()))
}

/// Why a saved plan no longer says what would happen, if it does not.
async fn check(planned: &mut Planned, options: &PlanOptions) -> Option<Failure> {
    let Planned { opened, plan } = planned;
    if opened.scope != plan.scope {
        let place = |plan: &Plan| render::place(&plan.target, &plan.scope);
        let there = render::place(&opened.target.name, &opened.scope);
        return Some(
            Failure::new(
                Exit::Refused,
                format!("the plan is for {}, and this is {there}", place(plan)),
            )
            .with_hint("use the credentials that the plan was made with, or plan again"),
        );
    }
    let control: &dyn ControlPlane = &opened.control;
    match saved::still_holds(control, plan, options).await {
        Ok(moved) => moved,
        Err(error) => Some(Failure::of(
            format_args!("read {} again", plan.target),
            &error,
        )),
    }
}

fn places(planned: &[Planned]) -> Vec<(&str, &str)> {
    let mut places: Vec<(&str, &str)> = planned
        .iter()
        .flat_map(|one| {
            let wanted = one
                .plan
                .changes
                .iter()
                .filter(|change| change.action != mq_core::Action::Delete);
            wanted.map(|change| (one.plan.target.as_str(), change.resource.queue.as_str()))
        })
        .collect();
    places.sort_unstable();
    places.dedup();
    places
}

fn show_plans(app: &App, args: &ProvisionArgs, planned: &[Planned]) -> Result<()> {
    let all: Vec<&Plan> = planned.iter().map(|one| &one.plan).collect();
    let reports = args.reports.iter().map(|report| report.file.as_path());
    github::report(app, reports, &markdown::plans(&all))?;
    let palette = app.printer.palette();
    let texts: Vec<String> = all.iter().map(|plan| render::plan(plan, palette)).collect();
    app.printer.say(&format!("{}\n", texts.join("\n")));
    Ok(())
}

fn report(
    app: &App,
    args: &ProvisionArgs,
    ends: &[Ended],
    findings: &Findings,
    exit: Exit,
) -> Result<()> {
    let all: Vec<Placed> = ends.iter().flat_map(Ended::placed).collect();
    if args.show.output == EndpointOutput::Json {
        let shown = of_role(&all, &args.show);
        app.printer.document(&RunDocument {
            schema_version: SCHEMA_VERSION,
            command: Some("provision"),
            exit_code: app.interrupt.settle(exit).code(),
            error: None,
            diagnostics: findings.documents(),
            clouds: ends.iter().map(|end| end.document(Some(&shown))).collect(),
        });
        return Ok(());
    }
    // What failed is told already; `--raw` has nothing to add to it.
    if exit == Exit::Done || !args.show.raw {
        print(app, &args.show, all)?;
    }
    if args.show.output == EndpointOutput::Github {
        let changed = ends.iter().any(|end| {
            matches!(
                end.cloud,
                CloudOutcome::Applied | CloudOutcome::Partial | CloudOutcome::Mismatch
            )
        });
        let code = exit.code().to_string();
        github::outputs(
            app,
            [
                ("changes", if changed { "true" } else { "false" }),
                ("exitcode", &code),
            ],
        )?;
    }
    Ok(())
}
