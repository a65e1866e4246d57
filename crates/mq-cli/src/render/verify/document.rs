//! The JSON documents of `mq verify`; `schemas/verify.schema.json` holds their form.

use mq_suite::report::{TargetInfo, Totals};
use mq_suite::{Case, Report};
use serde::Serialize;

use crate::exit::Exit;
use crate::failure::{FindingDocument, Findings};
use crate::render::document::SCHEMA_VERSION;

/// A run.
#[derive(Serialize)]
pub(crate) struct VerifyDocument<'a> {
    schema_version: u32,
    command: &'static str,
    exit_code: u8,
    /// What was found in the file and in the verdicts.
    diagnostics: Vec<FindingDocument<'a>>,
    /// One entry for each cloud.
    clouds: Vec<CloudDocument<'a>>,
    /// All of it.
    report: &'a Report,
}

#[derive(Serialize)]
struct CloudDocument<'a> {
    cloud: &'a str,
    backend: &'a str,
    outcome: CloudOutcome,
    totals: Totals,
}

/// How one cloud fared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum CloudOutcome {
    /// Everything that ran is as it should be.
    Passed,
    /// Something is not, or was left behind.
    Failed,
    /// Nothing could be asked of it.
    NothingExecuted,
    /// The run was ended early.
    Interrupted,
}

pub(crate) fn of_run<'a>(
    report: &'a Report,
    findings: &'a Findings,
    exit: Exit,
) -> VerifyDocument<'a> {
    let cloud = |target: &'a TargetInfo| CloudDocument {
        cloud: &target.name,
        backend: &target.backend,
        outcome: outcome(report, target),
        totals: target.totals,
    };
    VerifyDocument {
        schema_version: SCHEMA_VERSION,
        command: "verify",
        exit_code: exit.code(),
        diagnostics: findings.documents(),
        clouds: report.targets.iter().map(cloud).collect(),
        report,
    }
}

fn outcome(report: &Report, target: &TargetInfo) -> CloudOutcome {
    let name = target.name.as_str();
    let broken = match &report.baseline {
        Some(baseline) => baseline.differences.iter().any(|it| it.target == name),
        None => target.totals.failed + target.totals.errors > 0,
    };
    let left = report.leftovers.iter().any(|it| it.target == name);
    if broken || left || report.drifted().any(|(_, _, cloud)| cloud == name) {
        CloudOutcome::Failed
    } else if report.interrupted {
        CloudOutcome::Interrupted
    } else if target.totals.executed() == 0 {
        CloudOutcome::NothingExecuted
    } else {
        CloudOutcome::Passed
    }
}

/// A list of cases that were not run.
#[derive(Serialize)]
pub(crate) struct ListDocument<'a> {
    schema_version: u32,
    command: &'static str,
    exit_code: u8,
    cases: &'a [ListedCase<'a>],
}

/// A case, on all the clouds that it would run on.
#[derive(Serialize)]
pub(crate) struct ListedCase<'a> {
    pub(crate) case: String,
    pub(crate) behaviour: String,
    pub(crate) group: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) queue: Option<&'a str>,
    pub(crate) clouds: Vec<&'a str>,
    pub(crate) promise: &'static str,
}

impl<'a> ListedCase<'a> {
    /// The cases of one row, one for each of the clouds; none where no cloud's is chosen.
    pub(crate) fn of(row: &'a [Case], clouds: &'a [String]) -> Option<ListedCase<'a>> {
        let first = row.first()?;
        let chosen: Vec<&str> = row
            .iter()
            .filter(|case| case.chosen)
            .map(|case| clouds[case.subject].as_str())
            .collect();
        (!chosen.is_empty()).then(|| ListedCase {
            case: first.id(),
            behaviour: first.behaviour.id(),
            group: first.behaviour.group.name(),
            queue: first.queue.as_deref(),
            clouds: chosen,
            promise: first.behaviour.promise,
        })
    }
}

pub(crate) fn of_list<'a>(cases: &'a [ListedCase<'a>]) -> ListDocument<'a> {
    ListDocument {
        schema_version: SCHEMA_VERSION,
        command: "verify",
        exit_code: Exit::Done.code(),
        cases,
    }
}
