//! `mq emulator run`: in the foreground, or as the process that another `mq` started.

use std::fmt::Write;

use mq_emulator::{ClockMode, Ports};

use crate::app::App;
use crate::args::RunArgs;
use crate::emulator::{Discovery, Ended, Host, HostOptions, StateFolder, config};
use crate::exit::Exit;
use crate::failure::Result;

pub(crate) async fn run(app: &App, args: &RunArgs) -> Result<Exit> {
    if args.background {
        leave_session();
    }
    let state = StateFolder::open(&app.environment)?;
    let ports = if args.background {
        Ports::free()
    } else {
        Ports::default()
    };
    let mut config = config(&args.behaviour, ports)?;
    config.listen = args.listen;
    config.allow_remote = args.allow_remote;
    config.ca_dir = Some(state.certificates());
    let options = HostOptions {
        quirks: args.behaviour.quirks.clone(),
        idle_exit: args.idle_exit,
        log: args.background.then(|| state.log()),
    };
    let host = Host::start(config, state, options).await?;
    app.printer.result(&addresses(host.discovery()));
    app.printer
        .note("everything is in memory and goes when this ends");
    if host.discovery().clock == ClockMode::Manual {
        app.printer
            .note("its time stands still until `mq emulator advance` moves it");
    }
    if !host.is_registered() {
        app.printer
            .note("another emulator runs already: `mq --emulator` finds that one, and not this");
    }
    let cancel = app.interrupt.token();
    let exit = tokio::select! {
        ended = host.ended(args.idle_exit) => {
            app.printer.note(match ended {
                Ended::Asked => "ends: it was asked to",
                Ended::Idle => "ends: there was no request for long enough",
            });
            Exit::Done
        }
        () = cancel.cancelled() => Exit::Interrupted,
    };
    host.stop().await;
    Ok(exit)
}

/// Where each service listens and the seed, with tabs between the columns.
fn addresses(discovery: &Discovery) -> String {
    let mut out = String::new();
    for (service, address) in &discovery.addresses {
        let _ = writeln!(out, "{service}\t{address}");
    }
    let _ = writeln!(out, "seed\t{}", discovery.seed);
    out
}

/// Out of the session of whoever started this: its end must not be ours.
fn leave_session() {
    #[cfg(unix)]
    if let Err(error) = rustix::process::setsid() {
        // It then ends with the terminal, which is all that is lost.
        tracing::warn!(%error, "the emulator stays in the session that it was started in");
    }
}
