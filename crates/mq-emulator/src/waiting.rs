//! Whoever waits for messages, and for time.
//!
//! The engine says after each change which places have something to receive; here is who waits
//! there. One waiter is woken at a time, and passes it on when it got something: of a thousand that
//! wait, one message wakes two. Where only some of the waiters may take what came (keys and
//! sessions have a holder), all are woken.

use std::collections::HashMap;
use std::ops::{Deref, DerefMut};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mq_engine::{
    Command, Delivery, Denied, Engine, EntityId, Operation, Outcome, Part, Place, Refusal, Reply,
    Service, Timestamp,
};
use tokio::sync::Notify;

use crate::shared::Shared;

/// Who waits where.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    places: Mutex<HashMap<Place, Waiters>>,
    /// Notified when the engine's next wake-up may have come nearer.
    pub(crate) timers: Notify,
}

#[derive(Debug)]
struct Waiters {
    notify: Arc<Notify>,
    count: usize,
}

impl Waiting {
    fn places(&self) -> MutexGuard<'_, HashMap<Place, Waiters>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self, place: &Place, all: bool) {
        if let Some(waiters) = self.places().get(place) {
            if all {
                waiters.notify.notify_waiters();
            } else {
                waiters.notify.notify_one();
            }
        }
    }
}

/// One that waits at a place, until it is dropped.
struct Waiter<'a> {
    waiting: &'a Waiting,
    place: Place,
    notify: Arc<Notify>,
}

impl<'a> Waiter<'a> {
    fn at(waiting: &'a Waiting, place: Place) -> Self {
        let mut places = waiting.places();
        let waiters = places.entry(place.clone()).or_insert_with(|| Waiters {
            notify: Arc::default(),
            count: 0,
        });
        waiters.count += 1;
        let notify = Arc::clone(&waiters.notify);
        drop(places);
        Waiter {
            waiting,
            place,
            notify,
        }
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let mut places = self.waiting.places();
        if let Some(waiters) = places.get_mut(&self.place) {
            waiters.count -= 1;
            if waiters.count == 0 {
                places.remove(&self.place);
            }
        }
    }
}

/// The engine, for the length of one request's work; whoever waits for what it changed is woken
/// when it is let go.
pub(crate) struct EngineGuard<'a> {
    engine: MutexGuard<'a, Engine>,
    waiting: &'a Waiting,
    /// When the engine would have been woken before this work.
    due: Option<Timestamp>,
    deleted: Vec<EntityId>,
}

impl<'a> EngineGuard<'a> {
    pub(crate) fn new(engine: MutexGuard<'a, Engine>, waiting: &'a Waiting) -> Self {
        EngineGuard {
            due: engine.next_wakeup(),
            engine,
            waiting,
            deleted: Vec::new(),
        }
    }

    /// As [`Engine::apply`]; who waits at what is deleted is told.
    pub(crate) fn apply(&mut self, now: Timestamp, command: Command) -> Result<Reply, Refusal> {
        let deleted = match &command {
            Command::Delete { id } => Some(id.clone()),
            _ => None,
        };
        let reply = self.engine.apply(now, command);
        self.deleted.extend(deleted.filter(|_| reply.is_ok()));
        reply
    }
}

impl Deref for EngineGuard<'_> {
    type Target = Engine;

    fn deref(&self) -> &Engine {
        &self.engine
    }
}

impl DerefMut for EngineGuard<'_> {
    fn deref_mut(&mut self) -> &mut Engine {
        &mut self.engine
    }
}

impl Drop for EngineGuard<'_> {
    fn drop(&mut self) {
        // Nobody waits for one session only: that comes with the front-end that has them.
        let woken = self.engine.take_woken();
        for place in woken.into_iter().filter(|it| it.anyone).map(|it| it.place) {
            let ordered = self
                .engine
                .get(&place.id)
                .is_some_and(|it| it.settings.ordered);
            self.waiting
                .wake(&place, ordered && place.id.service != Service::Sqs);
        }
        for id in self.deleted.drain(..) {
            for part in [Part::Main, Part::Dead] {
                let id = id.clone();
                self.waiting.wake(&Place { id, part }, true);
            }
        }
        let due = self.engine.next_wakeup();
        if due.is_some_and(|due| self.due.is_none_or(|before| due < before)) {
            self.waiting.timers.notify_one();
        }
    }
}

impl Shared {
    /// Does what the operation says, now.
    pub(crate) fn perform(&self, operation: Operation) -> Result<Outcome, Denied> {
        let mut engine = self.engine();
        engine.perform(self.now(), operation)
    }

    /// Receives, and waits for something to receive until this time of the emulator. Empty when
    /// nothing came.
    ///
    /// # Errors
    /// A [`Denied`], also when the entity is deleted meanwhile.
    pub(crate) async fn receive_until(
        &self,
        place: &Place,
        until: Timestamp,
        receive: impl Fn() -> Operation,
    ) -> Result<Vec<Delivery>, Denied> {
        let waiter = Waiter::at(&self.waiting, place.clone());
        loop {
            // Before the look, so that what comes right after it is not missed.
            let mut arrival = pin!(waiter.notify.notified());
            arrival.as_mut().enable();
            let outcome = self.perform(receive())?;
            if let Outcome::Received(deliveries) = outcome
                && !deliveries.is_empty()
            {
                waiter.notify.notify_one();
                return Ok(deliveries);
            }
            if self.now() >= until {
                return Ok(Vec::new());
            }
            tokio::select! {
                () = arrival => {}
                () = self.clock.sleep_until(until) => {}
            }
        }
    }

    /// Lets the engine's time pass as the clock's does, for as long as the emulator runs.
    pub(crate) async fn keep_time(&self) {
        loop {
            let due = {
                let mut engine = self.engine();
                let now = self.now();
                engine.advance(now);
                engine.next_wakeup()
            };
            let timers = self.waiting.timers.notified();
            match due {
                None => timers.await,
                Some(due) => tokio::select! {
                    () = timers => {}
                    () = self.clock.sleep_until(due) => {}
                },
            }
        }
    }
}
