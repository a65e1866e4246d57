//! `mq verify`.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use mq_suite::{Group, Shard};

use super::{FileArgs, duration};

/// `mq verify`
#[derive(Debug, Args)]
#[command(after_help = "\
Each behaviour is a promise that an application may rely on. It is proved with queues that mq makes
and removes: a copy of each queue of the file, and queues of the suite's own. The queues themselves
are only compared, attribute by attribute. Without --cloud every entry under `clouds` is proved or,
where the file has none, every cloud.

Without --live all of it happens on an emulator in this process, which nobody else sees. With --live
it happens on the clouds themselves, and the number of requests and their price are said first; what
a killed run leaves there carries an expiry, and `mq gc` removes it.

It ends with 3 where a behaviour fails, where a live queue is not as the file says, where the run
differs from the baseline, and where nothing was executed.

Examples:
  mq verify                                          every cloud side by side, no account needed
  mq verify --live --cloud azure --stage ci          a real namespace
  mq verify --list                                   the behaviours, and what each promises
  mq verify --only destroy-twice --only 'update-in-place[retention]'
  mq verify --report junit=verify.xml --report html=verify.html
  mq verify --baseline verify.json                   exactly what is expected, no more and no less
  mq verify --baseline verify.json --update-baseline
  mq verify --shard 1/3                              the first of three machines")]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    pub(crate) file: FileArgs,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
    #[command(flatten)]
    pub(crate) choice: ChoiceArgs,
    #[command(flatten)]
    pub(crate) pace: PaceArgs,
    /// Compare the results with this file, exactly: a lost and a gained behaviour both fail
    #[arg(long, value_name = "FILE", help_heading = "Expectations")]
    pub(crate) baseline: Option<PathBuf>,
    /// Write the results to the baseline; what this run left out keeps its entry
    #[arg(long, requires = "baseline", help_heading = "Expectations")]
    pub(crate) update_baseline: bool,
    /// The form of the output
    #[arg(
        long,
        value_name = "FORM",
        default_value = "text",
        help_heading = "Output"
    )]
    pub(crate) output: VerifyOutput,
    /// Also write a report, also of a run that fails: junit, json, markdown or html; may be repeated
    #[arg(long = "report", value_name = "KIND=FILE", value_parser = report, help_heading = "Output")]
    pub(crate) reports: Vec<SuiteReport>,
}

/// Where the behaviours are proved.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Where")]
pub(crate) struct PlaceArgs {
    /// Prove them on the clouds themselves
    #[arg(long)]
    pub(crate) live: bool,
    /// What the clouds do and tests ought to meet; may be repeated
    #[arg(long = "quirk", value_name = "NAME[=VALUE]", conflicts_with = "live")]
    pub(crate) quirks: Vec<String>,
    /// The seed of all chance in the emulator
    #[arg(long, value_name = "N", conflicts_with = "live")]
    pub(crate) seed: Option<u64>,
}

/// Which cases.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Which behaviours")]
pub(crate) struct ChoiceArgs {
    /// Only this behaviour, by its id or its name; may be repeated
    #[arg(long, value_name = "BEHAVIOUR")]
    pub(crate) only: Vec<String>,
    /// Only this group; may be repeated
    #[arg(long = "group", value_name = "GROUP", value_parser = groups())]
    pub(crate) groups: Vec<Group>,
    /// Only this part of the cases: every N-th, beginning with the I-th
    #[arg(long, value_name = "I/N")]
    pub(crate) shard: Option<Shard>,
    /// Print the cases and what each promises, and run none; no cloud is asked
    #[arg(long)]
    pub(crate) list: bool,
}

/// How the cases are carried out.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "How")]
pub(crate) struct PaceArgs {
    /// How often a case that fails is tried again; one that then passes is told as flaky
    #[arg(long, value_name = "N", default_value = "0")]
    pub(crate) reruns: u32,
    /// How many cases are under way at a time, on each cloud
    #[arg(long, value_name = "N", default_value = "4", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) parallelism: u16,
    /// When the run ends, whatever has not begun by then
    #[arg(long, value_name = "DURATION", default_value = "30m", value_parser = duration)]
    pub(crate) timeout: Duration,
}

/// The forms of `mq verify`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum VerifyOutput {
    /// Tables for people
    Text,
    /// One document
    Json,
}

/// A report beside the command's own output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SuiteReport {
    pub(crate) kind: ReportKind,
    /// Where it is written.
    pub(crate) file: PathBuf,
}

/// Who reads a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReportKind {
    /// A CI system.
    Junit,
    /// A program.
    Json,
    /// A job's summary.
    Markdown,
    /// A person.
    Html,
}

impl ReportKind {
    const ALL: [ReportKind; 4] = [
        ReportKind::Junit,
        ReportKind::Json,
        ReportKind::Markdown,
        ReportKind::Html,
    ];
}

impl fmt::Display for ReportKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ReportKind::Junit => "junit",
            ReportKind::Json => "json",
            ReportKind::Markdown => "markdown",
            ReportKind::Html => "html",
        })
    }
}

fn report(text: &str) -> Result<SuiteReport, String> {
    let parts = text.split_once('=').filter(|(_, file)| !file.is_empty());
    let named = parts.and_then(|(word, file)| {
        let mut kinds = ReportKind::ALL.into_iter();
        Some((kinds.find(|kind| kind.to_string() == word)?, file))
    });
    let (kind, file) =
        named.ok_or("write KIND=FILE, where KIND is junit, json, markdown or html")?;
    Ok(SuiteReport {
        kind,
        file: file.into(),
    })
}

fn groups() -> impl TypedValueParser<Value = Group> {
    PossibleValuesParser::new(Group::ALL.map(Group::name)).try_map(|word| {
        let mut groups = Group::ALL.into_iter();
        groups
            .find(|group| group.name() == word)
            .ok_or("there is no such group")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_has_a_known_kind_and_a_file() {
        for kind in ReportKind::ALL {
            let read = report(&format!("{kind}=out/a=b"));
            let file = "out/a=b".into();
            assert_eq!(read, Ok(SuiteReport { kind, file }));
        }
        for wrong in ["junit", "junit=", "pdf=x", "=x", ""] {
            assert!(report(wrong).is_err(), "{wrong}");
        }
    }
}
