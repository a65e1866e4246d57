//! `mq emulator start`: in the background.

use crate::app::App;
use crate::args::StartArgs;
use crate::emulator::{self, StateFolder, config};
use crate::exit::Exit;
use crate::failure::Result;

pub(crate) async fn run(app: &App, args: &StartArgs) -> Result<Exit> {
    // What is wrong with the flags is told here, and not in a log.
    config(&args.behaviour, mq_emulator::Ports::free())?;
    let state = StateFolder::open(&app.environment)?;
    let started = emulator::start(&state, args).await?;
    let pid = started.discovery.pid;
    if started.fresh {
        app.printer.note(format_args!(
            "started an emulator (process {pid}); it ends after {} without a request, or with `mq emulator stop`",
            mq_core::units::duration(args.idle_exit)
        ));
    } else {
        app.printer
            .note(format_args!("an emulator runs already (process {pid})"));
        let ignored = !args.behaviour.quirks.is_empty()
            || !args.behaviour.ports.is_empty()
            || args.behaviour.seed.is_some()
            || args.behaviour.clock.is_some()
            || args.behaviour.memory_max.is_some();
        if ignored {
            app.printer.warning(
                "its quirks, ports, seed, clock and memory are those that it was started with",
                Some("stop it with `mq emulator stop`, then start it again"),
            );
        }
    }
    app.printer
        .note("its variables: eval \"$(mq emulator status --output env)\"");
    Ok(Exit::Done)
}
