//! `mq emulator`: the three services on this machine.

mod advance;
mod exec;
mod run;
mod start;
mod status;
mod stop;

use crate::app::App;
use crate::args::EmulatorCommand;
use crate::exit::Exit;
use crate::failure::Result;

pub(crate) fn run(app: &App, command: EmulatorCommand) -> Result<Exit> {
    match command {
        EmulatorCommand::Run(args) => app.online(run::run(app, &args)),
        EmulatorCommand::Exec(args) => exec::run(app, &args),
        EmulatorCommand::Start(args) => app.online(start::run(app, &args)),
        EmulatorCommand::Stop => app.online(stop::run(app)),
        EmulatorCommand::Advance(args) => app.online(advance::run(app, &args)),
        EmulatorCommand::Status(args) => app.online(status::run(app, &args)),
    }
}
