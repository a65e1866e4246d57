//! Planted faults: each is caught by some behaviour of the portability suite, and each behaviour
//! catches some fault. A suite that nothing can fail proves nothing.

#![expect(
    clippy::print_stdout,
    reason = "which behaviour caught which fault is part of the report"
)]

use std::collections::{BTreeMap, BTreeSet};

use mq_suite::report::Outcome;
use mq_suite::{Options, Selection, Silent, behaviours, cases, run};
use mq_tests::faulty::{Fault, FaultyFactory};
use mq_tests::suite::subject_of;
use mq_tests::world::{World, backend_ids, factory};

/// The ids of the behaviours that a backend with this fault fails, or cannot carry through.
async fn caught_by(world: &World, backend: &str, fault: Fault) -> BTreeSet<String> {
    let faulty = FaultyFactory::plant(factory(backend), fault);
    let subjects = [subject_of(world, faulty).await];
    // What is wrong with one attribute is looked for among the behaviours of that attribute.
    let only = match fault.attribute() {
        None => Vec::new(),
        Some(attribute) => behaviours::all()
            .into_iter()
            .filter(|it| it.probe.is_some_and(|probe| probe.attribute == attribute))
            .map(|it| it.id())
            .collect(),
    };
    let selection = Selection {
        only,
        ..Selection::default()
    };
    let cases = cases(&subjects, &selection);
    let report = run(&subjects, cases, &Options::default(), &Silent).await;
    let is_caught = |outcome: &Outcome| {
        matches!(outcome, Outcome::Failed { .. } | Outcome::Error { .. })
    };
    report
        .rows
        .into_iter()
        .filter(|row| row.cells.iter().flatten().any(|cell| is_caught(&cell.outcome)))
        .map(|row| row.behaviour)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_is_caught_and_every_behaviour_catches_one() {
    let attributes: BTreeSet<&'static str> = behaviours::all()
        .iter()
        .filter_map(|it| Some(it.probe?.attribute))
        .collect();
    let attributes: Vec<&'static str> = attributes.into_iter().collect();
    let mut idle: BTreeSet<String> = behaviours::all().iter().map(|it| it.id()).collect();
    let mut uncaught = Vec::new();
    for fault in Fault::all(&attributes) {
        let mut by: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for backend in backend_ids() {
            let world = World::start(&[], 7).await;
            by.insert(backend, caught_by(&world, backend, fault).await);
        }
        for (backend, behaviours) in &by {
            let named: Vec<&str> = behaviours.iter().map(String::as_str).collect();
            println!("{fault:?} on {backend}: {}", named.join(", "));
        }
        if by.values().all(BTreeSet::is_empty) {
            uncaught.push(fault);
        }
        for caught in by.into_values().flatten() {
            idle.remove(&caught);
        }
    }
    assert!(uncaught.is_empty(), "no behaviour catches {uncaught:?}");
    assert!(idle.is_empty(), "no fault is caught by {idle:?}");
}
