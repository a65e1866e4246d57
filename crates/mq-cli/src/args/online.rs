//! Commands that read clouds and change nothing.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use mq_core::resource::Role;

use super::{FileArgs, Report, duration, report};

/// How clouds are reached.
#[derive(Debug, Clone, Args)]
pub(crate) struct TargetArgs {
    #[command(flatten)]
    pub(crate) file: FileArgs,
    /// Use the emulator instead of the cloud, and start it where none is running
    #[arg(long)]
    pub(crate) emulator: bool,
    /// When an emulator that is started ends without a request
    #[arg(long, value_name = "DURATION", default_value = "30m", value_parser = duration, requires = "emulator")]
    pub(crate) idle_exit: Duration,
    /// How many changes are made at a time, on each cloud
    #[arg(long, value_name = "N", default_value = "10", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) parallelism: u16,
    /// When the command gives up
    #[arg(long, value_name = "DURATION", default_value = "30m", value_parser = duration)]
    pub(crate) timeout: Duration,
}

/// `mq plan`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mq plan --cloud aws
  mq plan --cloud all --detailed-exitcode      0 nothing to do, 2 changes are pending
  mq plan --cloud aws --save plan.json && mq provision plan.json")]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    #[command(flatten)]
    pub(crate) allow: AllowArgs,
    /// The form of the output
    #[arg(long, value_name = "FORM", default_value = "text")]
    pub(crate) output: PlanOutput,
    /// End with 2 where changes are pending
    #[arg(long)]
    pub(crate) detailed_exitcode: bool,
    /// Write the plan to a file that `mq provision FILE` takes
    #[arg(long, value_name = "FILE")]
    pub(crate) save: Option<PathBuf>,
    /// Also write the plan to a file; may be repeated
    #[arg(long = "report", value_name = "markdown=FILE", value_parser = report)]
    pub(crate) reports: Vec<Report>,
}

/// What a plan may do beside creating and updating in place.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "What may be done")]
pub(crate) struct AllowArgs {
    /// Take over queues that are there and that mq did not make
    #[arg(long)]
    pub(crate) adopt: bool,
    /// Remove this queue and make it anew where an attribute is fixed at creation; may be repeated
    #[arg(long, value_name = "QUEUE")]
    pub(crate) replace: Vec<String>,
    /// Remove what is ours and no longer in the file
    #[arg(long, conflicts_with = "queues")]
    pub(crate) prune: bool,
    /// Remove queues that hold messages, or may hold some
    #[arg(long)]
    pub(crate) drop_messages: bool,
}

/// The forms of `mq plan` and `mq status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PlanOutput {
    /// For people
    Text,
    /// One document
    Json,
    /// As text, and `changes` and `exitcode` to $GITHUB_OUTPUT; ends with 0 where the plan is made
    Github,
}

/// `mq endpoint`
#[derive(Debug, Args)]
#[command(after_help = "\
One line for each endpoint: CLOUD, QUEUE, ROLE and ENDPOINT, with tabs between. The role is `queue`
where one address serves both ways, else there is one for `send` and one for `receive`.

Examples:
  mq endpoint --cloud all
  URL=$(mq endpoint orders --cloud aws --raw)
  eval \"$(mq endpoint --cloud aws --output env)\"")]
pub(crate) struct EndpointArgs {
    /// Only these queues
    #[arg(value_name = "QUEUE")]
    pub(crate) names: Vec<String>,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    #[command(flatten)]
    pub(crate) show: EndpointFilter,
}

/// Which endpoints are printed, and how.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct EndpointFilter {
    /// The form of the output
    #[arg(long, value_name = "FORM", default_value = "text")]
    pub(crate) output: EndpointOutput,
    /// Print the bare endpoint; there must be exactly one
    #[arg(long)]
    pub(crate) raw: bool,
    /// Only endpoints of this role
    #[arg(long, value_name = "ROLE")]
    pub(crate) role: Option<RoleName>,
}

/// The forms of endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum EndpointOutput {
    /// Lines with tabs between the columns
    Text,
    /// One document
    Json,
    /// For a shell to source
    Env,
    /// Plain NAME=VALUE lines, as GitLab and docker read them
    Dotenv,
    /// As text, and to $GITHUB_OUTPUT
    Github,
}

/// A role, as the command line names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RoleName {
    /// One address for both ways
    Queue,
    /// Where messages are sent
    Send,
    /// Where messages are received
    Receive,
    /// Where dead letters are received
    DeadLetter,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Queue => Role::Queue,
            RoleName::Send => Role::Send,
            RoleName::Receive => Role::Receive,
            RoleName::DeadLetter => Role::DeadLetter,
        }
    }
}

/// `mq status`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mq status --cloud all
  mq status --cloud aws --detailed-exitcode      2 where something differs from the file")]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// The form of the output
    #[arg(long, value_name = "FORM", default_value = "text")]
    pub(crate) output: PlanOutput,
    /// End with 2 where something differs from the file
    #[arg(long)]
    pub(crate) detailed_exitcode: bool,
}
