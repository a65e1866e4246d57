//! The committed expectation: exact, and blind to nothing but what was left to others.

use mq_suite::Report;
use mq_suite::report::baseline::{Baseline, BaselineError, Ending, KnownCase};
use mq_suite::report::{BaselineDifference, Outcome};
use proptest::prelude::*;

use crate::{generated, sample};

const FILE: &str = "verify-baseline.json";

/// Every case of the report, chosen where it has a cell.
fn known(report: &Report) -> Vec<KnownCase> {
    let mut known = Vec::new();
    for row in &report.rows {
        for (target, cell) in report.targets.iter().zip(&row.cells) {
            known.push(KnownCase {
                target: target.name.clone(),
                case: match &row.queue {
                    Some(queue) => format!("{queue}: {}", row.behaviour),
                    None => row.behaviour.clone(),
                },
                chosen: cell.is_some(),
            });
        }
    }
    known
}

fn differences(baseline: &Baseline, report: &Report) -> Vec<BaselineDifference> {
    baseline.compare(FILE, report, &known(report)).differences
}

fn difference(case: &str, expected: Option<&str>, actual: Option<&str>) -> Vec<BaselineDifference> {
    vec![BaselineDifference {
        target: "gcp".to_owned(),
        case: case.to_owned(),
        expected: expected.map(str::to_owned),
        actual: actual.map(str::to_owned),
    }]
}

/// The sample, with the cells of this behaviour on Pub/Sub as given.
fn sample_where(behaviour: &str, outcome: Option<Outcome>) -> Report {
    let mut report = sample::report();
    for row in report
        .rows
        .iter_mut()
        .filter(|row| row.behaviour == behaviour)
    {
        match &outcome {
            Some(outcome) => row.cells[2].as_mut().unwrap().outcome = outcome.clone(),
            None => row.cells[2] = None,
        }
    }
    report
}

#[test]
fn a_run_is_as_it_expects_itself() {
    let report = sample::report();
    let baseline = Baseline::of(&report);
    assert_eq!(differences(&baseline, &report), []);
    let cases: usize = baseline.targets.values().map(|cases| cases.len()).sum();
    assert_eq!(cases, 171, "57 behaviours on 3 clouds");
}

#[test]
fn a_result_that_changes_is_a_difference_for_better_and_for_worse() {
    let (bad, good) = (
        sample::report(),
        sample_where("control/deleted-is-gone", Some(Outcome::Passed)),
    );
    let case = "control/deleted-is-gone";
    let (failed, passed) = (Some("failed"), Some("passed"));
    assert_eq!(
        differences(&Baseline::of(&bad), &good),
        difference(case, failed, passed)
    );
    assert_eq!(
        differences(&Baseline::of(&good), &bad),
        difference(case, passed, failed)
    );
}

#[test]
fn what_was_seen_may_change() {
    let seen = "something else".to_owned();
    let report = sample_where("control/deleted-is-gone", Some(Outcome::Failed { seen }));
    assert_eq!(differences(&Baseline::of(&sample::report()), &report), []);
}

#[test]
fn a_new_case_and_a_lost_one_are_differences() {
    let report = sample::report();
    let case = "control/destroy-twice";
    let mut without = Baseline::of(&report);
    without.targets.get_mut("gcp").unwrap().remove(case);
    assert_eq!(
        differences(&without, &report),
        difference(case, None, Some("passed"))
    );
    let mut with = Baseline::of(&report);
    let cases = with.targets.get_mut("gcp").unwrap();
    cases.insert("control/no-more".to_owned(), Ending::Skipped);
    assert_eq!(
        differences(&with, &report),
        difference("control/no-more", Some("skipped"), None)
    );
}

