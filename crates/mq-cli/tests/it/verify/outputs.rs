//! What is printed and written.

use std::fs;

use mq_core::ErrorKind;
use serde_json::Value;

use super::{TWICE, verify};
use crate::capture::Audience;
use crate::documents::validate;
use crate::fake::World;

const ORDERS: &str = "  orders: { delivery_delay: 5s }";

#[test]
fn before_a_run_on_the_clouds_it_says_what_that_may_cost() {
    let world = World::new(&["one", "two"], ORDERS);
    let ran = verify(&world, &[TWICE], &["--reruns", "1"]);
    ran.ends_with(0);
    let line = ran
        .stderr
        .lines()
        .find(|line| line.starts_with("one (one-scope): 2 cases, at most "));
    let line = line.unwrap_or_else(|| panic!("{ran}"));
    assert!(line.contains(" requests, no charge; about "), "{ran}");
    let once = verify(&world, &[TWICE], &[]);
    assert!(
        !once.stderr.contains(line),
        "reruns are not counted: {once}"
    );
    let emulated = world.run(&["verify", "--only", TWICE]);
    assert!(
        !emulated.ends_with(0).stderr.contains("at most"),
        "{emulated}"
    );
}

#[test]
fn every_end_is_exactly_one_document_of_its_form() {
    let world = World::new(&["one", "two"], ORDERS);
    let json = ["--output", "json"];
    let run = |more: &[&str], code: i32| {
        let document = verify(&world, &["created-as-stated"], &[&json, more].concat());
        let document = document.ends_with(code).json();
        validate("verify", &document);
        assert_eq!(document["exit_code"], code);
        if !document["report"].is_null() {
            validate("../../mq-suite/schemas/report", &document["report"]);
        }
        let clouds = document["clouds"].as_array().expect("clouds");
        clouds
            .iter()
            .map(|cloud| cloud["outcome"].clone())
            .collect::<Vec<Value>>()
    };
    assert_eq!(run(&[], 0), ["passed", "passed"]);
    world.cloud(1).ignores_writes = true;
    assert_eq!(run(&[], 3), ["passed", "failed"]);
    world.cloud(1).ignores_writes = false;
    world.cloud(0).keeps_everything = true;
    assert_eq!(run(&[], 1), ["failed", "passed"]);
    world.cloud(0).keeps_everything = false;
    world.cloud(0).unreachable = Some(ErrorKind::PermissionDenied);
    assert_eq!(run(&[], 4), ["failed", "not-started"]);
    world.cloud(0).unreachable = None;
    assert_eq!(run(&["--strict"], 64), Vec::<Value>::new());
    assert_eq!(run(&["--only", "nothing"], 64), Vec::<Value>::new());
}

#[test]
fn reports_are_written_whatever_the_end_and_their_folder_is_made() {
    let world = World::new(&["one"], ORDERS);
    world.cloud(0).ignores_writes = true;
    let summary = world.path("summary");
    let file = |name: &str| world.path("out").join("deep").join(name);
    let reports: Vec<String> = ["junit", "json", "markdown", "html"]
        .iter()
        .map(|kind| format!("--report={kind}={}", file(kind).display()))
        .collect();
    let mut arguments = vec!["verify", "--live", "--only", "created-as-stated"];
    arguments.extend(reports.iter().map(String::as_str));
    let variables = [("GITHUB_STEP_SUMMARY", summary.to_str().expect("Unicode"))];
    world.run_with(&arguments, &variables).ends_with(3);
    for (name, begins) in [
        ("junit", "<?xml"),
        ("json", "{"),
        ("markdown", "#"),
        ("html", "<!"),
    ] {
        let text = fs::read_to_string(file(name)).expect(name);
        assert!(text.starts_with(begins), "{name}: {text}");
        assert!(text.contains("created-as-stated"), "{name}: {text}");
    }
    let summary = fs::read_to_string(summary).expect("a summary");
    assert_eq!(
        summary.trim_end(),
        fs::read_to_string(file("markdown")).expect("it").trim_end()
    );
}

#[test]
fn a_report_that_cannot_be_written_is_refused_before_the_run() {
    let world = World::new(&["one"], ORDERS);
    fs::write(world.path("file"), "").expect("written");
    for (kind, path) in [
        ("junit", world.path("")),
        ("html", world.path("file").join("x.html")),
    ] {
        let report = format!("{kind}={}", path.display());
        let ran = verify(&world, &[TWICE], &["--report", &report]);
        ran.ends_with(64);
        assert!(
            ran.stderr
                .contains("cannot be written, and nothing was run"),
            "{ran}"
        );
    }
    assert!(world.cloud(0).writes.is_empty());
}

#[test]
fn a_run_that_comes_to_nothing_leaves_no_report_of_an_earlier_one() {
    let world = World::new(&["one"], ORDERS);
    let file = world.path("report.json");
    let report = format!("json={}", file.display());
    let run = |code| {
        verify(&world, &[TWICE], &["--report", &report])
            .ends_with(code)
            .code
    };
    run(0);
    assert!(file.exists());
    world.cloud(0).unreachable = Some(ErrorKind::Unauthenticated);
    run(4);
    assert!(!file.exists(), "what was there is of another run");
}

#[test]
fn a_person_gets_colour_and_lines_that_fit_and_a_pipe_gets_neither() {
    let world = World::new(&["one", "another", "the-third-cloud", "four"], ORDERS);
    world.cloud(1).ignores_writes = true;
    let arguments = [
        "verify",
        "--live",
        "--only",
        "created-as-stated",
        "--only",
        TWICE,
    ];
    let person = |variables| world.run_as(&arguments, variables, Audience::Person(""));
    let coloured = person(&[]);
    coloured.ends_with(3);
    assert!(
        coloured
            .stdout
            .contains("\u{1b}[1m\u{1b}[31m✗ FAIL\u{1b}[0m"),
        "{coloured}"
    );
    let plain = person(&[("NO_COLOR", "1")]);
    assert!(!plain.stdout.contains('\u{1b}'), "{plain}");
    assert!(
        plain.stdout.contains("✗ FAIL"),
        "colour is never the only signal: {plain}"
    );
    for line in plain.stdout.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    let pipe = world.run(&arguments);
    assert!(!pipe.stdout.contains('\u{1b}'), "{pipe}");
    let longest = pipe.stdout.lines().map(|line| line.chars().count()).max();
    assert!(longest > Some(80), "{pipe}");
    let narrow = world.run_with(&arguments, &[("COLUMNS", "60")]);
    for line in narrow.stdout.lines() {
        assert!(line.chars().count() <= 60, "{line}");
    }
}

#[test]
fn a_pipe_hears_of_failures_as_they_come_unless_it_wants_quiet() {
    let world = World::new(&["one"], ORDERS);
    world.cloud(0).ignores_writes = true;
    let told = "one: FAIL orders: control/created-as-stated: ";
    let ran = verify(&world, &["created-as-stated"], &[]);
    assert!(ran.stderr.contains(told), "{ran}");
    let ran = verify(&world, &["created-as-stated"], &["--quiet"]);
    assert!(!ran.stderr.contains(told), "{ran}");
}
