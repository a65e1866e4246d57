//! The load: clients that each ask again as soon as they are answered.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::task::JoinSet;

use super::process::{Server, own_processor_seconds};

/// Significant digits that a histogram keeps.
const DIGITS: u8 = 3;
/// The longest latency that it tells apart, in nanoseconds: longer than any operation may take.
const NANOS_MAX: u64 = 120_000_000_000;
/// Histograms of a load, so that thousands of clients neither share one nor need one each.
const SHARDS: usize = 8;
/// What takes longer has failed.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(20);
/// A client that has failed so often goes no further.
const ERRORS_MAX: u64 = 20;

/// One connection's worth of load.
pub(crate) trait Client: Send + 'static {
    /// One operation, such as a message sent; what is wrong with the answer otherwise.
    fn operate(&mut self) -> impl Future<Output = Result<(), String>> + Send;

    /// How many connections it has made.
    fn opened(&self) -> u64;
}

/// For how long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    /// Before anything is counted.
    pub(crate) warm_up: Duration,
    /// That is counted.
    pub(crate) measured: Duration,
}

/// What came of a load.
#[derive(Debug, Clone)]
pub(crate) struct Load {
    /// Operations that ended within the measured time, times the messages of each.
    pub(crate) messages: u64,
    /// That time, in seconds.
    pub(crate) seconds: f64,
    /// Nanoseconds per operation.
    pub(crate) latency: Histogram<u64>,
    /// Operations that failed, warm-up included.
    pub(crate) errors: u64,
    /// What the first of them said.
    pub(crate) first_error: Option<String>,
    /// Connections made beyond one per client.
    pub(crate) reconnects: u64,
    /// Processor time of the server, in seconds.
    pub(crate) server_processor: f64,
    /// Processor time of this process, in seconds.
    pub(crate) client_processor: f64,
}

impl Load {
    /// Messages per second.
    pub(crate) fn rate(&self) -> f64 {
        as_f64(self.messages) / self.seconds
    }

    /// A quantile of the latency, in milliseconds.
    pub(crate) fn latency_ms(&self, quantile: f64) -> f64 {
        as_f64(self.latency.value_at_quantile(quantile)) / 1e6
    }

    /// Seconds of processor time as microseconds per message.
    pub(crate) fn per_message_us(&self, processor: f64) -> f64 {
        processor * 1e6 / as_f64(self.messages.max(1))
    }
}

/// Counts of a run are far below the 2^53 from which this would round.
#[expect(clippy::cast_precision_loss, reason = "counts stay below 2^53")]
pub(crate) fn as_f64(count: u64) -> f64 {
    count as f64
}

/// Where clients write down what they did.
#[derive(Debug)]
pub(crate) struct Tally {
    begin: Instant,
    end: Instant,
    histogram: Mutex<Histogram<u64>>,
}

impl Tally {
    /// An empty one for a span that starts now.
    pub(crate) fn new(span: Span) -> Self {
        let begin = Instant::now() + span.warm_up;
        Tally {
            begin,
            end: begin + span.measured,
            histogram: Mutex::new(histogram()),
        }
    }

    /// Whether it is over.
    pub(crate) fn is_over(&self) -> bool {
        Instant::now() >= self.end
    }

    /// Writes down what began then and has just ended.
    pub(crate) fn record(&self, started: Instant) {
        let now = Instant::now();
        if now < self.begin || now >= self.end {
            return;
        }
        let nanos = u64::try_from((now - started).as_nanos()).unwrap_or(u64::MAX);
        self.histogram.lock().unwrap().saturating_record(nanos);
    }

    /// Waits for the measured time and says what it cost: of the server, of this process, and for
    /// how long, all in seconds.
    pub(crate) async fn watch(&self, server: &Server) -> [f64; 3] {
        tokio::time::sleep_until(self.begin.into()).await;
        let (begun, before) = (
            Instant::now(),
            [server.processor_seconds(), own_processor_seconds()],
        );
        tokio::time::sleep_until(self.end.into()).await;
        [
            server.processor_seconds() - before[0],
            own_processor_seconds() - before[1],
            begun.elapsed().as_secs_f64(),
        ]
    }
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_max(NANOS_MAX, DIGITS).unwrap()
}

