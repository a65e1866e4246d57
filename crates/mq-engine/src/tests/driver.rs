//! Random operations on the engine and on the model, which must agree on everything.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::model::{Fate, Model, Spot};
use super::world::{self, DEAD_FIFO, DEAD_STANDARD, START, TARGET, document, seconds};
use crate::{
    Command, Delivery, Denied, Engine, EntityKind, Holdings, MoveTask, NewMessage, Operation,
    Outcome, Part, Peeked, Receipt, Receive, SeekTo, Service, SessionLock, SessionStep, Settle,
    Settled, SnapshotStep, Start, Timestamp,
};

/// What found that something is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Check {
    /// What came is what is there or has left in a known way.
    Conservation,
    /// No message is out twice.
    OneLease,
    /// No message is seen before its time.
    NotEarly,
    /// No message is seen that has expired, or was acked, purged, cancelled or moved.
    NotGone,
    /// Nobody gets a message of a group that another one has.
    OneHolder,
    /// Messages come in their order.
    Order,
    /// Delivery counts are right.
    DeliveryCount,
    /// What should be handed out is.
    Delivery,
    /// A receipt does what it may and no more.
    Receipt,
    /// A duplicate is one exactly within its window.
    Duplicates,
    /// Sessions are locked, and keep their state.
    Sessions,
    /// All that waits is where it should be, and waits for what it should.
    Peek,
    /// What is counted is there.
    Counts,
    /// The account of memory is right.
    Memory,
    /// Move tasks move what they say.
    Moves,
    /// Other answers.
    Answer,
    /// Who waits is woken, and time is asked for when it is needed.
    Wake,
}

/// Where the engine and the model disagree.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) check: Check,
    pub(super) what: String,
}

type Checked = Result<(), Failure>;

fn same<T: PartialEq + std::fmt::Debug>(
    check: Check,
    what: &str,
    found: &T,
    wanted: &T,
) -> Checked {
    if found == wanted {
        return Ok(());
    }
    Err(Failure {
        check,
        what: format!("{what}:\n  engine {found:?}\n  model  {wanted:?}"),
    })
}

/// SplitMix64: small, and the same everywhere.
#[derive(Debug)]
pub(super) struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn one_in(&mut self, bound: u64) -> bool {
        self.below(bound) == 0
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize].clone()
    }
}

/// One run.
pub(super) struct Driver {
    pub(super) engine: Engine,
    model: Model,
    dice: Dice,
    now: u64,
    receipts: Vec<(Spot, Receipt)>,
    locks: Vec<(Spot, SessionLock)>,
    names: u64,
    /// Whether only what the engine answers is looked at, and not what it holds.
    pub(super) answers_only: bool,
    /// All that was asked of the engine, where it is wanted.
    pub(super) journal: Option<Vec<(u64, Entry)>>,
    /// What it answered.
    pub(super) answers: Vec<String>,
    /// What has happened at all.
    pub(super) seen: BTreeSet<String>,
}

/// What was asked of the engine.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Entry {
    Command(Box<Command>),
    Operation(Operation),
}

impl Driver {
    pub(super) fn new(seed: u64) -> Self {
        let (engine, entities) = world::build(u64::MAX);
        let model = Model::new(START, entities);
        Driver {
            engine,
            model,
            dice: Dice(seed),
            now: START,
            receipts: Vec::new(),
            locks: Vec::new(),
            names: 0,
            answers_only: false,
            journal: None,
            answers: Vec::new(),
            seen: BTreeSet::new(),
        }
    }

    /// Does one random thing, and compares everything that can be seen.
    pub(super) fn step(&mut self) -> Checked {
        let pauses = [0, 0, 1, 7, 300, 1_000, 2_500, 5_000];
        let pause = match self.dice.below(60) {
            0 => 30_000,
            1..4 => self.until_next_event(),
            _ => self.dice.pick(&pauses),
        };
        // Of some, for the model looks at everything to find out.
        let mut asleep: Vec<Spot> = (0..3).map(|_| self.a_spot()).collect();
        asleep.retain(|spot| !self.model.receivable(*spot));
        let _ = self.engine.take_woken();
        self.now += pause;
        self.model.advance(self.now);
        self.operate()?;
        self.model.advance(self.now);
        self.engine.advance(Timestamp(self.now));
        if self.answers_only {
            return Ok(());
        }
        self.compare(&asleep)
    }

