//! Provisioning converges: for random files on every cloud with every quirk, and after a break at
//! every single call.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops where something cannot be set up"
)]
#![expect(
    clippy::print_stdout,
    reason = "the counts of cases are part of the report"
)]

use std::sync::atomic::{AtomicU64, Ordering};

use libtest_mimic::{Arguments, Failed, Trial};
use mq_core::provisioner::{FindingKind, Outcome};
use mq_core::{ControlPlane, PlanOptions, ResolvedQueue, Retry};
use mq_tests::files;
use mq_tests::proxy::Cut;
use mq_tests::specs;
use mq_tests::world::{Session, World, backend_ids};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Quirks that a plan must converge under. Each set is one emulator.
const QUIRKS: [&[&str]; 4] = [
    &[],
    &["error-rate=0.1"],
    &[
        "sqs-attribute-lag=1s",
        "servicebus-40901=0.3",
        "pubsub-not-found-after-create=2",
    ],
    &["servicebus-basic-tier", "pubsub-iam-required"],
];

/// How many random files for each cloud and set of quirks; more with `MQ_CASES`.
const CASES: usize = 6;

static RAN: AtomicU64 = AtomicU64::new(0);

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for backend in backend_ids() {
        for (index, quirks) in QUIRKS.iter().enumerate() {
            let name = format!("{backend}: random files converge, quirks {quirks:?}");
            trials.push(Trial::test(name, move || {
                run(random_files(backend, quirks, index as u64))
            }));
        }
        for (name, yaml) in FILES {
            for cut in [Cut::Before, Cut::After] {
                let name =
                    format!("{backend}: {name} converges after a break at every call ({cut:?})");
                trials.push(Trial::test(name, move || {
                    run(broken_everywhere(backend, yaml, cut))
                }));
            }
        }
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    println!(
        "{} cases provisioned, read back, repeated and destroyed",
        RAN.load(Ordering::Relaxed)
    );
    conclusion.exit();
}

/// Files that between them make every kind of resource.
const FILES: [(&str, &str); 3] = [
    (
        "a queue with dead letters",
        "version: 1\nstack: broken\nqueues:\n  jobs:\n    visibility_timeout: 30s\n    dead_letter: { max_deliveries: 5 }\n    labels: { team: a }\n",
    ),
    (
        "dead letters with a retention",
        "version: 1\nstack: broken\nqueues:\n  jobs:\n    retention: 2d\n    dead_letter: { max_deliveries: 5, retention: 14d }\n",
    ),
    (
        "shared dead letters in order",
        "version: 1\nstack: broken\ndefaults: { ordering: per-key }\nqueues:\n  jobs:\n    dead_letter: { max_deliveries: 5, queue: failures }\n  failures: {}\n",
    ),
];

fn run(test: impl Future<Output = Result<(), String>>) -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(test).map_err(Failed::from)
}

