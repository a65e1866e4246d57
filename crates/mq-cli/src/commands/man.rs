//! `mq man`: the manual page, in roff.

use anyhow::Context;

use crate::app::App;
use crate::args::ManArgs;
use crate::exit::Exit;
use crate::failure::Result;

pub(crate) fn run(app: &App, _: &ManArgs) -> Result<Exit> {
    let mut page = Vec::new();
    clap_mangen::Man::new(crate::command(&app.registry))
        .render(&mut page)
        .context("failed to write the manual page")?;
    app.printer.result(&String::from_utf8_lossy(&page));
    Ok(Exit::Done)
}
