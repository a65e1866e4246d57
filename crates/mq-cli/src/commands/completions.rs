//! `mq completions`: a script for a shell, with the clouds of this build.

use crate::app::App;
use crate::args::CompletionsArgs;
use crate::exit::Exit;
use crate::failure::Result;

pub(crate) fn run(app: &App, args: &CompletionsArgs) -> Result<Exit> {
    let mut command = crate::command(&app.registry);
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "mq", &mut script);
    app.printer.result(&String::from_utf8_lossy(&script));
    Ok(Exit::Done)
}
