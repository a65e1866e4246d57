//! Sessions are accepted, held, given back.

use bytes::Bytes;

use super::Driver;
use super::checks::{Check, Checked, same};
use crate::tests::model::Spot;
use crate::{Operation, Outcome, Service, Session, SessionStep, Timestamp};

impl Driver {
    pub(super) fn session(&mut self) -> Checked {
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

    pub(super) fn accept(&mut self) -> Checked {
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
            Outcome::Session(session.map(|(lock, until, state)| Session {
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
}
