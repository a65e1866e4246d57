//! Provisioning on the emulator, against the very calls that it made, issued again without `mq`.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use mq_core::PlanOptions;
use mq_tests::files;
use mq_tests::proxy::Recorded;
use mq_tests::raw;
use mq_tests::world::{World, backend_ids};

use crate::{Row, compared, median, runtime};

/// What `mq` keeps under way, and so what the reference does.
const PARALLELISM: usize = 10;

pub(crate) fn run(rounds: usize, queues: usize) -> Vec<Row> {
    let yaml: String = (0..queues)
        .map(|index| format!("  queue-{index}: {{ dead_letter: {{ max_deliveries: 5 }} }}\n"))
        .collect();
    let runtime = runtime();
    let mut rows = Vec::new();
    for backend in backend_ids() {
        let recorded = runtime.block_on(record(backend, &yaml));
        let mut with = Vec::new();
        let mut raw = Vec::new();
        for _ in 0..rounds {
            with.push(runtime.block_on(provision(backend, &yaml)));
            raw.push(runtime.block_on(replay(backend, &recorded)));
        }
        let name = format!("provision {queues} queues with dead letters, {backend}");
        let against = format!("the same {} calls, raw", recorded.len());
        rows.push(compared(name, median(with), median(raw), &against, "1.3"));
    }
    rows
}

/// One run through the proxy, to see its calls. Not timed.
async fn record(backend: &str, yaml: &str) -> Vec<Recorded> {
    let world = World::start(&[], 0).await;
    let session = world.session(backend).await.unwrap();
    world.proxy(backend).heal();
    let outcome = session
        .provision(&files::with(yaml, backend), &PlanOptions::default())
        .await
        .unwrap();
    assert!(!outcome.partial());
    world
        .proxy(backend)
        .calls()
        .into_iter()
        .map(|call| call.request)
        .collect()
}

async fn provision(backend: &str, yaml: &str) -> Duration {
    let world = World::start(&[], 0).await;
    let session = world.direct_session(backend, PARALLELISM).await.unwrap();
    let queues = files::with(yaml, backend);
    let start = Instant::now();
    let outcome = session
        .provision(&queues, &PlanOptions::default())
        .await
        .unwrap();
    let elapsed = start.elapsed();
    assert!(!outcome.partial());
    elapsed
}

async fn replay(backend: &str, calls: &[Recorded]) -> Duration {
    let world = World::start(&[], 0).await;
    let upstream = world.upstream(backend);
    let client = raw::client();
    let start = Instant::now();
    stream::iter(calls)
        .for_each_concurrent(PARALLELISM, |call| issue(&client, upstream, call))
        .await;
    start.elapsed()
}

async fn issue(client: &reqwest::Client, upstream: SocketAddr, call: &Recorded) {
    let answer = client
        .request(
            call.method.clone(),
            format!("http://{upstream}{}", call.target),
        )
        .headers(call.headers.clone())
        .body(call.body.clone())
        .send()
        .await
        .unwrap();
    // A create that overtakes what it depends on is answered with an error, which costs the same.
    drop(answer.bytes().await.unwrap());
}
