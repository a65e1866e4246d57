//! `mq emulator exec`: a command beside an emulator of its own.
//!
//! Every way out but one is an end that is not 0: the code is 0 only where the child ran and
//! returned 0.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::ExitStatus;

use mq_emulator::Ports;
use tokio::process::{Child, Command};

use crate::app::App;
use crate::args::ExecArgs;
use crate::emulator::{Host, HostOptions, STATE_VARIABLE, StateFolder, config};
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::interrupt::{Signal, Signals};

pub(crate) fn run(app: &App, args: &ExecArgs) -> Result<Exit> {
    let config = config(&args.behaviour, Ports::free())?;
    let runtime = tokio::runtime::Runtime::new().map_err(|error| {
        Failure::new(Exit::ExecFailed, "failed to start the runtime").because(error.to_string())
    })?;
    runtime.block_on(async {
        let folder = Folder::new()?;
        let state = StateFolder::at(folder.0.clone())?;
        let options = HostOptions {
            quirks: args.behaviour.quirks.clone(),
            ..HostOptions::default()
        };
        let host = Host::start(config, state, options)
            .await
            .map_err(|failure| failure.with_exit(Exit::ExecFailed))?;
        app.printer.note(format_args!(
            "emulator with the seed {}",
            host.discovery().seed
        ));
        // Listened for before the child is there, so that no signal ends us and leaves it behind.
        let signals = Signals::new().map_err(|error| {
            Failure::new(Exit::ExecFailed, "failed to listen for signals")
                .because(error.to_string())
        })?;
        let child = spawn(args, &host, &folder)?;
        let exit = wait(child, signals, app.printer.stdin_is_terminal()).await;
        host.stop().await;
        exit
    })
}

fn spawn(args: &ExecArgs, host: &Host, folder: &Folder) -> Result<Child> {
    let (program, arguments) = args
        .command
        .split_first()
        .ok_or_else(|| Failure::usage("there is no command to run"))?;
    let spawned = Command::new(program)
        .args(arguments)
        .envs(&host.discovery().env)
        .env(STATE_VARIABLE, &folder.0)
        .spawn();
    spawned.map_err(|error| {
        let exit = match error.kind() {
            ErrorKind::NotFound => Exit::ExecNotFound,
            _ => Exit::ExecCannotRun,
        };
        Failure::new(exit, format!("failed to run {}", program.display()))
            .because(error.to_string())
    })
}

/// Waits for the child, and hands it the signals that it does not get by itself.
async fn wait(mut child: Child, mut signals: Signals, on_terminal: bool) -> Result<Exit> {
    let status = loop {
        tokio::select! {
            status = child.wait() => break status,
            signal = signals.next() => {
                // A terminal's Ctrl-C reaches every process in the foreground, the child too.
                if !(signal == Signal::Interrupt && on_terminal) {
                    forward(&child, signal);
                }
            }
        }
    };
    match status {
        Ok(status) => Ok(exit_of(status)),
        Err(error) => Err(
            Failure::new(Exit::ExecFailed, "failed to wait for the command")
                .because(error.to_string()),
        ),
    }
}

#[cfg(unix)]
fn forward(child: &Child, signal: Signal) {
    let signal = match signal {
        Signal::Interrupt => rustix::process::Signal::INT,
        Signal::Terminate => rustix::process::Signal::TERM,
    };
    let pid = child
        .id()
        .and_then(|id| rustix::process::Pid::from_raw(i32::try_from(id).ok()?));
    if let Some(pid) = pid {
        // It may have ended meanwhile, which is what the signal asks for.
        let _ = rustix::process::kill_process(pid, signal);
    }
}

#[cfg(not(unix))]
fn forward(_: &Child, _: Signal) {}

/// The child's own code; one that was killed by the signal `n` ends with `128 + n`, as in a shell.
fn exit_of(status: ExitStatus) -> Exit {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return Exit::Child(u8::try_from(128 + signal).unwrap_or(u8::MAX));
    }
    match status.code() {
        // Codes of more than a byte come from other systems; none of them may become 0.
        Some(code) => Exit::Child(u8::try_from(code).unwrap_or(u8::MAX)),
        None => Exit::ExecFailed,
    }
}

/// A state folder for this run alone: `mq --emulator` in the child finds this emulator.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Folder> {
        let name = format!("mq-exec-{:016x}", rand::random::<u64>());
        let path = std::env::temp_dir().join(name);
        StateFolder::at(path.clone())
            .map_err(|error| Failure::from(error).with_exit(Exit::ExecFailed))?;
        Ok(Folder(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What stays behind is an empty shell: no emulator, no secret that still opens anything.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    #[test]
    fn only_a_child_that_returned_0_is_0() {
        for (status, code) in [
            (ExitStatus::from_raw(0), 0),
            (ExitStatus::from_raw(3 << 8), 3),
            (ExitStatus::from_raw(255 << 8), 255),
            (ExitStatus::from_raw(9), 137),
            (ExitStatus::from_raw(15), 143),
        ] {
            assert_eq!(exit_of(status).code(), code, "{status:?}");
        }
    }
}
