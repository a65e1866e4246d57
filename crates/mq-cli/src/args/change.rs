//! Commands that write to clouds.

use std::path::PathBuf;

use clap::Args;

use super::online::{AllowArgs, EndpointFilter, PlanOutput, TargetArgs};
use super::{Report, report};

/// `mq provision`
#[derive(Debug, Args)]
#[command(after_help = "\
The endpoints are the only thing on stdout, as `mq endpoint` prints them. The plan, warnings and
progress are on stderr. Interrupted at any point, the same command goes on from there.

Examples:
  mq provision                                to the cloud that the file names
  mq provision --cloud all --emulator         on this machine, no account needed
  mq provision --cloud aws --output json      endpoints and results as one document
  mq provision plan.json                      what `mq plan --save` saw; refused if reality moved")]
pub(crate) struct ProvisionArgs {
    /// A plan that `mq plan --save` wrote
    #[arg(value_name = "PLAN", conflicts_with_all = ["clouds", "queues", "stage", "strict", "adopt", "replace", "prune", "drop_messages"])]
    pub(crate) plan: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    #[command(flatten)]
    pub(crate) allow: AllowArgs,
    /// Go on without asking
    #[arg(long)]
    pub(crate) yes: bool,
    /// Begin nothing more on any cloud once one has failed
    #[arg(long)]
    pub(crate) fail_fast: bool,
    #[command(flatten)]
    pub(crate) show: EndpointFilter,
    /// Also write the plan to a file; may be repeated
    #[arg(long = "report", value_name = "markdown=FILE", value_parser = report)]
    pub(crate) reports: Vec<Report>,
}

/// `mq destroy`
#[derive(Debug, Args)]
#[command(after_help = "\
Removes what carries this file's marker, and nothing else. Refused where messages are, or may be,
unless --drop-messages; where the file says `protect`; and for what is not ours.

Examples:
  mq destroy --cloud aws --stage dev
  mq destroy --cloud all --stage \"ci-$RUN\" --drop-messages --yes")]
pub(crate) struct DestroyArgs {
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    #[command(flatten)]
    pub(crate) removal: RemovalArgs,
}

/// `mq gc`
#[derive(Debug, Args)]
#[command(after_help = "\
Removes the queues of the file's stack, on any stage, whose stage said `expires` and whose time has
come. Where there is no file, those of every stack.

Example:
  mq gc --cloud all --drop-messages --yes")]
pub(crate) struct GcArgs {
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    #[command(flatten)]
    pub(crate) removal: RemovalArgs,
}

/// How removals go.
#[derive(Debug, Clone, Args)]
pub(crate) struct RemovalArgs {
    /// Remove queues that hold messages, or may hold some
    #[arg(long)]
    pub(crate) drop_messages: bool,
    /// Go on without asking
    #[arg(long)]
    pub(crate) yes: bool,
    /// Begin nothing more on any cloud once one has failed
    #[arg(long)]
    pub(crate) fail_fast: bool,
    /// Show what would be removed, and remove nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// The form of the output
    #[arg(long, value_name = "FORM", default_value = "text")]
    pub(crate) output: PlanOutput,
}