    /// To the very millisecond at which something happens, or the one before.
    fn until_next_event(&mut self) -> u64 {
        let event = self.model.next_event().map(|(time, ..)| time);
        let window = self.model.next_window_end();
        let next = if self.dice.one_in(2) { window } else { event };
        let next = next.unwrap_or(self.now);
        let before = self.dice.below(2);
        next.saturating_sub(self.now + before)
    }

    fn waiting(&self) -> Vec<Spot> {
        let mut spots = Vec::new();
        for (index, known) in self.model.entities.iter().enumerate() {
            if known.number.is_some() && known.id.kind != EntityKind::Topic {
                spots.push((index, Part::Main));
                if known.id.service == Service::ServiceBus {
                    spots.push((index, Part::Dead));
                }
            }
        }
        spots
    }

    fn a_spot(&mut self) -> Spot {
        let spots = self.waiting();
        self.dice.pick(&spots)
    }

    fn perform(&mut self, operation: Operation) -> Result<Outcome, Denied> {
        if let Some(journal) = &mut self.journal {
            journal.push((self.now, Entry::Operation(operation.clone())));
        }
        let outcome = self.engine.perform(Timestamp(self.now), operation);
        if self.journal.is_some() {
            self.answers.push(format!("{outcome:?}"));
        }
        self.see(&outcome);
        outcome
    }

    fn apply(&mut self, command: Command) -> Checked {
        if let Some(journal) = &mut self.journal {
            journal.push((self.now, Entry::Command(Box::new(command.clone()))));
        }
        let reply = self.engine.apply(Timestamp(self.now), command);
        if self.journal.is_some() {
            self.answers.push(format!("{reply:?}"));
        }
        same(Check::Answer, "a command", &reply.is_ok(), &true)
    }

    /// Notes which kinds of answer there were.
    fn see(&mut self, outcome: &Result<Outcome, Denied>) {
        let kind = |debug: String| {
            let end = debug.find([' ', '{', '(']).unwrap_or(debug.len());
            debug[..end].to_owned()
        };
        match outcome {
            Err(denied) => {
                self.seen.insert(kind(format!("{denied:?}")));
            }
            Ok(Outcome::Settled(all)) => {
                for settled in all {
                    let settled = format!("{settled:?}");
                    let named = !settled.starts_with("Done");
                    self.seen
                        .insert(if named { settled } else { kind(settled) });
                }
            }
            Ok(Outcome::Sent(all)) => {
                let denied = all.iter().filter_map(|one| one.as_ref().err());
                self.seen
                    .extend(denied.map(|denied| kind(format!("{denied:?}"))));
            }
            Ok(Outcome::Received(all)) => {
                for delivery in all {
                    let origin = delivery.origin.as_ref();
                    let reason = origin.map_or("fresh".to_owned(), |origin| {
                        kind(format!("{:?}", origin.reason))
                    });
                    self.seen.insert(format!("received {reason}"));
                }
            }
            Ok(_) => {}
        }
    }

    fn operate(&mut self) -> Checked {
        let crowded = self.model.items.len() > 150;
        match self.dice.below(100) {
            0..28 if !crowded => self.send(),
            0..50 => self.receive(),
            50..72 => self.settle(),
            72..76 => self.receive_deferred(),
            76..79 => self.cancel(),
            79..88 => self.session(),
            88 => self.purge(crowded),
            89..92 => self.seek(),
            92..94 => self.snapshot(),
            94..96 => self.start_move(),
            96 => self.cancel_move(),
            97 => self.recreate(),
            98 => self.change_retention(),
            _ => Ok(()),
        }
    }

