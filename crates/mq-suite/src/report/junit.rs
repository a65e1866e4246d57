//! The report as JUnit XML, for the test views of CI systems.
//!
//! The form is that of <https://github.com/jenkinsci/xunit-plugin> (`junit-10.xsd`), which is what
//! GitLab and the readers on GitHub take too; `flakyFailure` and `rerunFailure` are Maven
//! Surefire's (<https://maven.apache.org/surefire/maven-surefire-plugin/examples/rerun-failing-tests.html>).

mod suites;
mod xml;

use self::suites::{Kind, Suite, TestCase, suites};
use self::xml::Xml;
use super::text::moment;
use super::{Outcome, Report};

/// The report as JUnit XML: one suite for each cloud.
///
/// A case is a test of the class `CLOUD.GROUP`, or `CLOUD.QUEUE.GROUP` where it was proved with a
/// copy of a queue of the file. An attribute of a live queue that is not as the file says is a
/// failed test of the class `CLOUD.queues`; what could not be removed, one of `CLOUD.leftovers`.
///
/// Where there is a baseline it decides: what it expects to fail is skipped with the reason, and
/// whatever differs from it has failed, a lost case among them (`CLOUD.baseline`).
///
/// A character that XML 1.0 cannot hold is written as `\u{1}`.
#[must_use]
pub fn junit(report: &Report) -> String {
    let suites = suites(report);
    let count = |is_kind: fn(&Kind) -> bool| {
        let cases = suites.iter().flat_map(|suite| &suite.cases);
        cases.filter(|case| is_kind(&case.kind)).count().to_string()
    };
    let tests = suites.iter().map(|suite| suite.cases.len()).sum::<usize>();
    let mut xml = Xml::default();
    xml.open(
        "testsuites",
        &[
            ("name", "mq verify"),
            ("tests", &tests.to_string()),
            ("failures", &count(Kind::is_failure)),
            ("errors", &count(Kind::is_error)),
            ("time", &seconds(report.duration_ms)),
        ],
    );
    for suite in &suites {
        write_suite(&mut xml, suite, &moment(report.started));
    }
    xml.close("testsuites");
    xml.into_text()
}

fn write_suite(xml: &mut Xml, suite: &Suite, started: &str) {
    let count = |is_kind: fn(&Kind) -> bool| {
        let cases = suite.cases.iter();
        cases.filter(|case| is_kind(&case.kind)).count().to_string()
    };
    let time = suite.cases.iter().map(|case| case.duration_ms);
    xml.open(
        "testsuite",
        &[
            ("name", &suite.name),
            ("tests", &suite.cases.len().to_string()),
            ("failures", &count(Kind::is_failure)),
            ("errors", &count(Kind::is_error)),
            ("skipped", &count(Kind::is_skipped)),
            ("time", &seconds(time.fold(0, u64::saturating_add))),
            ("timestamp", started),
        ],
    );
    if !suite.properties.is_empty() {
        xml.open("properties", &[]);
        for (name, value) in &suite.properties {
            xml.empty("property", &[("name", name), ("value", value)]);
        }
        xml.close("properties");
    }
    for case in &suite.cases {
        write_case(xml, case);
    }
    xml.close("testsuite");
}

fn write_case(xml: &mut Xml, case: &TestCase) {
    let time = seconds(case.duration_ms);
    let attributes = [
        ("classname", &*case.class),
        ("name", &*case.name),
        ("time", &*time),
    ];
    xml.open("testcase", &attributes);
    match &case.kind {
        Kind::Passed => {}
        Kind::Failure { cause, message } => write_failure(xml, "failure", cause, message),
        Kind::Error { message } => write_failure(xml, "error", "error", message),
        Kind::Skipped { reason } => xml.empty("skipped", &[("message", reason)]),
    }
    for attempt in case.earlier {
        let element = match (attempt, &case.kind) {
            (Outcome::Failed { .. }, Kind::Passed) => "flakyFailure",
            (Outcome::Error { .. }, Kind::Passed) => "flakyError",
            (Outcome::Failed { .. }, _) => "rerunFailure",
            (Outcome::Error { .. }, _) => "rerunError",
            (Outcome::Passed | Outcome::Skipped { .. }, _) => continue,
        };
        let message = attempt.detail();
        xml.open(element, &[("message", message), ("type", attempt.name())]);
        xml.element("stackTrace", &[], message);
        xml.close(element);
    }
    if let Some(promise) = case.promise {
        xml.element("system-out", &[], promise);
    }
    xml.close("testcase");
}

fn write_failure(xml: &mut Xml, element: &str, cause: &str, message: &str) {
    xml.element(element, &[("message", message), ("type", cause)], message);
}

/// Seconds with three digits of a fraction.
fn seconds(millis: u64) -> String {
    format!("{}.{:03}", millis / 1_000, millis % 1_000)
}
