//! `mq emulator`.

use std::ffi::OsString;
use std::net::IpAddr;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use mq_emulator::ClockMode;

use super::duration;

/// `mq emulator`
#[derive(Debug, Args)]
pub(crate) struct EmulatorArgs {
    #[command(subcommand)]
    pub(crate) command: EmulatorCommand,
}

/// What to do with the emulator.
#[derive(Debug, Subcommand)]
pub(crate) enum EmulatorCommand {
    /// Run it in the foreground
    Run(RunArgs),
    /// Run a command beside an emulator of its own
    Exec(ExecArgs),
    /// Start it in the background
    Start(StartArgs),
    /// Stop the one that runs in the background
    Stop,
    /// Move the time in the one that runs, whose clock is manual
    Advance(AdvanceArgs),
    /// Say whether one runs, and where
    Status(StatusArgs),
}

/// How an emulator behaves.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct BehaviourArgs {
    /// What the clouds do and tests ought to meet; may be repeated
    #[arg(long = "quirk", value_name = "NAME[=VALUE]")]
    pub(crate) quirks: Vec<String>,
    /// The seed of all chance; printed when none is given
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// The port of a service, 0 for a free one; may be repeated
    #[arg(long = "port", value_name = "SERVICE=N")]
    pub(crate) ports: Vec<String>,
    /// How time passes in it; as on this machine unless given
    #[arg(long, value_name = "CLOCK")]
    pub(crate) clock: Option<Clock>,
    /// How much its messages may take; what would be more is refused. 1GiB unless given
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(crate) memory_max: Option<u64>,
}

fn size(text: &str) -> Result<u64, String> {
    mq_core::units::parse_size(text).map_err(|error| error.to_string())
}

/// How time passes in an emulator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Clock {
    /// As on this machine
    System,
    /// By `mq emulator advance` alone
    Manual,
}

impl From<Clock> for ClockMode {
    fn from(clock: Clock) -> Self {
        match clock {
            Clock::System => ClockMode::System,
            Clock::Manual => ClockMode::Manual,
        }
    }
}

/// `mq emulator run`
#[derive(Debug, Args)]
#[command(after_help = "\
The ports are those that clients already know: SQS 9324, Pub/Sub 8085, Service Bus administration
5300, console 9325. Addresses and seed are on stdout, with tabs between. It runs until Ctrl-C.

Examples:
  mq emulator run
  mq emulator run --port sqs=0 --quirk sqs-attribute-lag=2s --seed 7")]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) behaviour: BehaviourArgs,
    /// The address to listen on
    #[arg(long, value_name = "IP", default_value = "127.0.0.1")]
    pub(crate) listen: IpAddr,
    /// Let other machines in; without it only loopback addresses are taken
    #[arg(long)]
    pub(crate) allow_remote: bool,
    /// End after this long without a request
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) idle_exit: Option<Duration>,
    /// Started by another `mq`, which waits for the discovery file
    #[arg(long, hide = true)]
    pub(crate) background: bool,
}

/// `mq emulator exec`
#[derive(Debug, Args)]
#[command(after_help = "\
The command sees the variables that the vendors' SDKs read, and `mq --emulator` in it finds this
emulator. The exit code is the command's: 0 only if it ran and returned 0.

Examples:
  mq emulator exec -- pytest
  mq emulator exec -- sh -c 'mq provision --cloud all --emulator && npm test'")]
pub(crate) struct ExecArgs {
    #[command(flatten)]
    pub(crate) behaviour: BehaviourArgs,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

/// `mq emulator start`
#[derive(Debug, Args)]
#[command(after_help = "\
It takes free ports unless --port says otherwise. Two starts at once yield one process.

Examples:
  mq emulator start && eval \"$(mq emulator status --output env)\"
  mq emulator start --quirk error-rate=0.2 --idle-exit 4h
  mq emulator start --clock manual && mq emulator advance 10m")]
pub(crate) struct StartArgs {
    #[command(flatten)]
    pub(crate) behaviour: BehaviourArgs,
    /// End after this long without a request
    #[arg(long, value_name = "DURATION", default_value = "30m", value_parser = duration)]
    pub(crate) idle_exit: Duration,
}

/// `mq emulator advance`
#[derive(Debug, Args)]
#[command(after_help = "\
Every time that the services show, and every window by which they decide, moves at once. The new
time is on stdout. Only a clock that was started with `--clock manual` can be moved, and only
forward.

Examples:
  mq emulator start --clock manual
  mq emulator advance 10m
  mq emulator advance 59999ms")]
pub(crate) struct AdvanceArgs {
    /// How far, as in 500ms, 30s, 10m, 4h or 14d
    #[arg(value_name = "DURATION", value_parser = some_time)]
    pub(crate) by: Duration,
}

/// A duration that moves a clock.
fn some_time(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err("a clock that is moved by nothing stands still".to_owned()),
        by => Ok(by),
    }
}

/// `mq emulator status`
#[derive(Debug, Args)]
#[command(after_help = "\
Ends with 1 where none is running.

Example:
  eval \"$(mq emulator status --output env)\"")]
pub(crate) struct StatusArgs {
    /// The form of the output
    #[arg(long, value_name = "FORM", default_value = "text")]
    pub(crate) output: StatusOutput,
}

/// The forms of `mq emulator status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum StatusOutput {
    /// For people
    Text,
    /// One document
    Json,
    /// For a shell to source
    Env,
    /// Plain NAME=VALUE lines
    Dotenv,
}