    fn message(&mut self, service: Service) -> NewMessage {
        let groups = ["a", "b", "c"];
        let group = (!self.dice.one_in(5)).then(|| self.dice.pick(&groups).to_owned());
        let start = match (service, self.dice.below(6)) {
            (Service::Sqs, 0) => Start::After(seconds(self.dice.below(6))),
            (Service::ServiceBus, 0..2) => Start::At(Timestamp(self.now + self.dice.below(9_000))),
            _ => Start::Usual,
        };
        let ttl = [500, 5_000, 20_000, 90_000];
        self.names += 1;
        NewMessage {
            body: Bytes::from(vec![self.dice.below(4) as u8; self.dice.below(9) as usize]),
            properties: Bytes::from(format!("p{}", self.names)),
            group,
            duplicate_id: (!self.dice.one_in(3)).then(|| self.dice.below(12).to_string()),
            start,
            ttl: (service == Service::ServiceBus && self.dice.one_in(3))
                .then(|| Duration::from_millis(self.dice.pick(&ttl))),
        }
    }

    fn send(&mut self) -> Checked {
        let entities: Vec<usize> = (0..self.model.entities.len())
            .filter(|index| {
                let known = &self.model.entities[*index];
                known.number.is_some() && known.id.kind != EntityKind::Subscription
            })
            .collect();
        let entity = self.dice.pick(&entities);
        let to = self.model.entities[entity].id.clone();
        let count = 1 + self.dice.below(4);
        let messages: Vec<NewMessage> = (0..count).map(|_| self.message(to.service)).collect();
        let outcome = self.perform(Operation::Send {
            to,
            messages: messages.clone(),
            whole: false,
        });
        let wanted: Vec<_> = messages
            .iter()
            .map(|message| self.model.send(entity, message))
            .collect();
        let Ok(Outcome::Sent(found)) = outcome else {
            return same(
                Check::Answer,
                "a send",
                &outcome,
                &Ok(Outcome::Sent(wanted)),
            );
        };
        let duplicates = |sent: &[Result<crate::Sent, Denied>]| -> Vec<bool> {
            sent.iter()
                .map(|one| one.as_ref().is_ok_and(|sent| sent.duplicate))
                .collect()
        };
        same(
            Check::Duplicates,
            "duplicates",
            &duplicates(&found),
            &duplicates(&wanted),
        )?;
        same(Check::Answer, "what was sent", &found, &wanted)
    }

    fn how(&mut self, spot: Spot) -> Receive {
        let known = &self.model.entities[spot.0];
        let service = known.id.service;
        let lock = |(at, lock): &(Spot, SessionLock)| (*at == spot).then(|| lock.clone());
        let locks: Vec<SessionLock> = self.locks.iter().filter_map(lock).collect();
        let session = (!locks.is_empty() && !self.dice.one_in(8)).then(|| self.dice.pick(&locks));
        Receive {
            max: 1 + self.dice.below(5) as usize,
            lease: (service == Service::Sqs && self.dice.one_in(4))
                .then(|| seconds(1 + self.dice.below(9))),
            remove: service == Service::ServiceBus && self.dice.one_in(5),
            holder: (service == Service::PubSub && self.dice.one_in(2)).then(|| self.dice.below(3)),
            session,
            attempt: (service == Service::Sqs && self.dice.one_in(3))
                .then(|| self.dice.below(4).to_string()),
        }
    }

    fn receive(&mut self) -> Checked {
        let spot = self.a_spot();
        let how = self.how(spot);
        let from = self.model.place(spot);
        let before = self.model.items.clone();
        let outcome = self.perform(Operation::Receive {
            from,
            how: how.clone(),
        });
        let wanted = self.model.receive(spot, &how);
        self.received(spot, &before, outcome, wanted)
    }

    fn received(
        &mut self,
        spot: Spot,
        before: &[super::model::Item],
        outcome: Result<Outcome, Denied>,
        wanted: Result<Vec<Delivery>, Denied>,
    ) -> Checked {
        match (outcome, wanted) {
            (Ok(Outcome::Received(found)), Ok(wanted)) => {
                for delivery in &found {
                    self.receipts.push((spot, delivery.receipt));
                }
                if found != wanted {
                    return Err(explain(spot, before, &found, &wanted));
                }
                Ok(())
            }
            (outcome, wanted) => {
                let wanted = wanted.map(Outcome::Received);
                same(Check::Answer, "a receive", &outcome, &wanted)
            }
        }
    }

