//! The portability suite on the emulator's three services, through the real backends: every case
//! ends as the committed baseline says, better and worse alike.

use std::path::{Path, PathBuf};

use mq_suite::report::baseline::{Baseline, known_cases};
use mq_suite::{Options, Report, Selection, Shard, Silent, Subject, behaviours, cases, run};
use mq_tests::suite::subject;
use mq_tests::world::{World, backend_ids};

async fn subjects(world: &World) -> Vec<Subject> {
    let mut subjects = Vec::new();
    for id in backend_ids() {
        subjects.push(subject(world, id).await);
    }
    subjects
}

async fn suite(subjects: &[Subject], selection: &Selection) -> Report {
    let cases = cases(subjects, selection);
    run(subjects, cases, &Options::default(), &Silent).await
}

fn baseline_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("baselines/emulator.json")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_ends_as_the_baseline_says() {
    let world = World::start(&[], 7).await;
    let subjects = subjects(&world).await;
    let selection = Selection::default();
    let report = suite(&subjects, &selection).await;
    assert_eq!(report.leftovers, []);
    for target in &report.targets {
        assert!(target.totals.passed >= 40, "{target:?}");
        assert_eq!(target.totals.failed + target.totals.errors, 0, "{target:?}");
    }
    let file = baseline_file();
    if std::env::var_os("MQ_UPDATE_BASELINES").is_some() {
        std::fs::write(&file, Baseline::of(&report).to_text()).unwrap();
    }
    let expected = Baseline::parse(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let known = known_cases(&subjects, &[], &selection);
    let compared = expected.compare("tests/baselines/emulator.json", &report, &known);
    assert_eq!(
        compared.differences,
        [],
        "where that is right, run this test again with MQ_UPDATE_BASELINES=1"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_and_what_was_there_is_untouched() {
    let world = World::start(&[], 7).await;
    for id in backend_ids() {
        let subject = subject(&world, id).await;
        let control = subject.backend().control();
        suite(std::slice::from_ref(&subject), &Selection::default()).await;
        let left = control.list_owned(None).await.unwrap();
        let left: Vec<_> = left.into_iter().map(|it| it.resource.id).collect();
        assert_eq!(left, [], "{id}");
    }
}

/// The estimate before a run on a real service is a bound, and not a wild one.
#[tokio::test(flavor = "multi_thread")]
async fn no_behaviour_makes_more_calls_than_it_says() {
    let world = World::start(&[], 7).await;
    let subjects = subjects(&world).await;
    let mut wrong = Vec::new();
    for behaviour in behaviours::all() {
        let selection = Selection {
            only: vec![behaviour.id()],
            ..Selection::default()
        };
        for id in backend_ids() {
            world.proxy(id).heal();
        }
        suite(&subjects, &selection).await;
        let made = backend_ids()
            .into_iter()
            .map(|id| world.proxy(id).calls().len());
        let most = made.max().unwrap_or_default();
        let stated = behaviour.requests_max as usize;
        if most > stated || most * 3 < stated {
            wrong.push(format!(
                "{} makes {most} calls, and says {stated}",
                behaviour.id()
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn shards_are_a_partition_of_the_cases() {
    let world = World::start(&[], 7).await;
    let subjects = subjects(&world).await;
    let whole = cases(&subjects, &Selection::default());
    let mut taken = vec![0; whole.len()];
    for index in 1..=3 {
        let selection = Selection {
            shard: Shard::new(index, 3),
            ..Selection::default()
        };
        let part = cases(&subjects, &selection);
        assert_eq!(part.len(), whole.len());
        for (count, case) in taken.iter_mut().zip(part) {
            *count += usize::from(case.chosen);
        }
    }
    assert!(taken.iter().all(|count| *count == 1), "{taken:?}");
}
