//! Planted faults: each is caught by some behaviour of the portability suite, and each behaviour
//! catches some fault. A suite that nothing can fail proves nothing.
//!
//! By default each fault is planted in one cloud's backend; `MQ_FAULTS=everywhere` plants each in
//! all of them, wherever it can be.

use std::collections::BTreeSet;

use futures::StreamExt;
use mq_suite::report::Outcome;
use mq_suite::{Behaviour, Options, Selection, Silent, behaviours, cases, run};
use mq_tests::faulty::{Fault, FaultyFactory};
use mq_tests::suite::subject_of;
use mq_tests::world::{World, backend_ids, factory};

/// What one fault led to on one cloud.
struct Trial {
    fault: Fault,
    backend: &'static str,
    /// The behaviours that it fails, or that cannot be carried through.
    caught_by: BTreeSet<String>,
    /// Whether any behaviour could be asked for there.
    executed: bool,
}

/// Whether a behaviour is worth asking for: what is wrong with one attribute shows in the
/// behaviours of that attribute, and what is wrong with all of them in those of a few.
fn is_asked(fault: Fault, behaviour: &Behaviour) -> bool {
    let Some(probe) = behaviour.probe else {
        return fault.attribute().is_none();
    };
    match fault.attribute() {
        Some(attribute) => probe.attribute == attribute,
        None => {
            matches!(probe.attribute, "retention" | "ordering")
                || (fault == Fault::UpdateForgets && behaviour.name == "unstated-stays")
        }
    }
}

async fn try_it(fault: Fault, backend: &'static str) -> Trial {
    let world = World::start(&[], 7).await;
    let faulty = FaultyFactory::plant(factory(backend), fault);
    let subjects = [subject_of(&world, faulty).await];
    let asked = behaviours::all();
    let asked = asked.iter().filter(|behaviour| is_asked(fault, behaviour));
    let selection = Selection {
        only: asked.map(Behaviour::id).collect(),
        ..Selection::default()
    };
    let cases = cases(&subjects, &selection);
    let report = run(&subjects, cases, &Options::default(), &Silent).await;
    let executed = report.totals.executed() > 0;
    let is_caught =
        |outcome: &Outcome| matches!(outcome, Outcome::Failed { .. } | Outcome::Error { .. });
    let caught = report.rows.into_iter().filter(|row| {
        let mut cells = row.cells.iter().flatten();
        cells.any(|cell| is_caught(&cell.outcome))
    });
    Trial {
        fault,
        backend,
        caught_by: caught.map(|row| row.behaviour).collect(),
        executed,
    }
}

/// Where each fault is planted.
fn plantings() -> Vec<(Fault, &'static str)> {
    let attributes: BTreeSet<&'static str> = behaviours::all()
        .iter()
        .filter_map(|it| Some(it.probe?.attribute))
        .collect();
    let attributes: Vec<&'static str> = attributes.into_iter().collect();
    let everywhere = std::env::var("MQ_FAULTS").is_ok_and(|value| value == "everywhere");
    let mut plantings = Vec::new();
    for fault in Fault::all(&attributes) {
        let clouds = backend_ids();
        let able = clouds.into_iter().filter(|id| fault.spares(id).is_none());
        let count = if everywhere { usize::MAX } else { 1 };
        plantings.extend(able.take(count).map(|backend| (fault, backend)));
    }
    plantings
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_is_caught_and_every_behaviour_catches_one() {
    let trials = plantings()
        .into_iter()
        .map(|(fault, backend)| tokio::spawn(try_it(fault, backend)));
    let mut trials = futures::stream::iter(trials).buffered(2);
    let mut idle: BTreeSet<String> = behaviours::all().iter().map(Behaviour::id).collect();
    let mut uncaught = Vec::new();
    let mut count = 0;
    while let Some(trial) = trials.next().await {
        let Trial {
            fault,
            backend,
            caught_by,
            executed,
        } = trial.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
        let named: Vec<&str> = caught_by.iter().map(String::as_str).collect();
        println!("{fault:?} on {backend}: {}", named.join(", "));
        if executed && caught_by.is_empty() {
            uncaught.push(format!("{fault:?} on {backend}"));
        }
        count += usize::from(executed);
        idle.retain(|behaviour| !caught_by.contains(behaviour));
    }
    println!("{count} faults planted, {} not caught", uncaught.len());
    assert!(uncaught.is_empty(), "no behaviour catches {uncaught:#?}");
    assert!(idle.is_empty(), "no fault is caught by {idle:#?}");
}
