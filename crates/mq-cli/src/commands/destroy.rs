//! `mq destroy`: removes what the file made.

use mq_core::plan::PlanOptions;

use super::applying::{self, Applying, Ended, worst};
use super::planning::{Planned, Prepared, Purpose, plans, prepare};
use super::{github, showing};
use crate::app::App;
use crate::args::{DestroyArgs, PlanOutput, RemovalArgs, TargetArgs};
use crate::exit::Exit;
use crate::failure::{Findings, Result};
use crate::render::document::{CloudDocument, RunDocument, SCHEMA_VERSION};
use crate::render::plan as render;
use crate::targets::{Input, Scrutiny, Session};

pub(crate) async fn run(app: &App, args: &DestroyArgs) -> Result<Exit> {
    let Prepared {
        input,
        session,
        opened,
        findings,
    } = prepare(
        app,
        &args.target,
        Input::read(app, &args.target.file)?,
        Scrutiny::Finding,
    )
    .await?;
    let planned = plans(
        app,
        &input,
        opened,
        &Purpose::Destroy(options(&args.removal)),
    )
    .await?;
    remove(
        app,
        "destroy",
        &session,
        planned,
        &findings,
        (&args.target, &args.removal),
    )
    .await
}

/// What the flags allow a removal.
pub(crate) fn options(removal: &RemovalArgs) -> PlanOptions {
    PlanOptions {
        drop_messages: removal.drop_messages,
        ..PlanOptions::default()
    }
}

/// Shows what would be removed and, unless it is a dry run, removes it.
pub(crate) async fn remove(
    app: &App,
    command: &'static str,
    session: &Session,
    planned: Vec<Planned>,
    findings: &Findings,
    (target, removal): (&TargetArgs, &RemovalArgs),
) -> Result<Exit> {
    let pending = planned.iter().any(|one| one.plan.pending());
    let document = |exit: Exit, clouds: Vec<CloudDocument<'_>>| {
        app.printer.document(&RunDocument {
            schema_version: SCHEMA_VERSION,
            command: Some(command),
            exit_code: app.interrupt.settle(exit).code(),
            error: None,
            diagnostics: findings.documents(),
            clouds,
        });
    };
    let palette = if removal.dry_run {
        app.printer.result_palette()
    } else {
        app.printer.palette()
    };
    let texts: Vec<String> = planned
        .iter()
        .map(|one| render::plan(&one.plan, palette))
        .collect();
    let text = texts.join("\n");
    if removal.dry_run {
        match removal.output {
            PlanOutput::Json => {
                document(Exit::Done, planned.iter().map(showing::document).collect())
            }
            PlanOutput::Text | PlanOutput::Github => app.printer.result(&text),
        }
        outputs(app, removal, pending, Exit::Done)?;
        return Ok(Exit::Done);
    }
    app.printer.say(&text);
    let how = Applying {
        parallelism: target.parallelism,
        fail_fast: removal.fail_fast,
        yes: removal.yes,
    };
    let ends: Vec<Ended> = applying::apply(app, session, planned, how).await?;
    let exit = worst(&ends);
    if removal.output == PlanOutput::Json {
        document(exit, ends.iter().map(|end| end.document(None)).collect());
    }
    outputs(app, removal, pending, exit)?;
    Ok(exit)
}

fn outputs(app: &App, removal: &RemovalArgs, pending: bool, exit: Exit) -> Result<()> {
    if removal.output != PlanOutput::Github {
        return Ok(());
    }
    let code = exit.code().to_string();
    github::outputs(
        app,
        [
            ("changes", if pending { "true" } else { "false" }),
            ("exitcode", &code),
        ],
    )
}