    fn receive_deferred(&mut self) -> Checked {
        let deferred: Vec<(Spot, u64)> = self
            .model
            .items
            .iter()
            .filter(|item| item.fate == Fate::Deferred)
            .map(|item| (item.spot, item.sequence))
            .collect();
        let (spot, sequence) = if deferred.is_empty() || self.dice.one_in(6) {
            (self.a_spot(), self.dice.below(50))
        } else {
            self.dice.pick(&deferred)
        };
        let how = self.how(spot);
        let before = self.model.items.clone();
        let outcome = self.perform(Operation::ReceiveDeferred {
            from: self.model.place(spot),
            sequences: vec![sequence],
            how: how.clone(),
        });
        let wanted = self.model.receive_deferred(spot, &[sequence], &how);
        self.received(spot, &before, outcome, wanted)
    }

    fn settle(&mut self) -> Checked {
        if self.receipts.is_empty() {
            return Ok(());
        }
        // Mostly the latest ones, sometimes very old ones, and some twice.
        let recent = self.receipts.len().saturating_sub(12);
        let from = if self.dice.one_in(6) { 0 } else { recent };
        let choices = self.receipts[from..].to_vec();
        let (spot, receipt) = self.dice.pick(&choices);
        if self.model.entities[spot.0].number.is_none() {
            return Ok(());
        }
        let service = self.model.entities[spot.0].id.service;
        let bus = service == Service::ServiceBus;
        let properties = (bus && self.dice.one_in(3)).then(|| Bytes::from_static(b"rewritten"));
        let how = match self.dice.below(if bus { 12 } else { 8 }) {
            0..3 => Settle::Ack,
            3..5 => Settle::Nack {
                delay: (!bus && self.dice.one_in(3)).then(|| seconds(self.dice.below(4))),
                properties,
            },
            5..8 => Settle::Extend {
                lease: (!bus && self.dice.one_in(2)).then(|| seconds(self.dice.below(8))),
            },
            8..11 => Settle::Defer { properties },
            _ if spot.1 == Part::Dead => Settle::Ack,
            _ => Settle::DeadLetter {
                reason: Some("because".to_owned()),
                description: None,
                properties,
            },
        };
        let outcome = self.perform(Operation::Settle {
            at: self.model.place(spot),
            receipts: vec![receipt],
            how: how.clone(),
        });
        let wanted: Vec<Settled> = vec![self.model.settle(spot, receipt, &how)];
        same(
            Check::Receipt,
            "settling",
            &outcome,
            &Ok(Outcome::Settled(wanted)),
        )
    }

    fn cancel(&mut self) -> Checked {
        let scheduled: Vec<(Spot, u64)> = self
            .model
            .items
            .iter()
            .filter(|item| matches!(item.fate, Fate::Scheduled(_)))
            .map(|item| (item.spot, item.sequence))
            .collect();
        let ((entity, _), sequence) = if scheduled.is_empty() || self.dice.one_in(6) {
            (self.a_spot(), self.dice.below(50))
        } else {
            self.dice.pick(&scheduled)
        };
        let outcome = self.perform(Operation::Cancel {
            to: self.model.entities[entity].id.clone(),
            sequences: vec![sequence],
        });
        let wanted = self.model.cancel(entity, &[sequence]);
        let wanted = wanted.map(|()| Outcome::Done);
        same(Check::Answer, "cancelling", &outcome, &wanted)
    }

