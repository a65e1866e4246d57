//! Purges, seeks, snapshots, moves, and entities that come and go.

use super::Driver;
use super::checks::{Check, Checked, same};
use crate::tests::model::Spot;
use crate::tests::world::{self, DEAD_FIFO, DEAD_STANDARD, TARGET, document, seconds};
use crate::{
    Command, EntityKind, Operation, Outcome, Part, SeekTo, Service, SnapshotStep, Timestamp,
};

impl Driver {
    pub(super) fn purge(&mut self, crowded: bool) -> Checked {
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

    pub(super) fn a_subscription(&mut self) -> usize {
        let of_pubsub = |index: &usize| {
            let id = &self.model.entities[*index].id;
            id.service == Service::PubSub && id.kind == EntityKind::Subscription
        };
        let all: Vec<usize> = (0..self.model.entities.len()).filter(of_pubsub).collect();
        self.dice.pick(&all)
    }

    pub(super) fn seek(&mut self) -> Checked {
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

    pub(super) fn snapshot(&mut self) -> Checked {
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

    pub(super) fn start_move(&mut self) -> Checked {
        let queues = [(DEAD_STANDARD, Part::Main), (DEAD_FIFO, Part::Main)];
        let queues = [&queues[..], &[(TARGET, Part::Dead), (TARGET, Part::Main)]].concat();
        let spot = self.dice.pick(&queues);
        if self.model.entities[spot.0].number.is_none() {
            return Ok(());
        }
        self.start_move_from(spot)?;
        // At once a second time: only one task may be moving.
        if self.dice.one_in(3) {
            return self.start_move_from(spot);
        }
        Ok(())
    }

    fn start_move_from(&mut self, spot: Spot) -> Checked {
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

    pub(super) fn cancel_move(&mut self) -> Checked {
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
    pub(super) fn recreate(&mut self) -> Checked {
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

    pub(super) fn change_retention(&mut self) -> Checked {
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
}
