//! Finding, starting and stopping the emulator in the background.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context;
use mq_emulator::ClockMode;
use tokio::time::{Instant, sleep, timeout};

use super::console::{Answer, post};
use super::discovery::{Discovery, STATE_VARIABLE, StateFolder, private};
use crate::args::StartArgs;
use crate::exit::Exit;
use crate::failure::{Failure, Result};

/// How long a start, or an end, may take.
const PATIENCE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(10);
/// How much of the log is shown when a start fails.
const LOG_LINES: usize = 20;

/// What the state folder tells.
#[derive(Debug)]
pub(crate) enum Found {
    /// Nothing runs.
    Nothing,
    /// This one.
    Running(Box<Discovery>),
}

/// Who runs now.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) discovery: Discovery,
    /// Whether this call started it.
    pub(crate) fresh: bool,
}

/// Looks for a running emulator, and waits for one that is just starting.
pub(crate) async fn find(state: &StateFolder) -> Result<Found> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if state.try_lock_life()?.is_some() {
            return Ok(Found::Nothing);
        }
        if let Some(discovery) = state.read() {
            return Ok(Found::Running(Box::new(discovery)));
        }
        if Instant::now() >= deadline {
            return Err(
                Failure::new(Exit::Failed, "an emulator runs and does not say where")
                    .because(format!(
                        "its lock in {} is held, without a discovery file",
                        state.path().display()
                    ))
                    .with_hint(format!(
                        "end that process, or set {STATE_VARIABLE} to another folder"
                    )),
            );
        }
        sleep(POLL).await;
    }
}

/// The running emulator, or one that is started now. Two starts at once yield one.
pub(crate) async fn start(state: &StateFolder, args: &StartArgs) -> Result<Started> {
    let deadline = Instant::now() + PATIENCE;
    let _one_at_a_time = loop {
        match state.try_lock_start()? {
            Some(lock) => break lock,
            None if Instant::now() < deadline => sleep(POLL).await,
            None => {
                return Err(Failure::new(
                    Exit::Failed,
                    "another start of the emulator does not end",
                ));
            }
        }
    };
    if let Found::Running(discovery) = find(state).await? {
        same_build(&discovery)?;
        return Ok(Started {
            discovery: *discovery,
            fresh: false,
        });
    }
    let mut child = spawn(state, args)?;
    let discovery = wait_until_ready(state, &mut child).await?;
    Ok(Started {
        discovery,
        fresh: true,
    })
}

fn same_build(discovery: &Discovery) -> Result<()> {
    if discovery.is_this_build() {
        return Ok(());
    }
    Err(
        Failure::new(Exit::Failed, "another build of mq runs the emulator")
            .because(format!(
                "process {} is mq {}, and this is mq {} of another build",
                discovery.pid,
                discovery.version,
                env!("CARGO_PKG_VERSION")
            ))
            .with_hint("stop it with `mq emulator stop`, then run this again"),
    )
}

/// Starts this executable again, with nothing of this process attached: an inherited stdout would
/// keep a `$(…)` waiting.
fn spawn(state: &StateFolder, args: &StartArgs) -> Result<Child> {
    let executable = std::env::current_exe().context("failed to find this executable")?;
    let log = private()
        .truncate(true)
        .open(state.log())
        .with_context(|| format!("failed to open {}", state.log().display()))?;
    let errors = log.try_clone().context("failed to open the log twice")?;
    let mut command = Command::new(executable);
    command
        .args([
            "emulator",
            "run",
            "--background",
            "--color",
            "never",
            "--idle-exit",
        ])
        .arg(mq_core::units::duration(args.idle_exit))
        .current_dir(state.path())
        .env(STATE_VARIABLE, state.path())
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors);
    for port in &args.behaviour.ports {
        command.args(["--port", port]);
    }
    for quirk in &args.behaviour.quirks {
        command.args(["--quirk", quirk]);
    }
    if let Some(seed) = args.behaviour.seed {
        command.args(["--seed", &seed.to_string()]);
    }
    if let Some(clock) = args.behaviour.clock {
        command.args(["--clock", &ClockMode::from(clock).to_string()]);
    }
    if let Some(bytes) = args.behaviour.memory_max {
        command.args(["--memory-max", &bytes.to_string()]);
    }
    #[cfg(windows)]
    {
        // https://learn.microsoft.com/windows/win32/procthread/process-creation-flags
        const DETACHED_PROCESS: u32 = 0x0000_0008;
        const CREATE_NEW_PROCESS_GROUP: u32 = 0x0000_0200;
        std::os::windows::process::CommandExt::creation_flags(
            &mut command,
            DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP,
        );
    }
    Ok(command
        .spawn()
        .context("failed to start the emulator in the background")?)
}

async fn wait_until_ready(state: &StateFolder, child: &mut Child) -> Result<Discovery> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(discovery) = state.read().filter(|discovery| discovery.pid == child.id()) {
            return Ok(discovery);
        }
        let ended = child
            .try_wait()
            .context("failed to watch the emulator start")?;
        let why = match ended {
            Some(status) => format!("it ended with {status}"),
            None if Instant::now() >= deadline => {
                // It was started here and for nothing else; whether it still can be ended or not,
                // the failure is the same.
                let _ = child.kill();
                "it was not ready in time".to_owned()
            }
            None => {
                sleep(POLL).await;
                continue;
            }
        };
        let log = fs::read_to_string(state.log()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let tail = lines[lines.len().saturating_sub(LOG_LINES)..].join("\n");
        return Err(Failure::new(
            Exit::Failed,
            "failed to start the emulator in the background",
        )
        .because(format!("{why}; its log ends with\n{tail}"))
        .with_hint(format!("the whole log is {}", state.log().display())));
    }
}

/// Asks the emulator to end, and waits until it has.
pub(crate) async fn stop(state: &StateFolder, discovery: &Discovery) -> Result<()> {
    let by_hand = || format!("end the process {} by hand", discovery.pid);
    if let Some(console) = discovery.console() {
        let asked = timeout(PATIENCE, post(console, "/shutdown", &discovery.token, "")).await;
        let why = match asked {
            Ok(Ok(Answer { status: 202, .. })) => None,
            Ok(Ok(Answer { status, .. })) => Some(format!("it answered {status}")),
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some("it does not answer".to_owned()),
        };
        if let Some(why) = why {
            return Err(Failure::new(Exit::Failed, "failed to stop the emulator")
                .because(why)
                .with_hint(by_hand()));
        }
    }
    let deadline = Instant::now() + PATIENCE;
    while state.try_lock_life()?.is_none() {
        if Instant::now() >= deadline {
            return Err(
                Failure::new(Exit::Failed, "the emulator does not end").with_hint(by_hand())
            );
        }
        sleep(POLL).await;
    }
    Ok(())
}
