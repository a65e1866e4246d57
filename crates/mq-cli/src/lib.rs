//! The `mq` command, as a library for its tests and generators.
//!
//! ```text
//! arguments ─args→ Cli ─commands→ values ─render→ text ─printer→ streams, and an exit code
//! ```
//!
//! Parsing does no I/O, rendering reads values, and only the printer writes.

mod app;
mod args;
mod commands;
mod emulator;
mod environment;
mod exit;
mod failure;
mod interrupt;
mod log;
mod palette;
mod printer;
mod progress;
pub mod registry;
mod render;
mod targets;

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches};
use mq_core::BackendFactory;

pub use emulator::EmulatorClock;
pub use environment::Environment;
pub use exit::Exit;
pub use printer::Streams;

use app::App;
use args::{Cli, GlobalArgs};
use failure::Failure;
use interrupt::Interrupt;
use printer::Printer;

/// Runs one command and says how it ended.
///
/// `arguments` begin with the program's name. `registry` are the clouds that the command knows:
/// [`registry::backends`] has those of this project.
pub fn run(
    arguments: impl IntoIterator<Item = OsString>,
    registry: Vec<&'static dyn BackendFactory>,
    streams: Streams,
    environment: Environment,
) -> Exit {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let parsed = command(&registry)
        .try_get_matches_from(&arguments)
        .and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => return not_parsed(&error, &arguments, streams, &environment),
    };
    let printer = Printer::new(streams, &cli.global, &environment);
    log::start(cli.global.verbose, &printer);
    let app = App {
        registry,
        environment,
        printer: printer.clone(),
        interrupt: Interrupt::default(),
    };
    let exit = commands::run(&app, cli.command);
    match printer.write_failure() {
        Some(error) if exit == Exit::Done => {
            let failure = Failure::new(Exit::Failed, "failed to write the result");
            printer.failure(&failure.because(error.to_string()));
            Exit::Failed
        }
        _ => exit,
    }
}

/// The command line as `clap` knows it, with the clouds of this registry: for completions, the
/// manual page and the reference.
#[must_use]
pub fn command(registry: &[&'static dyn BackendFactory]) -> clap::Command {
    let clouds: Vec<&str> = registry.iter().map(|factory| factory.info().id).collect();
    args::tell(Cli::command(), &clouds)
}

/// Help and version are results; anything else is wrong use, and `clap`'s own code 2 means
/// something else here.
fn not_parsed(
    error: &clap::Error,
    arguments: &[OsString],
    streams: Streams,
    environment: &Environment,
) -> Exit {
    let global = GlobalArgs::default();
    let printer = Printer::new(streams, &global, environment);
    let wanted = matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    );
    let rendered = error.render();
    let text = |coloured: bool| {
        if coloured {
            rendered.ansi().to_string()
        } else {
            rendered.to_string()
        }
    };
    if wanted {
        printer.result(&text(printer.result_palette().is_coloured()));
        return Exit::Done;
    }
    printer.insist(&text(printer.palette().is_coloured()));
    if asks_for_json(arguments) {
        let first = rendered.to_string();
        let what = first.lines().next().unwrap_or_default();
        let what = what.strip_prefix("error: ").unwrap_or(what);
        commands::document_of_failure(&printer, None, &Failure::usage(what));
    }
    Exit::Usage
}

/// Whether the reader of stdout expects a document, as far as a command line that does not parse
/// can tell.
fn asks_for_json(arguments: &[OsString]) -> bool {
    arguments.iter().any(|argument| argument == "--output=json")
        || arguments
            .windows(2)
            .any(|pair| pair[0] == "--output" && pair[1] == "json")
}
