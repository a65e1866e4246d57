//! The report as suites of tests, before it is text.

use std::collections::{BTreeMap, BTreeSet};

use crate::case::name_of;
use crate::report::{BaselineDifference, Cell, Leftover, Live, Outcome, Report, Row, TargetInfo};

/// The tests of one cloud.
#[derive(Debug)]
pub(super) struct Suite<'a> {
    pub(super) name: String,
    pub(super) properties: Vec<(&'static str, String)>,
    pub(super) cases: Vec<TestCase<'a>>,
}

#[derive(Debug)]
pub(super) struct TestCase<'a> {
    pub(super) class: String,
    pub(super) name: String,
    pub(super) duration_ms: u64,
    pub(super) kind: Kind,
    /// The attempts before the one that counts.
    pub(super) earlier: &'a [Outcome],
    pub(super) promise: Option<&'a str>,
}

impl TestCase<'_> {
    /// A test that is there only because it failed.
    fn failed(class: String, name: String, cause: &'static str, message: String) -> Self {
        TestCase {
            class,
            name,
            duration_ms: 0,
            kind: Kind::Failure { cause, message },
            earlier: &[],
            promise: None,
        }
    }
}

/// What a reader counts a test as.
#[derive(Debug)]
pub(super) enum Kind {
    Passed,
    Failure {
        cause: &'static str,
        message: String,
    },
    Error {
        message: String,
    },
    Skipped {
        reason: String,
    },
}

impl Kind {
    pub(super) fn is_failure(&self) -> bool {
        matches!(self, Kind::Failure { .. })
    }

    pub(super) fn is_error(&self) -> bool {
        matches!(self, Kind::Error { .. })
    }

    pub(super) fn is_skipped(&self) -> bool {
        matches!(self, Kind::Skipped { .. })
    }
}

/// One suite for each cloud, in the order of the columns. A baseline may know clouds that the run
/// does not.
pub(super) fn suites(report: &Report) -> Vec<Suite<'_>> {
    let mut suites: Vec<Suite<'_>> = report
        .targets
        .iter()
        .enumerate()
        .map(|(column, target)| suite(report, column, target))
        .collect();
    let known: BTreeSet<&str> = report.targets.iter().map(|it| &*it.name).collect();
    let others = differences(report).map(|it| &*it.target);
    let others = others.chain(report.leftovers.iter().map(|it| &*it.target));
    let others: BTreeSet<&str> = others.filter(|name| !known.contains(name)).collect();
    suites.extend(others.into_iter().map(|name| Suite {
        name: name.to_owned(),
        properties: Vec::new(),
        cases: without_cell(report, name, &BTreeSet::new()),
    }));
    suites
}

fn suite<'a>(report: &'a Report, column: usize, target: &'a TargetInfo) -> Suite<'a> {
    let mut cases = drifted(report, column, &target.name);
    let unexpected = report.baseline.as_ref().map(|baseline| {
        let differences = baseline.differences.iter();
        let of_target = differences.filter(|it| it.target == target.name);
        of_target.map(|it| (&*it.case, it)).collect()
    });
    let mut named = BTreeSet::new();
    for row in &report.rows {
        if let Some(Some(cell)) = row.cells.get(column) {
            let case = test_case(unexpected.as_ref(), target, row, cell);
            named.insert(case.name.clone());
            cases.push(case);
        }
    }
    cases.extend(without_cell(report, &target.name, &named));
    cases.extend(not_whole(report, &target.name));
    Suite {
        name: target.name.clone(),
        properties: properties(report, target),
        cases,
    }
}

/// A run that did not come to its end, or executed nothing, is no run without failures.
fn not_whole<'a>(report: &Report, target: &str) -> Option<TestCase<'a>> {
    let message = if report.interrupted {
        "the run did not come to its end"
    } else if report.totals.executed() == 0 {
        "nothing was executed"
    } else {
        return None;
    };
    Some(TestCase {
        kind: Kind::Error {
            message: message.to_owned(),
        },
        ..TestCase::failed(
            format!("{target}.run"),
            "the whole run".to_owned(),
            "",
            String::new(),
        )
    })
}

fn properties(report: &Report, target: &TargetInfo) -> Vec<(&'static str, String)> {
    let mut properties = vec![
        ("backend", target.backend.clone()),
        ("service", target.service.clone()),
        ("scope", target.scope.clone()),
        ("emulated", target.emulated.to_string()),
        ("tool_version", report.tool_version.clone()),
        ("run", report.run.clone()),
        ("interrupted", report.interrupted.to_string()),
    ];
    properties.extend(report.shard.clone().map(|shard| ("shard", shard)));
    properties
}

