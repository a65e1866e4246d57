//! Commands that call no cloud.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use clap_complete::Shell;

use super::{FileArgs, Report, report};

/// `mq init`
#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// Where to write it
    #[arg(short, long, value_name = "FILE", default_value = "mq.yaml")]
    pub(crate) file: PathBuf,
    /// Write over a file that is there
    #[arg(long)]
    pub(crate) force: bool,
}

/// `mq check`
#[derive(Debug, Args)]
#[command(after_help = "\
Without --cloud every entry under `clouds` is checked, and every cloud that has none.

Examples:
  mq check
  mq check -f configs/production.yaml --strict
  mq check --output sarif > mq.sarif        findings at the file's lines, for code scanning")]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) file: FileArgs,
    /// The form of the output
    #[arg(long, value_name = "FORM", default_value = "text")]
    pub(crate) output: CheckOutput,
    /// Also write the table to a file; may be repeated
    #[arg(long = "report", value_name = "markdown=FILE", value_parser = report)]
    pub(crate) reports: Vec<Report>,
}

/// The forms of `mq check`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CheckOutput {
    /// A table for people
    Text,
    /// One document
    Json,
    /// SARIF 2.1.0
    Sarif,
}

/// `mq explain`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mq explain                               every attribute, one line each
  mq explain dead_letter.max_deliveries")]
pub(crate) struct ExplainArgs {
    /// The attribute's path, such as dead_letter.max_deliveries
    pub(crate) attribute: Option<String>,
}

/// `mq schema`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  mq schema > mq.schema.json     then: # yaml-language-server: $schema=./mq.schema.json")]
pub(crate) struct SchemaArgs {}

/// `mq completions`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  mq completions bash > /etc/bash_completion.d/mq")]
pub(crate) struct CompletionsArgs {
    /// The shell
    pub(crate) shell: Shell,
}

/// `mq man`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  mq man > /usr/local/share/man/man1/mq.1")]
pub(crate) struct ManArgs {}