    fn session(&mut self) -> Checked {
        if self.locks.is_empty() || self.dice.one_in(2) {
            return self.accept();
        }
        let recent = self.locks[self.locks.len().saturating_sub(5)..].to_vec();
        let (spot, lock) = self.dice.pick(&recent);
        let (step, wanted) = match self.dice.below(4) {
            0 => {
                let wanted = self.model.renew(spot, &lock);
                let step = SessionStep::Renew { lock };
                (step, wanted.map(|until| Outcome::Locked(Timestamp(until))))
            }
            1 => {
                let wanted = self.model.release(spot, &lock);
                (
                    SessionStep::Release { lock },
                    wanted.map(|()| Outcome::Done),
                )
            }
            _ => {
                let state = (!self.dice.one_in(4))
                    .then(|| Bytes::from(format!("state {}", self.dice.below(100))));
                let wanted = self.model.set_state(spot, &lock, state.clone());
                let step = SessionStep::SetState { lock, state };
                (step, wanted.map(|()| Outcome::Done))
            }
        };
        let from = self.model.place(spot);
        let outcome = self.perform(Operation::Session { from, step });
        same(Check::Sessions, "a session", &outcome, &wanted)
    }

    fn accept(&mut self) -> Checked {
        let spots: Vec<Spot> = self
            .waiting()
            .into_iter()
            .filter(|spot| {
                let known = &self.model.entities[spot.0];
                known.settings.ordered && known.id.service == Service::ServiceBus
            })
            .collect();
        let spot = self.dice.pick(&spots);
        let session = self
            .dice
            .one_in(2)
            .then(|| self.dice.pick(&["a", "b", "c"]));
        let outcome = self.perform(Operation::Session {
            from: self.model.place(spot),
            step: SessionStep::Accept {
                session: session.map(str::to_owned),
            },
        });
        let wanted = self.model.accept(spot, session).map(|session| {
            Outcome::Session(session.map(|(lock, until, state)| crate::Session {
                lock,
                until: Timestamp(until),
                state,
            }))
        });
        if let Ok(Outcome::Session(Some(session))) = &outcome {
            self.locks.push((spot, session.lock.clone()));
        }
        same(Check::Sessions, "accepting a session", &outcome, &wanted)
    }

    fn purge(&mut self, crowded: bool) -> Checked {
        if !crowded && !self.dice.one_in(6) {
            return Ok(());
        }
        let spot = self.a_spot();
        let at = self.model.place(spot);
        let outcome = self.perform(Operation::Purge { at });
        let wanted = self.model.purge(spot);
        same(
            Check::Conservation,
            "a purge",
            &outcome,
            &Ok(Outcome::Purged(wanted)),
        )
    }

    fn a_subscription(&mut self) -> usize {
        let of_pubsub = |index: &usize| {
            let id = &self.model.entities[*index].id;
            id.service == Service::PubSub && id.kind == EntityKind::Subscription
        };
        let all: Vec<usize> = (0..self.model.entities.len()).filter(of_pubsub).collect();
        self.dice.pick(&all)
    }

    fn seek(&mut self) -> Checked {
        let entity = self.a_subscription();
        let subscription = self.model.entities[entity].id.clone();
        let names: Vec<String> = self
            .model
            .snaps
            .iter()
            .map(|snap| snap.name.clone())
            .collect();
        let (to, wanted) = if names.is_empty() || self.dice.one_in(2) {
            let back = self.dice.below(20_000);
            let ahead = if self.dice.one_in(5) { 22_000 } else { 0 };
            let time = self.now + ahead - back;
            self.model.seek_time(entity, time);
            (SeekTo::Time(Timestamp(time)), Ok(()))
        } else {
            let name = self.dice.pick(&names);
            let wanted = self.model.seek_snapshot(entity, &name);
            (SeekTo::Snapshot(name), wanted)
        };
        let outcome = self.perform(Operation::Seek { subscription, to });
        same(
            Check::Answer,
            "a seek",
            &outcome,
            &wanted.map(|()| Outcome::Done),
        )
    }

