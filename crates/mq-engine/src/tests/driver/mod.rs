//! Random operations on the engine and on the model, which must agree on everything.

mod checks;
mod comparing;
mod dice;
mod operating;
mod sessions;

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

pub(super) use self::checks::{Check, Failure};
use self::checks::{Checked, explain, same};
use self::dice::Dice;
use super::model::{Fate, Item, Model, Spot};
use super::world::{self, START, seconds};
use crate::{
    Command, Delivery, Denied, Engine, EntityKind, NewMessage, Operation, Outcome, Part, Receipt,
    Receive, Service, SessionLock, Settle, Settled, Start, Timestamp,
};

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
        let dozing = self.dozing();
        let _ = self.engine.take_woken();
        self.now += pause;
        self.model.advance(self.now);
        self.operate()?;
        self.model.advance(self.now);
        self.engine.advance(Timestamp(self.now));
        if self.answers_only {
            return Ok(());
        }
        self.compare(&asleep, &dozing)
    }

    /// The sessions that are held and have nothing for their holder.
    fn dozing(&self) -> Vec<(Spot, (String, u64))> {
        let sessions = |spot| {
            let held = self.model.held_sessions(spot).into_iter();
            held.map(move |session| (spot, session))
        };
        let mut held: Vec<(Spot, (String, u64))> =
            self.waiting().into_iter().flat_map(sessions).collect();
        held.retain(|(spot, (session, _))| !self.model.receivable_in(*spot, session));
        held
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
            bytes_max: None,
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
        before: &[Item],
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
}
