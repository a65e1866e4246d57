//! The reports of the portability suite, judged by readers that were not written here: Python's
//! expat and `junitparser` read the JUnit report, Chromium shows the page.
//!
//! Where one of them is absent its tests are listed as ignored, with the reason;
//! `MQ_REQUIRE_JUDGES=1` and `MQ_REQUIRE_CHROMIUM=1` make that a failure. `MQ_PYTHON` and
//! `MQ_CHROMIUM` name the programs.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops where something cannot be set up"
)]
#![expect(
    clippy::print_stdout,
    reason = "what the judges saw is part of the report"
)]

mod browser;
#[path = "../../../crates/mq-suite/tests/it/generated.rs"]
mod generated;
mod page;
mod readers;
#[path = "../../../crates/mq-suite/tests/it/sample.rs"]
mod sample;
mod silence;

use libtest_mimic::{Arguments, Failed, Trial};
use mq_suite::Report;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = vec![readers::trial()];
    trials.extend(page::trials());
    libtest_mimic::run(&arguments, trials).exit();
}

/// A test that needs a program which may be absent.
fn needing<P: Send + 'static>(
    name: &str,
    program: Result<P, String>,
    required: bool,
    test: fn(P) -> Result<(), Failed>,
) -> Trial {
    let ignored = program.is_err() && !required;
    if let (Err(why), true) = (&program, ignored) {
        println!("ignored: {name}: {why}");
    }
    Trial::test(name, move || test(program?)).with_ignored_flag(ignored)
}

/// So many reports with the worst texts, the same ones in every run.
fn nasty(count: usize) -> Vec<Report> {
    let mut runner = TestRunner::deterministic();
    let strategy = generated::any_report();
    let reports = (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current());
    reports.collect()
}
