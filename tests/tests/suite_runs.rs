//! How a run of the portability suite ends: in time, with its reruns told, and with nothing left,
//! whatever becomes of it.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops where something cannot be set up"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures::FutureExt;
use mq_core::queue::Owner;
use mq_core::{ControlPlane, PlanOptions};
use mq_suite::report::Outcome;
use mq_suite::{
    Applies, Behaviour, Case, Check, Group, Observer, Options, Report, Selection, Silent, Stop,
    Subject, Trial, cases, run,
};
use mq_tests::suite::subject;
use mq_tests::world::{World, backend_ids};
use tokio_util::sync::CancellationToken;

const NAME: &str = "made-up";

fn made_up(limit: Duration, check: Check) -> Vec<Case> {
    let behaviour = Behaviour {
        name: NAME,
        group: Group::Control,
        promise: "None.",
        needs: &[],
        applies: Applies::Sample,
        probe: None,
        limit,
        requests_max: 0,
        check,
    };
    vec![Case {
        behaviour,
        subject: 0,
        queue: None,
        chosen: true,
    }]
}

const LONG: Duration = Duration::from_secs(60);

async fn on_sqs(world: &World, cases: Vec<Case>, options: &Options) -> Report {
    run(&[subject(world, "aws").await], cases, options, &Silent).await
}

fn only(report: &Report) -> (&Outcome, &[Outcome]) {
    let cell = report.rows[0].cells[0].as_ref().unwrap();
    (&cell.outcome, &cell.earlier)
}

async fn owned(world: &World, backend: &str) -> usize {
    let session = world.session(backend).await.unwrap();
    session.control.list_owned(None).await.unwrap().len()
}

/// Makes a queue and never comes to an end.
async fn hangs(trial: &Trial) -> Result<(), Stop> {
    loop {
        trial.provision(&trial.queues()).await?;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_hangs_has_failed_at_its_limit_and_leaves_nothing() {
    let world = World::start(&[], 1).await;
    let limit = Duration::from_millis(500);
    let cases = made_up(limit, |trial| hangs(trial).boxed());
    let report = on_sqs(&world, cases, &Options::default()).await;
    let Outcome::Failed { seen } = only(&report).0 else {
        panic!("{report:?}");
    };
    assert!(seen.contains("500ms"), "{seen}");
    assert_eq!(owned(&world, "aws").await, 0);
}

static ATTEMPTS: AtomicU32 = AtomicU32::new(0);

async fn fails_at_first(trial: &Trial) -> Result<(), Stop> {
    trial.provision(&trial.queues()).await?;
    match ATTEMPTS.fetch_add(1, Ordering::Relaxed) {
        0 => Err(Stop::Failed("the first time".to_owned())),
        _ => Ok(()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_tried_again_unasked_and_a_rerun_that_passes_is_told_as_flaky() {
    let world = World::start(&[], 1).await;
    let cases = || made_up(LONG, |trial| fails_at_first(trial).boxed());
    let first_failed = Outcome::Failed {
        seen: "the first time".to_owned(),
    };
    let report = on_sqs(&world, cases(), &Options::default()).await;
    assert_eq!(only(&report), (&first_failed, &[][..]));
    assert!(!report.passed());

    ATTEMPTS.store(0, Ordering::Relaxed);
    let twice = Options {
        reruns: 2,
        ..Options::default()
    };
    let report = on_sqs(&world, cases(), &twice).await;
    assert_eq!(only(&report), (&Outcome::Passed, &[first_failed][..]));
    assert_eq!((report.totals.passed, report.totals.flaky), (1, 1));
    assert_eq!(ATTEMPTS.load(Ordering::Relaxed), 2);
    assert_eq!(owned(&world, "aws").await, 0);
}

async fn cannot_be_asked(_: &Trial) -> Result<(), Stop> {
    Err(Stop::Skipped("not today".into()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_executed_nothing_has_not_passed() {
    let world = World::start(&[], 1).await;
    let cases = made_up(LONG, |trial| cannot_be_asked(trial).boxed());
    let report = on_sqs(&world, cases, &Options::default()).await;
    assert_eq!((report.totals.executed(), report.totals.skipped), (0, 1));
    assert!(!report.passed());
    let nothing = on_sqs(&world, Vec::new(), &Options::default()).await;
    assert!(!nothing.passed() && nothing.rows.is_empty());
}

/// Cancels the run once so many cases have begun.
struct CancelsAt {
    begun: AtomicU32,
    at: u32,
    cancel: CancellationToken,
}

impl Observer for CancelsAt {
    fn started(&self, _: &Subject, _: &Case) {
        if self.begun.fetch_add(1, Ordering::Relaxed) + 1 == self.at {
            self.cancel.cancel();
        }
    }

    fn finished(&self, _: &Subject, _: &Case, _: &mq_suite::report::Cell) {}
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_at_any_case_leaves_nothing_behind() {
    for at in [1, 2, 7, 20] {
        let world = World::start(&[], 1).await;
        let mut subjects = Vec::new();
        for id in backend_ids() {
            subjects.push(subject(&world, id).await);
        }
        let options = Options::default();
        let observer = CancelsAt {
            begun: AtomicU32::new(0),
            at,
            cancel: options.cancel.clone(),
        };
        let cases = cases(&subjects, &Selection::default());
        let all = cases.len();
        let report = run(&subjects, cases, &options, &observer).await;
        assert!(report.interrupted && !report.passed());
        assert!(report.totals.executed() + report.totals.skipped < all / 2);
        assert_eq!(report.leftovers, []);
        for id in backend_ids() {
            assert_eq!(owned(&world, id).await, 0, "{id} after case {at}");
        }
    }
}

/// As `kill -9` would: the run is dropped where it stands.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_run_left_is_collected_once_it_has_expired() {
    let world = Arc::new(World::start(&[], 1).await);
    let mut subjects = Vec::new();
    for id in backend_ids() {
        subjects.push(subject(&world, id).await);
    }
    let options = Options::default();
    let (stack, now) = (options.stack.clone(), options.now);
    let cases = cases(&subjects, &Selection::default());
    let running = tokio::spawn(async move { run(&subjects, cases, &options, &Silent).await });
    while world.proxy("gcp").calls().len() < 60 {
        tokio::task::yield_now().await;
    }
    running.abort();
    assert!(running.await.unwrap_err().is_cancelled());
    let owner = Owner {
        stack,
        stage: None,
        origin: None,
    };
    let options = PlanOptions {
        drop_messages: true,
        ..PlanOptions::default()
    };
    let mut left = 0;
    for id in backend_ids() {
        let session = world.session(id).await.unwrap();
        left += owned(&world, id).await;
        let early = session.plan_collection(&owner, now + 60, &options).await;
        assert_eq!(early.unwrap().changes, []);
        let late = session
            .plan_collection(&owner, now + 3 * 3600, &options)
            .await;
        session.apply(&late.unwrap()).await;
        assert_eq!(owned(&world, id).await, 0, "{id}");
    }
    assert!(left > 0, "the run was not killed in the middle");
}
