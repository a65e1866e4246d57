//! JUnit: a strict reader finds in it what the report says.

use std::collections::BTreeSet;

use mq_suite::Report;
use mq_suite::report::{Live, Outcome, junit};
use proptest::prelude::*;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use crate::{generated, sample};

/// An element with all that is in it.
#[derive(Debug, Default)]
struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    text: String,
    children: Vec<Element>,
}

impl Element {
    fn attribute(&self, name: &str) -> &str {
        let mut attributes = self.attributes.iter();
        let found = attributes.find(|(it, _)| it == name);
        &found
            .unwrap_or_else(|| panic!("`{}` has no `{name}`", self.name))
            .1
    }

    fn count(&self, name: &str) -> usize {
        self.attribute(name).parse().unwrap()
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    fn has(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }
}

fn start(start: &BytesStart<'_>) -> Element {
    let attributes = start.attributes().map(|attribute| {
        let attribute = attribute.unwrap();
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).unwrap();
        let name = attribute.key.as_ref().to_owned();
        (name, value.into_owned())
    });
    Element {
        name: start.name().as_ref().to_owned(),
        attributes: attributes.collect(),
        ..Element::default()
    }
}

fn read(text: &str) -> Element {
    let mut reader = Reader::from_str(text);
    let mut open = vec![Element::default()];
    loop {
        let event = reader
            .read_event()
            .unwrap_or_else(|error| panic!("{error}\n{text}"));
        match event {
            Event::Start(it) => open.push(start(&it)),
            Event::Empty(it) => open.last_mut().unwrap().children.push(start(&it)),
            Event::End(_) => {
                let closed = open.pop().unwrap();
                open.last_mut().unwrap().children.push(closed);
            }
            Event::Text(it) => {
                let text = it.xml_content(XmlVersion::Implicit1_0);
                open.last_mut().unwrap().text.push_str(&text);
            }
            Event::GeneralRef(it) => {
                let character = match &*it {
                    "amp" => '&',
                    "lt" => '<',
                    "gt" => '>',
                    "quot" => '"',
                    _ => it.resolve_char_ref().unwrap().expect("a known entity"),
                };
                open.last_mut().unwrap().text.push(character);
            }
            Event::Decl(_) => {}
            Event::Eof => break,
            other => panic!("unexpected: {other:?}"),
        }
    }
    let mut root = open.pop().unwrap();
    assert!(open.is_empty() && root.children.len() == 1, "one root");
    root.children.remove(0)
}

/// The text as XML can hold it, worked out differently from the code under test.
fn as_xml_holds(text: &str) -> String {
    let mut held = String::new();
    for it in text.chars() {
        let code = u32::from(it);
        let legal = [9, 10, 13].contains(&code)
            || (0x20..=0xd7ff).contains(&code)
            || (0xe000..=0xfffd).contains(&code)
            || code >= 0x10000;
        if legal {
            held.push(it);
        } else {
            held.push_str(&format!("\\u{{{code:x}}}"));
        }
    }
    held
}

fn drifts(report: &Report) -> usize {
    report.drifted().count()
}

/// The counts that each suite says are those of its tests, and those of the whole are their sums.
fn check_counts(root: &Element) {
    let mut sums = [0; 3];
    for suite in root.all("testsuite") {
        let cases: Vec<&Element> = suite.all("testcase").collect();
        let having = |name: &str| cases.iter().filter(|case| case.has(name)).count();
        assert_eq!(suite.count("tests"), cases.len());
        assert_eq!(suite.count("failures"), having("failure"));
        assert_eq!(suite.count("errors"), having("error"));
        assert_eq!(suite.count("skipped"), having("skipped"));
        for (sum, name) in sums.iter_mut().zip(["tests", "failures", "errors"]) {
            *sum += suite.count(name);
        }
        for case in cases {
            let ends = ["failure", "error", "skipped"];
            let ends = case.children.iter().filter(|it| ends.contains(&&*it.name));
            assert!(ends.count() <= 1, "one result");
            let (whole, fraction) = case.attribute("time").split_once('.').unwrap();
            assert!(whole.parse::<u64>().is_ok() && fraction.len() == 3);
        }
    }
    for (sum, name) in sums.iter().zip(["tests", "failures", "errors"]) {
        assert_eq!(root.count(name), *sum, "{name}");
    }
}

fn passed(root: &Element) -> usize {
    let cases = root
        .all("testsuite")
        .flat_map(|suite| suite.all("testcase"));
    cases
        .filter(|case| {
            !["failure", "error", "skipped"]
                .iter()
                .any(|name| case.has(name))
        })
        .count()
}

fn sum(root: &Element, name: &str) -> usize {
    root.all("testsuite").map(|suite| suite.count(name)).sum()
}

