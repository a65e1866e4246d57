//! `mq plan`: what provision would do.

use super::planning::{Planned, Prepared, Purpose, options, plans, prepare};
use super::{github, saved};
use crate::app::App;
use crate::args::{PlanArgs, PlanOutput};
use crate::exit::Exit;
use crate::failure::Result;
use crate::render::document::{CloudDocument, CloudOutcome, RunDocument, SCHEMA_VERSION};
use crate::render::markdown;
use crate::render::plan as render;
use crate::targets::{Input, Scrutiny};

pub(crate) async fn run(app: &App, args: &PlanArgs) -> Result<Exit> {
    let input = Input::read(app, &args.target.file)?;
    let allowed = options(&args.allow, &input)?;
    let scrutiny = Scrutiny::making(args.target.file.strict);
    let Prepared {
        input,
        opened,
        findings,
        ..
    } = prepare(app, &args.target, input, scrutiny).await?;
    let planned = plans(app, &input, opened, &Purpose::Provision(allowed.clone())).await?;

    let pending = planned.iter().any(|one| one.plan.pending());
    let detailed = if pending {
        Exit::ChangesPending
    } else {
        Exit::Done
    };
    let exit = match args.output {
        // The step goes on, and reads `changes` and `exitcode`.
        PlanOutput::Github => Exit::Done,
        PlanOutput::Text | PlanOutput::Json if args.detailed_exitcode => detailed,
        PlanOutput::Text | PlanOutput::Json => Exit::Done,
    };
    if let Some(file) = &args.save {
        saved::write(file, &planned, &allowed, args.target.emulator)?;
        app.printer.note(format_args!(
            "saved the plan; apply it with `mq provision {}`",
            file.display()
        ));
    }
    let reports = args.reports.iter().map(|report| report.file.as_path());
    let all: Vec<_> = planned.iter().map(|one| &one.plan).collect();
    github::report(app, reports, &markdown::plans(&all))?;
    if args.output == PlanOutput::Json {
        app.printer.document(&RunDocument {
            schema_version: SCHEMA_VERSION,
            command: Some("plan"),
            exit_code: exit.code(),
            error: None,
            diagnostics: findings.documents(),
            clouds: planned.iter().map(document).collect(),
        });
        return Ok(exit);
    }
    let palette = app.printer.result_palette();
    let texts: Vec<String> = planned
        .iter()
        .map(|one| render::plan(&one.plan, palette))
        .collect();
    app.printer.result(&texts.join("\n"));
    if args.output == PlanOutput::Github {
        let code = detailed.code().to_string();
        github::outputs(
            app,
            [
                ("changes", if pending { "true" } else { "false" }),
                ("exitcode", &code),
            ],
        )?;
    }
    Ok(exit)
}

/// A plan as a cloud's part of the document.
pub(crate) fn document(planned: &Planned) -> CloudDocument<'_> {
    let outcome = if planned.plan.pending() {
        CloudOutcome::Pending
    } else {
        CloudOutcome::Unchanged
    };
    CloudDocument {
        cloud: &planned.plan.target,
        backend: &planned.plan.backend,
        scope: Some(&planned.plan.scope),
        outcome,
        exit_code: Exit::Done.code(),
        error: None,
        plan: Some((&planned.plan).into()),
        results: None,
        findings: None,
        endpoints: None,
    }
}
