//! What the front-ends share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use mq_engine::{Engine, Service, Timestamp};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::clock::{AdvanceError, Clock, ClockMode, machine_now};
use crate::guard::Hosts;
use crate::pubsub::SubscriptionFilters;
use crate::quirks::Quirks;
use crate::waiting::{EngineGuard, Waiting};

/// One emulator's state, behind an `Arc` that every connection holds.
pub(crate) struct Shared {
    engine: Mutex<Engine>,
    /// Who waits for messages.
    pub(crate) waiting: Waiting,
    dice: Mutex<StdRng>,
    /// Which time it is here.
    pub(crate) clock: Clock,
    /// What was switched on by name.
    pub(crate) quirks: Quirks,
    /// By which names this emulator lets itself be called.
    pub(crate) hosts: Hosts,
    /// Marks the emulator's own readiness probes, which are neither counted nor disturbed.
    pub(crate) probe_token: String,
    requests: [AtomicU64; SERVICES.len()],
    /// On the machine's clock: an emulator that nobody asks shall end, whatever time it is in.
    last_request: AtomicU64,
}

/// The services in the order of their counters, with the names that ports and metrics have.
pub(crate) const SERVICES: [(Service, &str); 3] = [
    (Service::Sqs, "sqs"),
    (Service::PubSub, "pubsub"),
    (Service::ServiceBus, "servicebus"),
];

/// An engine that holds nothing and knows the front-ends' filters.
fn empty_engine() -> Engine {
    Engine::new().with_filters(Box::new(SubscriptionFilters))
}

impl Shared {
    /// A fresh state in the machine's time that answers to loopback names only.
    pub(crate) fn new(quirks: Quirks, seed: u64) -> Self {
        Shared {
            engine: Mutex::new(empty_engine()),
            waiting: Waiting::default(),
            dice: Mutex::new(StdRng::seed_from_u64(seed)),
            clock: Clock::start(ClockMode::default()),
            quirks,
            hosts: Hosts::default(),
            probe_token: uuid::Uuid::new_v4().to_string(),
            requests: Default::default(),
            last_request: AtomicU64::new(machine_now().0),
        }
    }

    /// The same, answering to these names.
    pub(crate) fn with_hosts(self, hosts: Hosts) -> Self {
        Shared { hosts, ..self }
    }

    /// The same, in a time of its own.
    pub(crate) fn with_clock(self, mode: ClockMode) -> Self {
        Shared {
            clock: Clock::start(mode),
            ..self
        }
    }

    /// The same, holding at most so many bytes of messages.
    pub(crate) fn with_memory_max(self, bytes: u64) -> Self {
        Shared {
            engine: Mutex::new(empty_engine().with_memory_max(bytes)),
            ..self
        }
    }

    /// The same, in a time that stands still from here on.
    #[cfg(test)]
    pub(crate) fn standing_at(self, start: Timestamp) -> Self {
        Shared {
            clock: Clock::start_at(ClockMode::Manual, start),
            ..self
        }
    }

    /// The time that requests are stamped with.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Moves a manual clock on and says what time it is then.
    pub(crate) fn advance(&self, by: Duration) -> Result<Timestamp, AdvanceError> {
        // Held, so that no time passes within a request's work on the engine.
        let mut engine = self.engine();
        let now = self.clock.advance(by)?;
        engine.advance(now);
        Ok(now)
    }

    /// The engine, for the length of one request's work. Never held across an await.
    pub(crate) fn engine(&self) -> EngineGuard<'_> {
        // A panic in one request must not take the emulator down: the engine changes nothing
        // before it has decided, so its state is whole.
        let engine = self.engine.lock().unwrap_or_else(PoisonError::into_inner);
        EngineGuard::new(engine, &self.waiting)
    }

    /// Whether something that happens in one of `1 / rate` cases happens now. Reproducible from
    /// the seed for the same order of requests.
    pub(crate) fn chance(&self, rate: f64) -> bool {
        rate > 0.0
            && self
                .dice
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .random_bool(rate.min(1.0))
    }

    /// Notes that a request came in: for the idle exit and the counters. The guard calls it, so
    /// that no front-end can forget or double it.
    pub(crate) fn count(&self, service: Service) {
        self.counter(service).fetch_add(1, Ordering::Relaxed);
        self.note_activity();
    }

    /// Notes that a client is there, for the idle exit: with a new request, or with more of one
    /// that stays open.
    pub(crate) fn note_activity(&self) {
        self.last_request.store(machine_now().0, Ordering::Relaxed);
    }

    /// How many requests this service has got so far.
    pub(crate) fn requests_of(&self, service: Service) -> u64 {
        self.counter(service).load(Ordering::Relaxed)
    }

    /// How many requests came in so far, for all services.
    pub(crate) fn requests(&self) -> u64 {
        SERVICES
            .iter()
            .map(|(service, _)| self.requests_of(*service))
            .sum()
    }

    /// How long no request has come.
    pub(crate) fn idle(&self) -> Duration {
        machine_now().since(Timestamp(self.last_request.load(Ordering::Relaxed)))
    }

    fn counter(&self, service: Service) -> &AtomicU64 {
        let [sqs, pubsub, servicebus] = &self.requests;
        match service {
            Service::Sqs => sqs,
            Service::PubSub => pubsub,
            Service::ServiceBus => servicebus,
        }
    }
}