/// Every cell of the report has its test, with its result and its words.
fn check_cells(report: &Report, root: &Element) {
    let suites: Vec<&Element> = root.all("testsuite").collect();
    for (target, suite) in report.targets.iter().zip(&suites) {
        assert_eq!(suite.attribute("name"), as_xml_holds(&target.name));
        let skips = report.queues.iter().flat_map(|queue| &queue.attributes);
        let column = report
            .targets
            .iter()
            .position(|it| it.name == target.name)
            .unwrap();
        let drifted = skips
            .filter(|row| matches!(row.cells[column].live, Live::Differs { .. }))
            .count();
        let mut cases = suite.all("testcase").skip(drifted);
        for row in &report.rows {
            let Some(cell) = &row.cells[column] else {
                continue;
            };
            let case = cases.next().expect("a test for each cell");
            let (class, name) = match &row.queue {
                Some(queue) => (
                    format!("{}.{queue}.control", target.name),
                    format!("{queue}: {}", row.behaviour),
                ),
                None => (format!("{}.control", target.name), row.behaviour.clone()),
            };
            assert_eq!(case.attribute("classname"), as_xml_holds(&class));
            assert_eq!(case.attribute("name"), as_xml_holds(&name));
            let (element, detail) = match &cell.outcome {
                Outcome::Passed => ("", ""),
                Outcome::Failed { seen } => ("failure", &**seen),
                Outcome::Error { message } => ("error", &**message),
                Outcome::Skipped { reason } => ("skipped", &**reason),
            };
            let ended = case.all(element).next();
            assert_eq!(ended.is_some(), cell.outcome != Outcome::Passed);
            if let Some(ended) = ended {
                assert_eq!(ended.attribute("message"), as_xml_holds(detail));
                if element != "skipped" {
                    assert_eq!(ended.text, as_xml_holds(detail));
                }
            }
            let attempts = if cell.outcome == Outcome::Passed {
                "flaky"
            } else {
                "rerun"
            };
            let attempts = case
                .children
                .iter()
                .filter(|it| it.name.starts_with(attempts));
            assert_eq!(attempts.count(), cell.earlier.len());
        }
    }
}

/// A run that is no whole one is an error of each cloud.
fn not_whole(report: &Report) -> usize {
    if report.interrupted || report.totals.executed() == 0 {
        report.targets.len()
    } else {
        0
    }
}

proptest! {
    #[test]
    fn a_strict_reader_finds_what_the_report_says(report in generated::report()) {
        let text = junit(&report);
        prop_assert_eq!(&as_xml_holds(&text), &text, "only what XML can hold");
        let root = read(&text);
        check_counts(&root);
        check_cells(&report, &root);
        prop_assert_eq!(passed(&root), report.totals.passed);
        prop_assert_eq!(sum(&root, "skipped"), report.totals.skipped);
        prop_assert_eq!(sum(&root, "errors"), report.totals.errors + not_whole(&report));
        let without_cell = drifts(&report) + report.leftovers.len();
        prop_assert_eq!(sum(&root, "failures"), report.totals.failed + without_cell);
    }

    #[test]
    fn a_baseline_decides_what_has_failed(report in generated::report_with_baseline()) {
        let root = read(&junit(&report));
        check_counts(&root);
        let differences = &report.baseline.as_ref().unwrap().differences;
        let unexpected: BTreeSet<(&str, &str)> =
            differences.iter().map(|it| (&*it.target, &*it.case)).collect();
        let (mut expected_passes, mut expected_skips) = (0, 0);
        for row in &report.rows {
            let case = match &row.queue {
                Some(queue) => format!("{queue}: {}", row.behaviour),
                None => row.behaviour.clone(),
            };
            for (target, cell) in report.targets.iter().zip(&row.cells) {
                match cell {
                    Some(_) if unexpected.contains(&(&*target.name, &*case)) => {}
                    Some(cell) if cell.outcome == Outcome::Passed => expected_passes += 1,
                    Some(_) => expected_skips += 1,
                    None => {}
                }
            }
        }
        prop_assert_eq!(passed(&root), expected_passes);
        prop_assert_eq!(sum(&root, "skipped"), expected_skips);
        prop_assert_eq!(sum(&root, "errors"), not_whole(&report));
        let without_cell = drifts(&report) + report.leftovers.len();
        prop_assert_eq!(sum(&root, "failures"), differences.len() + without_cell);
    }
}

#[test]
fn the_sample_says_when_where_and_what_was_tried() {
    let root = read(&junit(&sample::report()));
    assert_eq!(root.attribute("time"), "83.412");
    let gcp = root.all("testsuite").nth(2).unwrap();
    assert_eq!(gcp.attribute("timestamp"), "2026-11-24T19:53:20Z");
    let properties = gcp.all("properties").next().unwrap();
    let service = properties
        .children
        .iter()
        .find(|it| it.attribute("name") == "service");
    assert_eq!(service.unwrap().attribute("value"), "Google Cloud Pub/Sub");
    let flaky = gcp
        .all("testcase")
        .find(|case| case.has("flakyError"))
        .unwrap();
    assert_eq!(
        flaky.attribute("classname"),
        "gcp.inference-requests.control"
    );
    assert_eq!(
        flaky.attribute("name"),
        "inference-requests: control/endpoints-stay"
    );
    assert_eq!(
        flaky.all("flakyError").next().unwrap().attribute("type"),
        "error"
    );
    let aws = root.all("testsuite").next().unwrap();
    let drift = aws.all("testcase").next().unwrap();
    assert_eq!(drift.attribute("classname"), "aws.queues");
    assert_eq!(drift.attribute("name"), "inference-requests: retention");
    let message = drift.all("failure").next().unwrap().attribute("message");
    assert!(
        message.contains("MessageRetentionPeriod = 345600"),
        "{message}"
    );
}

#[test]
fn an_expected_failure_is_skipped_with_its_reason() {
    let mut report = sample::report();
    report.baseline = Some(mq_suite::report::BaselineComparison {
        file: "verify-baseline.json".to_owned(),
        differences: Vec::new(),
    });
    let root = read(&junit(&report));
    let aws = root.all("testsuite").next().unwrap();
    let case = aws
        .all("testcase")
        .find(|it| it.attribute("name") == "control/wrong-account-is-refused");
    let skipped = case.unwrap().all("skipped").next().unwrap();
    assert_eq!(
        skipped.attribute("message"),
        "expected to fail: the file states `000000000000`, and the run went on"
    );
}
