//! The portability suite against servers written by others: where a behaviour fails, either this
//! backend is wrong or the server is. Of the servers that are tried none does otherwise than SQS
//! in what the suite asks; one that did would be listed here with the vendor's page.

use mq_core::Target;
use mq_suite::report::Outcome;
use mq_suite::{Options, Selection, Silent, Subject, Surroundings, cases, run};

use crate::world::World;

/// Behaviours that cannot be asked of SQS, whoever plays it.
const SKIPPED: usize = 0;

pub(crate) async fn the_portability_suite(world: &World<'_>) {
    let (target, access) = (Target::implied("aws"), world.server.access());
    let around = Surroundings::default();
    let opened = Subject::open(mq_aws::factory(), &target, &access, around).await;
    let subjects = [opened.expect("credentials")];
    let cases = cases(&subjects, &Selection::default());
    let asked = cases.len();
    let report = run(&subjects, cases, &Options::default(), &Silent).await;
    let mut failures = Vec::new();
    for row in &report.rows {
        for cell in row.cells.iter().flatten() {
            if let Outcome::Failed { .. } | Outcome::Error { .. } = cell.outcome {
                failures.push(format!("{}: {}", row.behaviour, cell.outcome.detail()));
            }
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
    assert_eq!(report.totals.skipped, SKIPPED, "{:?}", report.totals);
    assert_eq!(report.totals.passed, asked - SKIPPED);
    assert_eq!(report.leftovers, []);
}
