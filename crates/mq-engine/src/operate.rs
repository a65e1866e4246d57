//! Which operation is whose work.

use crate::engine::Engine;
use crate::entity::{Part, Place};
use crate::message::Receipt;
use crate::operation::{Denied, Operation, Outcome, Receive, SessionStep, Settle, SnapshotStep};
use crate::receive::{Counter, Handed};
use crate::store::Store;

impl Engine {
    pub(crate) fn operate(&mut self, operation: Operation) -> Result<Outcome, Denied> {
        match operation {
            Operation::Send {
                to,
                messages,
                whole,
            } => self.send(&to, messages, whole),
            Operation::Cancel { to, sequences } => self.cancel(&to, &sequences),
            Operation::Receive { from, how } => {
                self.hand_out(&from, |store, counter| store.receive(&how, counter))
            }
            Operation::ReceiveDeferred {
                from,
                sequences,
                how,
            } => self.receive_deferred(&from, &sequences, &how),
            Operation::Settle { at, receipts, how } => self.settle(&at, &receipts, &how),
            Operation::Session { from, step } => self.session(&from, step),
            Operation::Purge { at } => self.purge(&at),
            Operation::Seek { subscription, to } => self.seek(&subscription, &to),
            Operation::Snapshot { name, step } => match step {
                SnapshotStep::Take {
                    subscription,
                    expires,
                    document,
                } => self.take_snapshot(&subscription, name, expires, document),
                SnapshotStep::Update { expires, document } => {
                    self.update_snapshot(name, expires, document)
                }
                SnapshotStep::Drop => self.drop_snapshot(&name),
            },
            Operation::StartMove {
                from,
                to,
                per_second,
            } => self.start_move(from, to, per_second),
            Operation::CancelMove { task } => self.cancel_move(task),
        }
    }

    fn receive_deferred(
        &mut self,
        from: &Place,
        sequences: &[u64],
        how: &Receive,
    ) -> Result<Outcome, Denied> {
        self.hand_out(from, |store, counter| {
            let deliveries = store.receive_deferred(sequences, how, counter)?;
            let dead = Vec::new();
            Ok(Handed { deliveries, dead })
        })
    }

    fn hand_out(
        &mut self,
        from: &Place,
        pick: impl FnOnce(&mut Store, &mut Counter<'_>) -> Result<Handed, Denied>,
    ) -> Result<Outcome, Denied> {
        let (number, part) = (self.holder_of(&from.id)?, from.part);
        let rules = self.rules(number, part);
        let slot = self.slots.get_mut(&number).ok_or(Denied::NotFound)?;
        let mut counter = Counter {
            now: self.clock,
            rules,
            memory: &mut self.memory,
            leases: &mut self.leases,
        };
        let handed = pick(slot.store(part), &mut counter)?;
        self.bury(number, part, handed.dead);
        self.touch(number);
        Ok(Outcome::Received(handed.deliveries))
    }

    fn settle(
        &mut self,
        at: &Place,
        receipts: &[Receipt],
        how: &Settle,
    ) -> Result<Outcome, Denied> {
        let (number, part) = (self.holder_of(&at.id)?, at.part);
        if part == Part::Dead && matches!(how, Settle::DeadLetter { .. }) {
            return Err(Denied::WrongKind);
        }
        let rules = self.rules(number, part);
        let now = self.clock;
        let mut settled = Vec::with_capacity(receipts.len());
        for receipt in receipts {
            let slot = self.slots.get_mut(&number).ok_or(Denied::NotFound)?;
            let store = slot.store(part);
            let (one, dead) = store.settle(*receipt, how, now, &rules, &mut self.memory);
            settled.push(one);
            self.bury(number, part, dead.into_iter().collect());
        }
        self.touch(number);
        Ok(Outcome::Settled(settled))
    }

    fn session(&mut self, from: &Place, step: SessionStep) -> Result<Outcome, Denied> {
        let (number, part) = (self.holder_of(&from.id)?, from.part);
        let rules = self.rules(number, part);
        let now = self.clock;
        let until = now.after(rules.lease);
        let slot = self.slots.get_mut(&number).ok_or(Denied::NotFound)?;
        let store = slot.store(part);
        let outcome = match step {
            SessionStep::Accept { session } => {
                let number = self.leases + 1;
                let session = store.accept(session.as_deref(), number, until)?;
                if session.is_some() {
                    self.leases = number;
                }
                Outcome::Session(session)
            }
            SessionStep::Renew { lock } => {
                store.renew(&lock, now, until)?;
                Outcome::Locked(until)
            }
            SessionStep::Release { lock } => {
                let dead = store.release(&lock, now, &rules, &mut self.memory)?;
                self.bury(number, part, dead);
                Outcome::Done
            }
            SessionStep::SetState { lock, state } => {
                store.set_state(&lock, now, state, &mut self.memory)?;
                Outcome::Done
            }
        };
        self.touch(number);
        Ok(outcome)
    }

    fn purge(&mut self, at: &Place) -> Result<Outcome, Denied> {
        let number = *self.by_id.get(&at.id).ok_or(Denied::NotFound)?;
        let slot = self.slots.get_mut(&number).ok_or(Denied::NotFound)?;
        let purged = match slot.peek_mut(at.part) {
            Some(store) => store.purge(&mut self.memory),
            None => 0,
        };
        self.touch(number);
        Ok(Outcome::Purged(purged))
    }
}
