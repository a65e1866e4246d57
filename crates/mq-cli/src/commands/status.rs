//! `mq status`: where the clouds differ from the file.

use mq_core::plan::PlanOptions;

use super::github;
use super::plan::document;
use super::planning::{Prepared, Purpose, plans, prepare};
use crate::app::App;
use crate::args::{PlanOutput, StatusArgs};
use crate::exit::Exit;
use crate::failure::Result;
use crate::render::document::{RunDocument, SCHEMA_VERSION};
use crate::render::status as render;
use crate::targets::{Input, Scrutiny};

pub(crate) async fn run(app: &App, args: &StatusArgs) -> Result<Exit> {
    let Prepared {
        input,
        opened,
        findings,
        ..
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
        &Purpose::Provision(PlanOptions::default()),
    )
    .await?;
    let drifted = planned.iter().any(|one| {
        one.plan.pending()
            || one
                .plan
                .changes
                .iter()
                .any(|change| change.drifts_unmanaged())
    });
    let detailed = if drifted {
        Exit::ChangesPending
    } else {
        Exit::Done
    };
    let exit = if args.detailed_exitcode && args.output != PlanOutput::Github {
        detailed
    } else {
        Exit::Done
    };
    if args.output == PlanOutput::Json {
        app.printer.document(&RunDocument {
            schema_version: SCHEMA_VERSION,
            command: Some("status"),
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
        .map(|one| render::status(&one.plan, palette))
        .collect();
    app.printer.result(&texts.join("\n"));
    if args.output == PlanOutput::Github {
        let code = detailed.code().to_string();
        github::outputs(
            app,
            [
                ("changes", if drifted { "true" } else { "false" }),
                ("exitcode", &code),
            ],
        )?;
    }
    Ok(exit)
}
