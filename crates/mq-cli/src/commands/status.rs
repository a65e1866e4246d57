//! `mq status`: where the clouds differ from the file.

use mq_core::{Change, Plan};

use super::planning::as_it_is;
use super::showing::Shown;
use crate::app::App;
use crate::args::StatusArgs;
use crate::exit::Exit;
use crate::failure::Result;
use crate::render::status as render;

pub(crate) async fn run(app: &App, args: &StatusArgs) -> Result<Exit> {
    let (planned, findings) = as_it_is(app, &args.target).await?;
    let differs = |plan: &Plan| plan.pending() || plan.changes.iter().any(Change::drifts_unmanaged);
    let shown = Shown {
        command: "status",
        output: args.output,
        detailed_exitcode: args.detailed_exitcode,
        differs: planned.iter().any(|one| differs(&one.plan)),
        planned: &planned,
        findings: &findings,
    };
    shown.show(app, render::status)
}
