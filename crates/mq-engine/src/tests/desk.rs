//! A short way to say what happens, for tests that each tell one story.

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use crate::{
    Command, Counts, Delivery, Denied, Engine, EntityId, EntityKind, NewMessage, Operation,
    Outcome, Part, Place, Receipt, Receive, Sent, Service, Session, SessionLock, SessionStep,
    Settings, Settle, Settled, Timestamp,
};

pub(super) const QUEUE: EntityKind = EntityKind::Queue;
pub(super) const TOPIC: EntityKind = EntityKind::Topic;
pub(super) const SUBSCRIPTION: EntityKind = EntityKind::Subscription;

pub(super) fn id(service: Service, kind: EntityKind, name: &str) -> EntityId {
    EntityId {
        service,
        kind,
        scope: "scope".to_owned(),
        name: name.to_owned(),
    }
}

pub(super) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A lease of ten seconds, and a retention of a thousand.
pub(super) fn settings() -> Settings {
    Settings {
        lease: seconds(10),
        retention: Some(seconds(1_000)),
        ..Settings::default()
    }
}

pub(super) fn message(body: &str) -> NewMessage {
    NewMessage {
        body: Bytes::copy_from_slice(body.as_bytes()),
        ..NewMessage::default()
    }
}

pub(super) fn grouped(body: &str, group: &str) -> NewMessage {
    NewMessage {
        group: Some(group.to_owned()),
        ..message(body)
    }
}

/// The bodies of what was received.
pub(super) fn bodies(deliveries: &[Delivery]) -> Vec<String> {
    let text = |delivery: &Delivery| String::from_utf8(delivery.body.to_vec()).unwrap();
    deliveries.iter().map(text).collect()
}

/// An engine, and what time it is, in milliseconds.
pub(super) struct Desk {
    pub(super) engine: Engine,
    pub(super) now: u64,
}

impl Desk {
    pub(super) fn new() -> Self {
        Desk::with(Engine::new())
    }

    pub(super) fn with(engine: Engine) -> Self {
        Desk { engine, now: 0 }
    }

    pub(super) fn make(&mut self, id: &EntityId, settings: Settings) {
        let command = Command::Create {
            id: id.clone(),
            settings,
            document: Value::Null,
        };
        self.engine.apply(Timestamp(self.now), command).unwrap();
    }

    pub(super) fn change(&mut self, id: &EntityId, settings: Settings) {
        let command = Command::Update {
            id: id.clone(),
            settings,
            document: Value::Null,
            if_revision: None,
        };
        self.engine.apply(Timestamp(self.now), command).unwrap();
    }

    pub(super) fn delete(&mut self, id: &EntityId) {
        let command = Command::Delete { id: id.clone() };
        self.engine.apply(Timestamp(self.now), command).unwrap();
    }

    pub(super) fn perform(&mut self, operation: Operation) -> Result<Outcome, Denied> {
        self.engine.perform(Timestamp(self.now), operation)
    }

    pub(super) fn try_send(&mut self, to: &EntityId, message: NewMessage) -> Result<Sent, Denied> {
        let outcome = self.perform(Operation::Send {
            to: to.clone(),
            messages: vec![message],
            whole: false,
        });
        match outcome? {
            Outcome::Sent(sent) => sent.into_iter().next().unwrap(),
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn send(&mut self, to: &EntityId, message: NewMessage) -> Sent {
        self.try_send(to, message).unwrap()
    }

    pub(super) fn try_receive(
        &mut self,
        from: &Place,
        how: Receive,
    ) -> Result<Vec<Delivery>, Denied> {
        let from = from.clone();
        match self.perform(Operation::Receive { from, how })? {
            Outcome::Received(deliveries) => Ok(deliveries),
            other => panic!("{other:?}"),
        }
    }

    /// Up to this many from the main part.
    pub(super) fn receive(&mut self, from: &EntityId, max: usize) -> Vec<Delivery> {
        let how = Receive {
            max,
            ..Receive::default()
        };
        self.try_receive(&from.clone().into(), how).unwrap()
    }

    pub(super) fn receive_dead(&mut self, from: &EntityId) -> Vec<Delivery> {
        let how = Receive {
            max: 10,
            ..Receive::default()
        };
        self.try_receive(&dead(from), how).unwrap()
    }

    pub(super) fn settle(&mut self, at: &EntityId, receipt: Receipt, how: Settle) -> Settled {
        let outcome = self.perform(Operation::Settle {
            at: at.clone().into(),
            receipts: vec![receipt],
            how,
        });
        match outcome.unwrap() {
            Outcome::Settled(settled) => settled[0],
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn ack(&mut self, at: &EntityId, receipt: Receipt) -> Settled {
        self.settle(at, receipt, Settle::Ack)
    }

    pub(super) fn nack(&mut self, at: &EntityId, receipt: Receipt) -> Settled {
        let how = Settle::Nack {
            delay: None,
            properties: None,
        };
        self.settle(at, receipt, how)
    }

    pub(super) fn session(
        &mut self,
        from: &EntityId,
        step: SessionStep,
    ) -> Result<Outcome, Denied> {
        let from = from.clone().into();
        self.perform(Operation::Session { from, step })
    }

    pub(super) fn accept(&mut self, from: &EntityId, session: Option<&str>) -> Option<Session> {
        let session = session.map(str::to_owned);
        match self.session(from, SessionStep::Accept { session }).unwrap() {
            Outcome::Session(session) => session,
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn receive_session(&mut self, from: &EntityId, lock: &SessionLock) -> Vec<Delivery> {
        let how = Receive {
            max: 10,
            session: Some(lock.clone()),
            ..Receive::default()
        };
        self.try_receive(&from.clone().into(), how).unwrap()
    }

    pub(super) fn counts(&self, id: &EntityId) -> Counts {
        self.engine.counts(id).unwrap()
    }

    pub(super) fn pass(&mut self, millis: u64) {
        self.now += millis;
        self.engine.advance(Timestamp(self.now));
    }
}

pub(super) fn dead(id: &EntityId) -> Place {
    Place {
        id: id.clone(),
        part: Part::Dead,
    }
}

pub(super) fn done(settled: Settled) -> bool {
    matches!(settled, Settled::Done(_))
}