async fn random_files(backend: &'static str, quirks: &[&str], seed: u64) -> Result<(), String> {
    let cases = std::env::var("MQ_CASES")
        .ok()
        .and_then(|count| count.parse().ok())
        .unwrap_or(CASES);
    let world = World::start(quirks, seed).await;
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed as u8; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    for case in 0..cases {
        let spec = specs::spec().new_tree(&mut runner).unwrap().current();
        let queues = specs::resolve(&spec, backend, &format!("case-{case}"));
        converges(&world, backend, &queues)
            .await
            .map_err(|why| format!("seed {seed}, case {case}: {why}\n{spec:#?}"))?;
        RAN.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

/// Provisions, reads back, plans again, provisions again without a write, destroys twice.
async fn converges(world: &World, backend: &str, queues: &[ResolvedQueue]) -> Result<(), String> {
    let session = world
        .session(backend)
        .await
        .map_err(|error| error.to_string())?;
    settle(&session, queues).await?;
    unchanged(world, backend, queues).await?;
    let options = PlanOptions {
        drop_messages: true,
        ..PlanOptions::default()
    };
    for round in ["first", "second"] {
        let plan = again(async || session.plan_destroy(queues, &options).await)
            .await
            .map_err(|error| format!("{round} destroy: {error}"))?;
        if let Some((resource, refusal)) = plan.refusals().next() {
            return Err(format!(
                "{round} destroy refuses {}: {}",
                resource.id, refusal.why
            ));
        }
        if round == "second" && plan.writes() {
            return Err("the second destroy finds something left".to_owned());
        }
        let outcome = session.apply(&plan).await;
        complete(&outcome).map_err(|why| format!("{round} destroy: {why}"))?;
    }
    Ok(())
}

/// Provisions until it is done: an emulator that errs at random may outlast the retries.
async fn settle(session: &Session, queues: &[ResolvedQueue]) -> Result<(), String> {
    let mut last = String::new();
    for _ in 0..5 {
        match session.provision(queues, &PlanOptions::default()).await {
            Ok(outcome) => match complete(&outcome) {
                Ok(()) => return Ok(()),
                Err(why) => last = why,
            },
            Err(error) => last = error.to_string(),
        }
    }
    Err(format!("five runs did not converge: {last}"))
}

/// The same command again, where all its retries met an error: a listing of many queues is many
/// calls, and an emulator that errs at random may outlast them.
async fn again<T>(command: impl AsyncFn() -> mq_core::Result<T>) -> mq_core::Result<T> {
    const RUNS: usize = 10;
    for _ in 1..RUNS {
        match command().await {
            Err(error) if error.retry() == Retry::Exhausted => {}
            ended => return ended,
        }
    }
    command().await
}

fn complete(outcome: &Outcome) -> Result<(), String> {
    if let Some((result, error)) = outcome.failures().next() {
        return Err(format!("{}: {error:?}", result.resource));
    }
    if let Some(error) = &outcome.unproved {
        return Err(format!("not read back: {error}"));
    }
    if outcome.partial() {
        return Err(format!("not all was attempted: {:?}", outcome.results));
    }
    match outcome
        .findings
        .iter()
        .find(|finding| finding.kind == FindingKind::Different)
    {
        Some(finding) => Err(format!("{finding:?}")),
        None => Ok(()),
    }
}

/// A further run plans nothing, writes nothing, and nothing is there twice.
async fn unchanged(world: &World, backend: &str, queues: &[ResolvedQueue]) -> Result<(), String> {
    let failed = |error: mq_core::Error| format!("further run: {error}");
    let session = world.session(backend).await.map_err(failed)?;
    let plan = session
        .plan(queues, &PlanOptions::default())
        .await
        .map_err(failed)?;
    if plan.pending() {
        let changes: Vec<_> = plan
            .changes
            .iter()
            .filter(|change| change.action != mq_core::Action::NoOp)
            .collect();
        return Err(format!(
            "the plan after provision is not empty: {changes:#?}"
        ));
    }
    let managed = plan
        .changes
        .iter()
        .filter(|change| change.resource.marker.is_some())
        .count();
    world.proxy(backend).heal();
    let outcome = session
        .provision(queues, &PlanOptions::default())
        .await
        .map_err(failed)?;
    complete(&outcome)?;
    let writes: Vec<_> = world
        .proxy(backend)
        .calls()
        .into_iter()
        .filter(|call| call.writes)
        .collect();
    if !writes.is_empty() {
        return Err(format!("an unchanged run writes: {writes:?}"));
    }
    let owner = plan.owner.clone();
    let owned = again(async || session.control.list_owned(Some(&owner)).await)
        .await
        .map_err(failed)?;
    if owned.len() != managed {
        return Err(format!(
            "{managed} resources were asked for and {} carry the marker",
            owned.len()
        ));
    }
    Ok(())
}

/// For every k: a run whose connection breaks at its k-th call, then the same run again.
async fn broken_everywhere(backend: &'static str, yaml: &str, cut: Cut) -> Result<(), String> {
    let world = World::start(&[], 0).await;
    let spec = files::load(yaml);
    world.proxy(backend).heal();
    let session = world
        .session(backend)
        .await
        .map_err(|error| error.to_string())?;
    settle(&session, &specs::resolve(&spec, backend, "whole")).await?;
    let calls = world.proxy(backend).calls();
    if calls.iter().filter(|call| call.writes).count() == 0 {
        return Err(format!("no write was seen among {calls:?}"));
    }
    for nth in 1..=calls.len() {
        let queues = specs::resolve(&spec, backend, &format!("cut-{nth}"));
        world.proxy(backend).cut(nth, cut);
        // Whatever comes of it: an error, or an outcome with failures. A panic would be a bug.
        if let Ok(session) = world.session(backend).await {
            drop(session.provision(&queues, &PlanOptions::default()).await);
        }
        world.proxy(backend).heal();
        let at = |why| format!("cut {cut:?} at call {nth} of {}: {why}", calls.len());
        converges(&world, backend, &queues).await.map_err(at)?;
        RAN.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}