/// What was written down in all of them.
pub(crate) fn together(tallies: &[Arc<Tally>]) -> Histogram<u64> {
    let mut all = histogram();
    for tally in tallies {
        all.add(&*tally.histogram.lock().unwrap()).unwrap();
    }
    all
}

/// Runs all clients at once against `server`, each operation worth `messages`.
pub(crate) async fn run<C: Client>(
    clients: Vec<C>,
    span: Span,
    messages: u64,
    server: &Server,
) -> Load {
    let shards: Vec<_> = (0..SHARDS).map(|_| Arc::new(Tally::new(span))).collect();
    let mut tasks = JoinSet::new();
    for (index, client) in clients.into_iter().enumerate() {
        tasks.spawn(drive(client, Arc::clone(&shards[index % SHARDS])));
    }
    let [server_processor, client_processor, seconds] = shards[0].watch(server).await;
    let (mut errors, mut first_error, mut reconnects) = (0, None, 0);
    while let Some(ended) = tasks.join_next().await {
        let ended = ended.unwrap();
        errors += ended.errors;
        first_error = first_error.or(ended.first_error);
        reconnects += ended.opened.saturating_sub(1);
    }
    let latency = together(&shards);
    Load {
        messages: latency.len() * messages,
        seconds,
        latency,
        errors,
        first_error,
        reconnects,
        server_processor,
        client_processor,
    }
}

/// What a client says at its end.
struct Ended {
    errors: u64,
    first_error: Option<String>,
    opened: u64,
}

async fn drive<C: Client>(mut client: C, tally: Arc<Tally>) -> Ended {
    let (mut errors, mut first_error) = (0, None);
    while !tally.is_over() && errors < ERRORS_MAX {
        let started = Instant::now();
        let outcome = tokio::time::timeout(OPERATION_TIMEOUT, client.operate()).await;
        match outcome.unwrap_or_else(|_| Err("no answer in time".to_owned())) {
            Ok(()) => tally.record(started),
            Err(error) => {
                errors += 1;
                first_error.get_or_insert(error);
            }
        }
    }
    Ended {
        errors,
        first_error,
        opened: client.opened(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tally whose time is on, and began before whatever is recorded.
    fn under_way() -> Tally {
        let tally = Tally::new(Span {
            warm_up: Duration::ZERO,
            measured: Duration::from_secs(3600),
        });
        assert!(!tally.is_over());
        tally
    }

    #[test]
    fn latencies_are_kept_to_three_digits() {
        let tally = under_way();
        let now = Instant::now();
        for millis in [1, 1_000, 50_000] {
            tally.record(now.checked_sub(Duration::from_millis(millis)).unwrap());
        }
        let load = Load {
            messages: 3,
            seconds: 2.0,
            latency: together(&[Arc::new(tally)]),
            errors: 0,
            first_error: None,
            reconnects: 0,
            server_processor: 0.3,
            client_processor: 0.0,
        };
        assert_eq!(load.latency.len(), 3);
        assert!((load.latency_ms(1.0) / 50_000.0 - 1.0).abs() < 0.01);
        assert!((load.latency_ms(0.5) / 1_000.0 - 1.0).abs() < 0.01);
        assert!((load.rate() - 1.5).abs() < 1e-9);
        assert!((load.per_message_us(load.server_processor) - 100_000.0).abs() < 1e-6);
    }

    #[test]
    fn nothing_counts_before_the_time_or_after_it() {
        let hour = Duration::from_secs(3600);
        for (warm_up, measured) in [(hour, hour), (Duration::ZERO, Duration::ZERO)] {
            let tally = Tally::new(Span { warm_up, measured });
            tally.record(Instant::now());
            assert_eq!(together(&[Arc::new(tally)]).len(), 0);
        }
    }
}