    fn snapshot(&mut self) -> Checked {
        if self.model.snaps.len() > 3 {
            let name = self.model.snaps[0].name.clone();
            let wanted = self.model.drop_snapshot(&name);
            let step = SnapshotStep::Drop;
            let outcome = self.perform(Operation::Snapshot { name, step });
            let wanted = wanted.map(|()| Outcome::Done);
            return same(Check::Answer, "dropping a snapshot", &outcome, &wanted);
        }
        let entity = self.a_subscription();
        self.names += 1;
        let name = format!("snapshot {}", self.names);
        let expires = self.now + 1_000 + self.dice.below(60_000);
        self.model.take_snapshot(entity, &name, expires);
        let outcome = self.perform(Operation::Snapshot {
            name,
            step: SnapshotStep::Take {
                subscription: self.model.entities[entity].id.clone(),
                expires: Timestamp(expires),
                document: serde_json::Value::Null,
            },
        });
        same(Check::Answer, "a snapshot", &outcome, &Ok(Outcome::Done))
    }

    fn start_move(&mut self) -> Checked {
        let queues = [(DEAD_STANDARD, Part::Main), (DEAD_FIFO, Part::Main)];
        let queues = [&queues[..], &[(TARGET, Part::Dead), (TARGET, Part::Main)]].concat();
        let spot = self.dice.pick(&queues);
        if self.model.entities[spot.0].number.is_none() {
            return Ok(());
        }
        let standard = self.model.entities[1].id.clone();
        let to = self.dice.one_in(2).then_some(standard);
        let to = to.filter(|_| spot.0 == DEAD_STANDARD);
        let per_second = self.dice.pick(&[1, 2, 3, 7, 500]);
        let outcome = self.perform(Operation::StartMove {
            from: self.model.place(spot),
            to: to.clone(),
            per_second,
        });
        let number = match &outcome {
            Ok(Outcome::MoveStarted(number)) => *number,
            _ => 0,
        };
        let wanted = self
            .model
            .start_move(number, spot, to, u64::from(per_second))
            .map(|()| Outcome::MoveStarted(number));
        same(Check::Moves, "starting a move", &outcome, &wanted)
    }

    fn cancel_move(&mut self) -> Checked {
        let numbers: Vec<u64> = self.model.tasks.iter().map(|task| task.task).collect();
        if numbers.is_empty() {
            return Ok(());
        }
        let task = self.dice.pick(&numbers);
        let outcome = self.perform(Operation::CancelMove { task });
        let wanted = self.model.cancel_move(task).map(Outcome::MoveCancelled);
        same(Check::Moves, "cancelling a move", &outcome, &wanted)
    }

    /// Deletes an entity that others refer to, or makes it again.
    fn recreate(&mut self) -> Checked {
        let entity = self.dice.pick(&[DEAD_STANDARD, DEAD_FIFO, TARGET]);
        let known = self.model.entities[entity].clone();
        if known.number.is_some() && !self.dice.one_in(4) {
            return Ok(());
        }
        let command = match known.number {
            Some(_) => Command::Delete { id: known.id },
            None => world::create(&known),
        };
        self.apply(command)?;
        if known.number.is_some() {
            self.model.delete(entity);
            self.receipts.retain(|((at, _), _)| *at != entity);
        } else {
            let last = self
                .model
                .entities
                .iter()
                .filter_map(|known| known.number)
                .max();
            // Numbers grow with every creation, so any number beyond the last will do.
            self.model.entities[entity].number = last.map(|last| last + 1);
        }
        Ok(())
    }

    fn change_retention(&mut self) -> Checked {
        let (entity, _) = self.a_spot();
        let choices = [
            None,
            Some(seconds(20)),
            Some(seconds(60)),
            Some(seconds(120)),
        ];
        let retention = self.dice.pick(&choices);
        self.model.set_retention(entity, retention);
        let known = &self.model.entities[entity];
        let command = Command::Update {
            id: known.id.clone(),
            settings: known.settings.clone(),
            document: document(known.filter),
            if_revision: None,
        };
        self.apply(command)
    }

