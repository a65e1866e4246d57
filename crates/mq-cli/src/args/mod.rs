//! The command line, as types. Parsing reads no file, no variable and no stream.

mod change;
mod emulator;
mod offline;
mod online;
mod verify;
mod words;

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

pub(crate) use change::{DestroyArgs, GcArgs, ProvisionArgs, RemovalArgs};
pub(crate) use emulator::{
    AdvanceArgs, BehaviourArgs, EmulatorArgs, EmulatorCommand, ExecArgs, RunArgs, StartArgs,
    StatusArgs as EmulatorStatusArgs, StatusOutput,
};
pub(crate) use offline::{
    CheckArgs, CheckOutput, CompletionsArgs, ExplainArgs, InitArgs, ManArgs, SchemaArgs,
};
pub(crate) use online::{
    AllowArgs, EndpointArgs, EndpointFilter, EndpointOutput, PlanArgs, PlanOutput, StatusArgs,
    TargetArgs,
};
pub(crate) use verify::{
    ChoiceArgs, PaceArgs, PlaceArgs, ReportKind, SuiteReport, VerifyArgs, VerifyOutput,
};
pub(crate) use words::tell;

/// One YAML file, the same queues on every cloud.
///
/// `mq` reads queues from a YAML file, makes the equivalent ones on Amazon SQS, Azure Service Bus
/// or Google Pub/Sub, and prints their endpoints. Before anything is made it says, attribute by
/// attribute, what a cloud does exactly, nearly, or not at all.
#[derive(Debug, Parser)]
#[command(
    name = "mq",
    version,
    after_help = "\
Examples:
  mq init                                        write a commented mq.yaml
  mq check                                       what every cloud makes of it, offline
  mq provision --cloud all --emulator            make the queues on this machine, no account needed
  mq plan --cloud aws                            what provision would do
  mq provision --cloud aws                       do it, and print the endpoints
  URL=$(mq endpoint orders --cloud aws --raw)    one endpoint, for a script
  mq verify                                      are these queues alike on every cloud?

Exit codes:
    0  done
    1  failed
    2  changes are pending (only with --detailed-exitcode)
    3  verify: a behaviour failed, or nothing was executed
    4  credentials or permission
    5  refused: not ours, protected, holds or may hold messages, immutable
    6  partly applied: run the same command again
    7  timed out
    8  applied, but the cloud did not do what was asked
   64  the command line, the file or the configuration is wrong
   75  throttled or unavailable: trying again later helps
  130  interrupted (143: terminated)"
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalArgs {
    /// Log what mq does on stderr; twice for its details and the SDKs' own words
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "quiet")]
    pub(crate) verbose: u8,
    /// Print results, warnings and errors only
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// When to colour; NO_COLOR, CLICOLOR, CLICOLOR_FORCE and TERM=dumb are honoured
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,
    /// Never ask; what would be asked for is refused unless --yes is given
    #[arg(long, global = true)]
    pub(crate) no_input: bool,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal
    #[default]
    Auto,
    /// Also on a pipe
    Always,
    /// Never
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write a commented mq.yaml
    Init(InitArgs),
    /// Validate the file and show what every cloud makes of it, offline
    Check(CheckArgs),
    /// Show what provision would do
    Plan(PlanArgs),
    /// Make the queues as the file says, prove it, and print their endpoints
    Provision(ProvisionArgs),
    /// Print the endpoints of what exists
    Endpoint(EndpointArgs),
    /// Show where the clouds differ from the file
    Status(StatusArgs),
    /// Remove what the file made
    Destroy(DestroyArgs),
    /// Remove what has expired: leftovers of aborted runs
    Gc(GcArgs),
    /// Prove the promises that applications rely on, on every cloud side by side
    Verify(VerifyArgs),
    /// SQS, Service Bus and Pub/Sub on this machine
    Emulator(EmulatorArgs),
    /// Explain an attribute of the file
    Explain(ExplainArgs),
    /// Print the JSON Schema of the file
    Schema(SchemaArgs),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
    /// Print the manual page
    Man(ManArgs),
}

/// Which file, and which stage of it.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct FileArgs {
    /// The file of queues
    #[arg(short, long, value_name = "FILE", default_value = "mq.yaml")]
    pub(crate) file: PathBuf,
    /// The stage; MQ_STAGE says it too
    #[arg(long, value_name = "NAME")]
    pub(crate) stage: Option<String>,
    /// Only this queue; may be repeated
    #[arg(long = "queue", value_name = "NAME")]
    pub(crate) queues: Vec<String>,
    /// The cloud, or an entry under `clouds`; may be repeated, `all` is every entry
    #[arg(long = "cloud", value_name = "CLOUD")]
    pub(crate) clouds: Vec<String>,
    /// Every verdict that is not exact must be named in `accept`
    #[arg(long)]
    pub(crate) strict: bool,
}

fn duration(text: &str) -> Result<Duration, String> {
    mq_core::units::parse_duration(text).map_err(|error| error.to_string())
}

/// A report for people beside the command's own output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Report {
    /// Where it is written.
    pub(crate) file: PathBuf,
}

fn report(text: &str) -> Result<Report, String> {
    match text.split_once('=') {
        Some(("markdown", file)) if !file.is_empty() => Ok(Report { file: file.into() }),
        _ => Err("write markdown=FILE".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_and_option_says_what_it_does_in_one_line() {
        fn visit(command: &clap::Command) {
            let about = command.get_about().expect("says what it does").to_string();
            assert!(
                !about.ends_with('.') || command.get_name() == "mq",
                "{about}"
            );
            for argument in command.get_arguments() {
                let help = argument.get_help().map(ToString::to_string);
                assert!(
                    argument.is_hide_set() || help.is_some_and(|help| !help.is_empty()),
                    "{} {}",
                    command.get_name(),
                    argument.get_id()
                );
            }
            command.get_subcommands().for_each(visit);
        }
        visit(&Cli::command());
    }
}
