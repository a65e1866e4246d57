//! One story each; and the engine against the model, at random.
//!
//! `MQ_ENGINE_OPERATIONS=10000000` makes it a long run.

mod arriving;
mod dead_letters;
mod desk;
mod driver;
mod leases;
mod model;
mod operating;
mod order;
mod world;

use std::collections::BTreeSet;

use self::driver::{Check, Driver, Entry, Failure};
use crate::Timestamp;
use crate::planted::{Bug, plant};

/// How many operations one run makes before the next begins with an engine of its own.
const RUN: u64 = 2_000;
/// How many operations there are when nothing else is said.
const OPERATIONS: u64 = 100_000;
/// The first seed; each run has the next one.
const SEED: u64 = 1;
/// How many runs are made to find a planted bug.
const HUNTS: u64 = 50;
/// How many without a look at what the engine holds; some bugs cannot be found so.
const BLIND_HUNTS: u64 = 15;

/// What must have happened in the default run, lest it prove nothing.
const MUST_HAPPEN: [&str; 21] = [
    "Done",
    "GroupMissing",
    "Ignored(Expired)",
    "Ignored(Gone)",
    "Ignored(Superseded)",
    "MoveRunning",
    "NoMessage",
    "NoMove",
    "NoSessions",
    "Refused(Expired)",
    "Refused(Gone)",
    "Refused(Superseded)",
    "SessionHeld",
    "SessionLost",
    "SessionRequired",
    "received Asked",
    "received Expired",
    "received ForwardFailed",
    "received Forwarded",
    "received MaxDeliveries",
    "received Moved",
];

fn operations() -> u64 {
    let wanted = std::env::var("MQ_ENGINE_OPERATIONS").ok();
    wanted.map_or(OPERATIONS, |text| {
        text.parse().expect("a number of operations")
    })
}

/// Makes one run, and tells where it failed.
fn run(driver: &mut Driver) -> Result<(), (u64, Failure)> {
    for step in 0..RUN {
        driver.step().map_err(|failure| (step, failure))?;
    }
    Ok(())
}

/// The same run again, with all that was asked and answered.
fn tell(seed: u64, steps: u64, failure: &Failure) -> String {
    let mut driver = Driver::new(seed);
    driver.journal = Some(Vec::new());
    for _ in 0..=steps {
        let _ = driver.step();
    }
    let journal = driver.journal.unwrap_or_default();
    let from = journal.len().saturating_sub(30);
    let line = |((time, asked), answer)| format!("{time} {asked:?}\n    {answer}");
    let last: Vec<String> = journal
        .into_iter()
        .zip(driver.answers)
        .skip(from)
        .map(line)
        .collect();
    format!(
        "seed {seed}, step {steps}: {:?}: {}\nthe last operations:\n{}",
        failure.check,
        failure.what,
        last.join("\n")
    )
}

#[test]
fn the_engine_does_what_the_model_does() {
    let runs = operations().div_ceil(RUN);
    let last = SEED + runs - 1;
    println!("{runs} runs of {RUN} operations, seeds {SEED} to {last}");
    let mut seen = BTreeSet::new();
    for seed in SEED..=last {
        let mut driver = Driver::new(seed);
        if let Err((step, failure)) = run(&mut driver) {
            panic!("{}", tell(seed, step, &failure));
        }
        seen.append(&mut driver.seen);
    }
    let missing: Vec<&str> = MUST_HAPPEN
        .into_iter()
        .filter(|what| !seen.contains(*what))
        .collect();
    assert!(missing.is_empty(), "{missing:?} never happened: {seen:?}");
}

/// After how many operations something finds what is wrong, and what.
fn hunt(answers_only: bool) -> Option<(u64, Check)> {
    let hunts = if answers_only { BLIND_HUNTS } else { HUNTS };
    (0..hunts).find_map(|hunt| {
        let mut driver = Driver::new(SEED + hunt);
        driver.answers_only = answers_only;
        let (step, failure) = run(&mut driver).err()?;
        Some((hunt * RUN + step + 1, failure.check))
    })
}

/// The checks are worth something only if they find what is wrong.
#[test]
fn every_planted_bug_is_found() {
    println!(
        "{:<22} {:<28} by the answers alone, within {} operations",
        "bug",
        "caught by, after operations",
        BLIND_HUNTS * RUN
    );
    let told = |found: Option<(u64, Check)>| {
        found.map_or("nothing".to_owned(), |(steps, check)| {
            format!("{check:?}, {steps}")
        })
    };
    let mut missed = Vec::new();
    for bug in Bug::ALL {
        plant(Some(bug));
        let (all, answers) = (hunt(false), hunt(true));
        plant(None);
        let name = format!("{bug:?}");
        println!("{name:<22} {:<28} {}", told(all), told(answers));
        if all.is_none() {
            missed.push(bug);
        }
    }
    assert!(missed.is_empty(), "nothing caught {missed:?}");
}

/// What was asked is plain data: written down and read again, it makes the same engine and the
/// same answers, to the byte.
#[test]
fn a_journal_makes_the_same_engine_again() {
    let mut driver = Driver::new(SEED);
    driver.journal = Some(Vec::new());
    run(&mut driver).unwrap();
    let journal = driver.journal.take().unwrap();
    let written = serde_json::to_string(&journal).unwrap();
    let read: Vec<(u64, Entry)> = serde_json::from_str(&written).unwrap();

    let mut engine = Driver::new(SEED).engine;
    for ((time, entry), wanted) in read.into_iter().zip(&driver.answers) {
        let now = Timestamp(time);
        let answer = match entry {
            Entry::Command(command) => format!("{:?}", engine.apply(now, *command)),
            Entry::Operation(operation) => format!("{:?}", engine.perform(now, operation)),
        };
        assert_eq!(answer, *wanted);
    }
    engine.advance(driver.engine.now());
    for engine in [&mut engine, &mut driver.engine] {
        let _ = engine.take_woken();
    }
    assert_eq!(format!("{engine:?}"), format!("{:?}", driver.engine));
}
