//! `mq gc`: removes what has expired.

use super::destroy::{options, remove};
use super::planning::{Prepared, Purpose, plans, prepare};
use crate::app::App;
use crate::args::GcArgs;
use crate::exit::Exit;
use crate::failure::Result;
use crate::targets::{Input, Scrutiny, now_seconds};

pub(crate) async fn run(app: &App, args: &GcArgs) -> Result<Exit> {
    let Prepared {
        input,
        session,
        opened,
        findings,
    } = prepare(
        app,
        &args.target,
        Input::read_if_there(app, &args.target.file)?,
        Scrutiny::Finding,
    )
    .await?;
    let purpose = Purpose::Collect(options(&args.removal), now_seconds());
    let planned = plans(app, &input, opened, &purpose).await?;
    remove(
        app,
        "gc",
        &session,
        planned,
        &findings,
        (&args.target, &args.removal),
    )
    .await
}
