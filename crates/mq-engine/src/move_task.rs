//! Moving what a place holds to another one, a few each second, until all that was there at the
//! start is moved.
//!
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html>

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::arrival::Arrival;
use crate::dead_letter::origin;
use crate::engine::{Engine, Timer};
use crate::entity::{EntityId, Part, Place};
use crate::message::{Message, Reason, State};
use crate::operation::{Denied, MoveStatus, MoveTask, Outcome};

/// How many tasks of one place are remembered.
const TASKS_MAX: usize = 10;

/// All move tasks.
#[derive(Debug, Default)]
pub(crate) struct Moves {
    tasks: BTreeMap<u64, MoveTask>,
    /// The tasks of each place, the latest last.
    by_place: BTreeMap<(u64, Part), VecDeque<u64>>,
    last: u64,
}

impl Moves {
    /// The tasks of a place, the latest first.
    pub(crate) fn of(&self, number: u64, part: Part) -> impl Iterator<Item = &MoveTask> {
        let tasks = self.by_place.get(&(number, part));
        tasks
            .into_iter()
            .flat_map(|tasks| tasks.iter().rev())
            .filter_map(|task| self.tasks.get(task))
    }

    fn running(&self, number: u64, part: Part) -> Option<u64> {
        self.of(number, part)
            .find(|task| task.status == MoveStatus::Running)
            .map(|task| task.task)
    }

    fn add(&mut self, part: Part, task: MoveTask) {
        let tasks = self.by_place.entry((task.of, part)).or_default();
        tasks.push_back(task.task);
        if tasks.len() > TASKS_MAX
            && let Some(oldest) = tasks.pop_front()
        {
            self.tasks.remove(&oldest);
        }
        self.tasks.insert(task.task, task);
    }

    /// Forgets the tasks of an entity that is gone.
    pub(crate) fn forget(&mut self, number: u64) {
        for part in [Part::Main, Part::Dead] {
            for task in self.by_place.remove(&(number, part)).unwrap_or_default() {
                self.tasks.remove(&task);
            }
        }
    }
}

/// How long until the next step, and how many messages it moves. Never more than the rate.
fn step(per_second: u32) -> (Duration, u32) {
    let per_second = per_second.max(1);
    if per_second >= 1_000 {
        return (Duration::from_millis(1), per_second / 1_000);
    }
    (
        Duration::from_millis(u64::from(1_000_u32.div_ceil(per_second))),
        1,
    )
}

impl Engine {
    pub(crate) fn start_move(
        &mut self,
        from: Place,
        to: Option<EntityId>,
        per_second: u32,
    ) -> Result<Outcome, Denied> {
        let number = self.holder_of(&from.id)?;
        if let Some(target) = &to {
            self.by_id.get(target).ok_or(Denied::NotFound)?;
        }
        if let Some(running) = self.moves.running(number, from.part) {
            return Err(Denied::MoveRunning(running));
        }
        let store = self
            .slots
            .get(&number)
            .and_then(|slot| slot.peek(from.part));
        let to_move = store.map_or(0, |store| store.holdings.visible);
        let end = self.slots.get(&number).map_or(0, |slot| slot.sequence) + 1;
        self.moves.last += 1;
        let task = self.moves.last;
        let part = from.part;
        let status = if to_move == 0 {
            MoveStatus::Completed
        } else {
            self.set_timer(self.clock.after(step(per_second).0), Timer::Move(task));
            MoveStatus::Running
        };
        let task = MoveTask {
            task,
            from,
            to,
            per_second,
            started: self.clock,
            to_move,
            moved: 0,
            status,
            next: 0,
            end,
            of: number,
        };
        let number = task.task;
        self.moves.add(part, task);
        Ok(Outcome::MoveStarted(number))
    }

    pub(crate) fn cancel_move(&mut self, task: u64) -> Result<Outcome, Denied> {
        let task = self.moves.tasks.get_mut(&task).ok_or(Denied::NoMove)?;
        if task.status != MoveStatus::Running {
            return Err(Denied::NoMove);
        }
        task.status = MoveStatus::Cancelled;
        Ok(Outcome::MoveCancelled(task.moved))
    }

    /// Takes one step of a task, and sets the time of the next.
    pub(crate) fn step_move(&mut self, number: u64) {
        let Some(task) = self.moves.tasks.get(&number) else {
            return;
        };
        let (pause, count) = step(task.per_second);
        for _ in 0..count {
            self.move_one(number);
        }
        let running = |task: &&MoveTask| task.status == MoveStatus::Running;
        if self.moves.tasks.get(&number).filter(running).is_some() {
            self.set_timer(self.clock.after(pause), Timer::Move(number));
        }
    }

    fn move_one(&mut self, number: u64) {
        let Some(task) = self.moves.tasks.get_mut(&number) else {
            return;
        };
        if task.status != MoveStatus::Running {
            return;
        }
        let (of, part) = (task.of, task.from.part);
        let Some(slot) = self.slots.get_mut(&of) else {
            return;
        };
        let store = slot.store(part);
        let ready = |message: &Message| matches!(message.state, State::Ready { .. });
        let next = store
            .messages
            .from(task.next)
            .take_while(|(sequence, _)| *sequence < task.end)
            .find(|(_, message)| ready(message))
            .map(|(sequence, message)| (sequence, message.origin.clone()));
        let Some((sequence, came_from)) = next else {
            task.status = MoveStatus::Completed;
            return;
        };
        task.next = sequence + 1;
        let to = task.to.clone().or(came_from.map(|origin| origin.source.id));
        let Some(target) = to.and_then(|to| self.by_id.get(&to).copied()) else {
            task.status = MoveStatus::Failed;
            return;
        };
        task.moved += 1;
        let from = task.from.clone();
        let rest = store.messages.from(task.next).next();
        if rest.is_none_or(|(sequence, _)| sequence >= task.end) {
            task.status = MoveStatus::Completed;
        }
        self.carry(of, from, sequence, target);
    }

    fn carry(&mut self, of: u64, from: Place, sequence: u64, target: u64) {
        let id = self.next_id();
        let Some(slot) = self.slots.get_mut(&of) else {
            return;
        };
        let part = from.part;
        let store = slot.store(part);
        let Some(casualty) = store.banish(sequence, Reason::Moved, &mut self.memory) else {
            return;
        };
        let content = casualty.message.content.copy(id, None);
        let content = self.memory.hold(content);
        let origin = origin(from, sequence, &casualty.message, Reason::Moved);
        self.memory.release(casualty.message.content);
        if planted!(MoveDuplicates, sequence.is_multiple_of(2), false) {
            self.arrive(target, Arrival::new(content.clone(), self.clock));
        }
        let arrival = Arrival {
            origin: Some(Box::new(origin)),
            ..Arrival::new(content, self.clock)
        };
        self.arrive(target, arrival);
        self.touch(of);
    }
}
