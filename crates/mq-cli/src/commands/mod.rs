//! One file per command: from arguments to values, to text, to an exit code.

mod applying;
mod check;
mod completions;
mod destroy;
mod emulator;
mod endpoint;
mod explain;
mod gc;
mod github;
mod init;
mod man;
mod plan;
mod planning;
mod provision;
mod saved;
mod schema;
mod showing;
mod status;
mod verify;

use crate::app::App;
use crate::args::{CheckOutput, Command, EndpointOutput, PlanOutput, VerifyOutput};
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::printer::Printer;
use crate::render::document;

/// Runs a command. A failure is on stderr, and where a document is expected also in one.
pub(crate) fn run(app: &App, command: Command) -> Exit {
    let expected = expected(&command);
    match dispatch(app, command) {
        Ok(exit) => exit,
        Err(failure) => {
            app.printer.failure(&failure);
            let exit = app.interrupt.settle(failure.exit);
            match expected {
                Expected::Document(name) => document_of_failure(&app.printer, Some(name), &failure),
                Expected::Outputs => github::exit_code(app, exit),
                Expected::Text => {}
            }
            exit
        }
    }
}

fn dispatch(app: &App, command: Command) -> Result<Exit> {
    match command {
        Command::Init(args) => init::run(app, &args),
        Command::Check(args) => check::run(app, &args),
        Command::Plan(args) => app.online(plan::run(app, &args)),
        Command::Provision(args) => app.online(provision::run(app, &args)),
        Command::Endpoint(args) => app.online(endpoint::run(app, args)),
        Command::Status(args) => app.online(status::run(app, &args)),
        Command::Destroy(args) => app.online(destroy::run(app, &args)),
        Command::Gc(args) => app.online(gc::run(app, &args)),
        Command::Verify(args) => verify::run(app, &args),
        Command::Emulator(args) => emulator::run(app, args.command),
        Command::Explain(args) => explain::run(app, &args),
        Command::Schema(args) => schema::run(app, &args),
        Command::Completions(args) => completions::run(app, &args),
        Command::Man(args) => man::run(app, &args),
    }
}

/// The document of a command that failed before it had one of its own.
pub(crate) fn document_of_failure(printer: &Printer, command: Option<&str>, failure: &Failure) {
    printer.document(&document::of_failure(command, failure));
}

/// What the reader of a command's result waits for, also when it fails.
enum Expected {
    /// One JSON document of this command.
    Document(&'static str),
    /// Outputs of a GitHub step.
    Outputs,
    /// Text.
    Text,
}

fn expected(command: &Command) -> Expected {
    let of_plan = |output, name| match output {
        PlanOutput::Json => Expected::Document(name),
        PlanOutput::Github => Expected::Outputs,
        PlanOutput::Text => Expected::Text,
    };
    let of_endpoints = |output, name| match output {
        EndpointOutput::Json => Expected::Document(name),
        EndpointOutput::Github => Expected::Outputs,
        EndpointOutput::Text | EndpointOutput::Env | EndpointOutput::Dotenv => Expected::Text,
    };
    match command {
        Command::Check(args) if args.output == CheckOutput::Json => Expected::Document("check"),
        Command::Plan(args) => of_plan(args.output, "plan"),
        Command::Status(args) => of_plan(args.output, "status"),
        Command::Destroy(args) => of_plan(args.removal.output, "destroy"),
        Command::Gc(args) => of_plan(args.removal.output, "gc"),
        Command::Provision(args) => of_endpoints(args.show.output, "provision"),
        Command::Endpoint(args) => of_endpoints(args.show.output, "endpoint"),
        Command::Verify(args) if args.output == VerifyOutput::Json => Expected::Document("verify"),
        Command::Check(_)
        | Command::Verify(_)
        | Command::Init(_)
        | Command::Emulator(_)
        | Command::Explain(_)
        | Command::Schema(_)
        | Command::Completions(_)
        | Command::Man(_) => Expected::Text,
    }
}

/// What a file's or a directory's system error becomes.
fn written(path: &std::path::Path, result: std::io::Result<()>) -> Result<()> {
    result.map_err(|error| {
        Failure::new(Exit::Failed, format!("failed to write {}", path.display()))
            .because(error.to_string())
    })
}