/// `unexpected` is what differs from the baseline on this cloud, where there is one.
fn test_case<'a>(
    unexpected: Option<&BTreeMap<&str, &BaselineDifference>>,
    target: &TargetInfo,
    row: &'a Row,
    cell: &'a Cell,
) -> TestCase<'a> {
    let group = row.group.name();
    let name = name_of(&row.behaviour, row.queue.as_deref());
    TestCase {
        class: match &row.queue {
            Some(queue) => format!("{}.{queue}.{group}", target.name),
            None => format!("{}.{group}", target.name),
        },
        kind: match unexpected {
            None => as_it_ended(&cell.outcome),
            Some(unexpected) => as_expected(&cell.outcome, unexpected.get(&*name).copied()),
        },
        name,
        duration_ms: cell.duration_ms,
        earlier: &cell.earlier,
        promise: Some(&row.promise),
    }
}

fn as_it_ended(outcome: &Outcome) -> Kind {
    match outcome {
        Outcome::Passed => Kind::Passed,
        Outcome::Failed { seen } => Kind::Failure {
            cause: "failed",
            message: seen.clone(),
        },
        Outcome::Error { message } => Kind::Error {
            message: message.clone(),
        },
        Outcome::Skipped { reason } => Kind::Skipped {
            reason: reason.clone(),
        },
    }
}

/// The baseline decides which results are right.
fn as_expected(outcome: &Outcome, difference: Option<&BaselineDifference>) -> Kind {
    if let Some(difference) = difference {
        return Kind::Failure {
            cause: "baseline",
            message: unexpected(difference, outcome.detail()),
        };
    }
    match outcome {
        Outcome::Failed { seen } => Kind::Skipped {
            reason: format!("expected to fail: {seen}"),
        },
        Outcome::Error { message } => Kind::Skipped {
            reason: format!("expected to end in an error: {message}"),
        },
        Outcome::Passed | Outcome::Skipped { .. } => as_it_ended(outcome),
    }
}

fn unexpected(difference: &BaselineDifference, detail: &str) -> String {
    let detail = match detail {
        "" => String::new(),
        detail => format!(": {detail}"),
    };
    match (&difference.expected, &difference.actual) {
        (Some(expected), Some(actual)) => {
            format!("the baseline expects `{expected}`, and it was `{actual}`{detail}")
        }
        (Some(expected), None) => {
            format!("the baseline expects `{expected}`, and there is no such case any more")
        }
        (None, Some(actual)) => {
            format!("the baseline does not know this case, which was `{actual}`{detail}")
        }
        (None, None) => "the baseline and the run do not know this case".to_owned(),
    }
}

fn differences(report: &Report) -> impl Iterator<Item = &BaselineDifference> {
    report.baseline.iter().flat_map(|it| &it.differences)
}

/// Live attributes of one cloud that are not as the file says.
fn drifted<'a>(report: &Report, column: usize, target: &str) -> Vec<TestCase<'a>> {
    let mut cases = Vec::new();
    for queue in &report.queues {
        for row in &queue.attributes {
            let Some(cell) = row.cells.get(column) else {
                continue;
            };
            if let Live::Differs { seen } = &cell.live {
                cases.push(TestCase::failed(
                    format!("{target}.queues"),
                    format!("{}: {}", queue.queue, row.attribute),
                    "drift",
                    format!("the file says {}, and what is there is {seen}", cell.value),
                ));
            }
        }
    }
    cases
}

/// What a cloud has to answer for without a cell: cases that only the baseline knows, and what the
/// run left behind.
fn without_cell<'a>(report: &Report, target: &str, named: &BTreeSet<String>) -> Vec<TestCase<'a>> {
    let lost = differences(report)
        .filter(|it| it.target == target && !named.contains(&it.case))
        .map(|it| {
            let class = format!("{target}.baseline");
            TestCase::failed(class, it.case.clone(), "baseline", unexpected(it, ""))
        });
    let left = report.leftovers.iter().filter(|it| it.target == target);
    let left = left.map(|Leftover { resource, why, .. }| {
        let class = format!("{target}.leftovers");
        let message = format!("it could not be removed: {why}");
        TestCase::failed(class, resource.clone(), "leftover", message)
    });
    lost.chain(left).collect()
}
