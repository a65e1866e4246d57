//! An emulator in which time stands still: what takes a minute at the service takes none here, and
//! a minute there is over to the millisecond.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops where something cannot be set up"
)]

use std::time::{Duration, Instant};

use mq_core::PlanOptions;
use mq_core::provisioner::Outcome;
use mq_tests::files;
use mq_tests::world::{Session, World, backend_ids};

/// What the service keeps a deleted queue's name for.
const REST: Duration = Duration::from_secs(60);

#[track_caller]
fn done(outcome: &Outcome) {
    assert!(!outcome.partial(), "{:?}", outcome.results);
    assert!(outcome.unproved.is_none(), "{:?}", outcome.unproved);
}

async fn provision_and_destroy(session: &Session) {
    let queues = files::with("  jobs: {}", "aws");
    let options = PlanOptions::default();
    done(&session.provision(&queues, &options).await.unwrap());
    let plan = session.plan_destroy(&queues, &options).await.unwrap();
    done(&session.apply(&plan).await);
}

fn refused_creates(world: &World) -> usize {
    let calls = world.proxy("aws").calls();
    let creates = calls
        .iter()
        .filter(|call| call.what.ends_with("CreateQueue"));
    creates.count() - 1
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_rests_for_a_minute_is_had_at_once() {
    let world = World::start_standing(&["sqs-deleted-recently"], 0).await;
    let session = world.session("aws").await.unwrap();
    provision_and_destroy(&session).await;
    let deleted = world.emulator().time().elapsed();
    world.proxy("aws").heal();
    let begun = Instant::now();
    let queues = files::with("  jobs: {}", "aws");
    let outcome = session.provision(&queues, &PlanOptions::default()).await;
    done(&outcome.unwrap());
    assert!(refused_creates(&world) > 0, "the name was never refused");
    let waited = world.emulator().time().elapsed() - deleted;
    assert!(waited >= REST, "the name was free after {waited:?}");
    assert!(
        begun.elapsed() < REST / 2,
        "the machine's clock was waited for"
    );
}

/// The emulator's time moves before anybody asks: nothing is left to wait for.
#[tokio::test(flavor = "multi_thread")]
async fn a_minute_that_a_test_has_skipped_is_not_waited_for() {
    let world = World::start_standing(&["sqs-deleted-recently"], 0).await;
    let session = world.session("aws").await.unwrap();
    provision_and_destroy(&session).await;
    world.emulator().advance(REST).unwrap();
    world.proxy("aws").heal();
    let queues = files::with("  jobs: {}", "aws");
    let outcome = session.provision(&queues, &PlanOptions::default()).await;
    done(&outcome.unwrap());
    assert_eq!(refused_creates(&world), 0);
}

/// Every cloud's own client, a year into the emulator's future: no access token of its has expired.
#[tokio::test(flavor = "multi_thread")]
async fn a_year_passes_and_every_client_is_still_let_in() {
    let world = World::start_standing(&[], 0).await;
    for backend in backend_ids() {
        let session = world.session(backend).await.unwrap();
        let queues = files::with("  jobs: {}", backend);
        let options = PlanOptions::default();
        done(&session.provision(&queues, &options).await.unwrap());
        let year = Duration::from_secs(365 * 86_400);
        world.emulator().advance(year).unwrap();
        let again = session.plan(&queues, &options).await.unwrap();
        assert!(!again.writes(), "{backend}: {again:?}");
        let plan = session.plan_destroy(&queues, &options).await.unwrap();
        done(&session.apply(&plan).await);
    }
}
