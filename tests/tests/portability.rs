//! The portability suite on the emulator's three services, through the real backends.

use mq_suite::{Options, Selection, Silent, cases, run};
use mq_tests::suite::subject;
use mq_tests::world::{World, backend_ids};

#[tokio::test(flavor = "multi_thread")]
async fn look() {
    let world = World::start(&[], 7).await;
    let mut subjects = Vec::new();
    for id in backend_ids() {
        subjects.push(subject(&world, id).await);
    }
    let cases = cases(&subjects, &Selection::default());
    let report = run(&subjects, cases, &Options::default(), &Silent).await;
    for row in &report.rows {
        let cells: Vec<String> = row.cells.iter().map(|c| c.as_ref().map_or("-".into(), |c| format!("{} {}", c.outcome.name(), c.outcome.detail()))).collect();
        println!("{:<55} {}", row.behaviour, cells.join(" | "));
    }
    println!("{:?} {:?} {} ms", report.totals, report.leftovers, report.duration_ms);
}
