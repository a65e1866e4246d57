//! All that can be seen of the engine, beside the model.

use super::Driver;
use super::checks::{Check, Checked, conserved, same};
use crate::tests::model::Spot;
use crate::{MoveTask, Peeked};

impl Driver {
    pub(super) fn compare(&mut self, asleep: &[Spot], dozing: &[(Spot, (String, u64))]) -> Checked {
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
            let told = woken.iter().any(|one| one.place == place && one.anyone);
            same(Check::Wake, &what, &told, &true)?;
        }
        for (spot, held) in dozing {
            let still = self.model.held_sessions(*spot).contains(held);
            let session = &held.0;
            if still && self.model.receivable_in(*spot, session) {
                let place = self.model.place(*spot);
                let mut here = woken.iter().filter(|one| one.place == place);
                let told = here.any(|one| one.sessions.iter().any(|name| **name == **session));
                let what = format!("whether the holder of {session} in {place:?} was woken");
                same(Check::Wake, &what, &told, &true)?;
            }
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

    pub(super) fn compare_moves(&self) -> Checked {
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
