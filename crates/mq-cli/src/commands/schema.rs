//! `mq schema`: the JSON Schema of the file.

use crate::app::App;
use crate::args::SchemaArgs;
use crate::exit::Exit;
use crate::failure::Result;

pub(crate) fn run(app: &App, _: &SchemaArgs) -> Result<Exit> {
    let infos: Vec<_> = app.registry.iter().map(|factory| factory.info()).collect();
    app.printer.document(&mq_config::schema(&infos));
    Ok(Exit::Done)
}