#[test]
fn what_is_left_to_others_is_not_compared_and_stays_in_the_file() {
    let baseline = Baseline::of(&sample::report());
    let part = sample_where("control/destroy-twice", None);
    assert_eq!(differences(&baseline, &part), []);
    assert_eq!(baseline.merge(&part, &known(&part)), baseline);
    let mut one_cloud = sample::report();
    one_cloud.targets.truncate(1);
    for row in &mut one_cloud.rows {
        row.cells.truncate(1);
    }
    assert_eq!(differences(&baseline, &one_cloud), []);
    assert_eq!(baseline.merge(&one_cloud, &known(&one_cloud)), baseline);
}

#[test]
fn a_chosen_case_that_did_not_run_is_lost_unless_the_run_was_interrupted() {
    let baseline = Baseline::of(&sample::report());
    let known = known(&sample::report());
    let mut part = sample_where("control/destroy-twice", None);
    let lost = baseline.compare(FILE, &part, &known);
    let expected = difference("control/destroy-twice", Some("passed"), None);
    assert_eq!((lost.file, lost.differences), (FILE.to_owned(), expected));
    part.interrupted = true;
    assert_eq!(baseline.compare(FILE, &part, &known).differences, []);
}

#[test]
fn an_update_takes_what_was_found_and_drops_what_is_no_more() {
    let good = sample_where("control/deleted-is-gone", Some(Outcome::Passed));
    let mut baseline = Baseline::of(&sample::report());
    let cases = baseline.targets.get_mut("gcp").unwrap();
    cases.insert("control/no-more".to_owned(), Ending::Passed);
    let merged = baseline.merge(&good, &known(&good));
    assert_eq!(merged, Baseline::of(&good));
}

#[test]
fn the_file_is_sorted_and_a_case_to_a_line() {
    let mut report = sample_where("control/destroy-twice", None);
    report
        .rows
        .retain(|row| row.behaviour.starts_with("control/destroy-"));
    report.targets.reverse();
    for row in &mut report.rows {
        row.cells.reverse();
    }
    let expected = r#"{
  "schema_version": 1,
  "targets": {
    "aws": {
      "control/destroy-spares-messages": "passed",
      "control/destroy-spares-others": "passed",
      "control/destroy-twice": "passed"
    },
    "azure": {
      "control/destroy-spares-messages": "passed",
      "control/destroy-spares-others": "passed",
      "control/destroy-twice": "passed"
    },
    "gcp": {
      "control/destroy-spares-messages": "passed",
      "control/destroy-spares-others": "passed"
    }
  }
}
"#;
    assert_eq!(Baseline::of(&report).to_text(), expected);
}

#[test]
fn a_text_of_another_form_is_refused_with_its_place() {
    let problem = |text: &str| Baseline::parse(text).unwrap_err().to_string();
    let twice = "{\"schema_version\": 1, \"targets\": {\"aws\": {\n\"a\": \"passed\",\n\"a\": \"failed\"}}}";
    assert_eq!(problem(twice), "line 3, column 14: `a` is there twice");
    let word = "{\"schema_version\": 1, \"targets\": {\"aws\": {\n\"a\": \"green\"}}}";
    assert!(
        problem(word).starts_with("line 2, column 12: unknown variant `green`"),
        "{}",
        problem(word)
    );
    let field = "{\"schema_version\": 1, \"targets\": {},\n\"more\": 1}";
    assert!(
        problem(field).starts_with("line 2, column 6: unknown field `more`"),
        "{}",
        problem(field)
    );
    assert!(problem("<<<<<<< ours").starts_with("line 1, column 1: expected value"));
    let version = "{\"schema_version\": 2, \"cases\": []}";
    assert_eq!(
        Baseline::parse(version),
        Err(BaselineError::Version { found: 2 })
    );
}

proptest! {
    #[test]
    fn what_is_written_is_read_and_expects_the_same_run(report in generated::report()) {
        let baseline = Baseline::of(&report);
        let read = Baseline::parse(&baseline.to_text()).unwrap();
        prop_assert_eq!(&read, &baseline);
        prop_assert_eq!(differences(&read, &report), vec![]);
        prop_assert_eq!(read.merge(&report, &known(&report)), baseline);
    }
}