    fn compare(&mut self, asleep: &[Spot]) -> Checked {
        let woken = self.engine.take_woken();
        for spot in self.waiting() {
            let place = self.model.place(spot);
            let found = self.engine.holdings(&place).unwrap_or_default();
            conserved(&found)?;
            let what = format!("{place:?}");
            same(Check::Counts, &what, &found, &self.model.holdings(spot))?;
        }
        for spot in asleep.iter().filter(|spot| self.model.receivable(**spot)) {
            let place = self.model.place(*spot);
            let what = format!("whether {place:?} was woken");
            same(Check::Wake, &what, &woken.contains(&place), &true)?;
        }
        self.compare_moves()?;
        let (found, wanted) = (self.engine.memory_held(), self.model.memory());
        same(Check::Memory, "bytes held", &found, &wanted)?;
        let due = self.model.next_event().map(|(time, ..)| time);
        let wakeup = self.engine.next_wakeup().map(|time| time.0);
        let early_enough = due.is_none_or(|due| wakeup.is_some_and(|wakeup| wakeup <= due));
        same(Check::Wake, "the next wakeup", &early_enough, &true)?;
        let spot = self.a_spot();
        let place = self.model.place(spot);
        let peeked = self.engine.peek(&place, 0, usize::MAX, None);
        let wanted = self.model.peek(spot);
        same(Check::Peek, "a peek", &peeked, &wanted)?;
        let from = self.dice.below(40);
        let peeked = self.engine.peek(&place, from, 3, Some("a"));
        let wanted: Vec<Peeked> = wanted
            .into_iter()
            .filter(|one| one.sequence >= from && one.group.as_deref() == Some("a"))
            .take(3)
            .collect();
        same(Check::Peek, "a peek at a group", &peeked, &wanted)
    }

    fn compare_moves(&self) -> Checked {
        for task in &self.model.tasks {
            let place = self.model.place(task.spot);
            let found = self
                .engine
                .moves(&place)
                .find(|found| found.task == task.task);
            let stands = |found: &MoveTask| (found.moved, found.status);
            let Some(found) = found.map(stands) else {
                continue;
            };
            same(Check::Moves, "a task", &found, &(task.moved, task.status))?;
        }
        Ok(())
    }
}

fn conserved(holdings: &Holdings) -> Checked {
    let h = holdings;
    let there = h.visible + h.leased + h.delayed + h.scheduled + h.deferred;
    let gone = h.acked + h.expired + h.purged + h.left;
    same(
        Check::Conservation,
        "what came, and what is there or gone",
        &h.arrived,
        &(there + gone),
    )
}

/// What is wrong with a receive, as exactly as can be told.
fn explain(
    spot: Spot,
    before: &[super::model::Item],
    found: &[Delivery],
    wanted: &[Delivery],
) -> Failure {
    let what = format!("received from {spot:?}:\n  engine {found:?}\n  model  {wanted:?}");
    let fail = |check| Failure {
        check,
        what: what.clone(),
    };
    let sequences = |all: &[Delivery]| -> Vec<u64> {
        all.iter()
            .map(|delivery| delivery.receipt.sequence)
            .collect()
    };
    let (got, should) = (sequences(found), sequences(wanted));
    for (index, sequence) in got.iter().enumerate() {
        if got[..index].contains(sequence) {
            return fail(Check::OneLease);
        }
        if should.contains(sequence) {
            continue;
        }
        let item = before
            .iter()
            .find(|item| item.spot == spot && item.sequence == *sequence);
        let check = match item.map(|item| item.fate) {
            None => Check::NotGone,
            Some(Fate::Retained | Fate::Settled) => Check::NotGone,
            Some(Fate::Leased(_)) => Check::OneLease,
            Some(Fate::Delayed(_) | Fate::Scheduled(_)) => Check::NotEarly,
            Some(Fate::Deferred) => Check::Delivery,
            Some(Fate::Ready(_)) => Check::OneHolder,
        };
        return fail(check);
    }
    let mut sorted = (got.clone(), should.clone());
    sorted.0.sort_unstable();
    sorted.1.sort_unstable();
    if got != should && sorted.0 == sorted.1 {
        return fail(Check::Order);
    }
    let counts = |all: &[Delivery]| -> Vec<u32> {
        all.iter().map(|delivery| delivery.delivery_count).collect()
    };
    if got == should && counts(found) != counts(wanted) {
        return fail(Check::DeliveryCount);
    }
    fail(Check::Delivery)
}
