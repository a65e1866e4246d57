//! `mq plan`: what provision would do.

use super::planning::{Prepared, Purpose, options, plans, prepare};
use super::showing::Shown;
use super::{github, saved};
use crate::app::App;
use crate::args::PlanArgs;
use crate::exit::Exit;
use crate::failure::Result;
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
    let shown = Shown {
        command: "plan",
        output: args.output,
        detailed_exitcode: args.detailed_exitcode,
        differs: planned.iter().any(|one| one.plan.pending()),
        planned: &planned,
        findings: &findings,
    };
    shown.show(app, render::plan)
}
