//! Which cases a run is made of: pure, so that shards and baselines agree on it.

use std::fmt;
use std::str::FromStr;

use crate::behaviour::{Applies, Behaviour, Group};
use crate::behaviours;
use crate::subject::Subject;

/// One behaviour, on one cloud, for one queue.
#[derive(Debug, Clone)]
pub struct Case {
    /// The behaviour.
    pub behaviour: Behaviour,
    /// The index of the cloud among the run's subjects.
    pub subject: usize,
    /// The queue of the file whose copy it is proved with; `None` is the suite's own.
    pub queue: Option<String>,
    /// Whether this run carries it out; another shard does otherwise.
    pub chosen: bool,
}

impl Case {
    /// The behaviour's id, after the queue and a colon where it is a queue of the file.
    #[must_use]
    pub fn id(&self) -> String {
        name_of(&self.behaviour.id(), self.queue.as_deref())
    }
}

/// What baselines and JUnit call a case of this behaviour and queue.
#[must_use]
pub(crate) fn name_of(behaviour: &str, queue: Option<&str>) -> String {
    match queue {
        Some(queue) => format!("{queue}: {behaviour}"),
        None => behaviour.to_owned(),
    }
}

/// Which cases to run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// Behaviours, by id, by name, or by name and attribute; none is all.
    pub only: Vec<String>,
    /// Groups; none is all.
    pub groups: Vec<Group>,
    /// The part of the cases that this run carries out.
    pub shard: Option<Shard>,
}

impl Selection {
    fn takes(&self, behaviour: &Behaviour) -> bool {
        let in_group = self.groups.is_empty() || self.groups.contains(&behaviour.group);
        let named = self.only.is_empty() || self.only.iter().any(|only| names(only, behaviour));
        in_group && named
    }

    /// That every word of `only` names a behaviour.
    ///
    /// # Errors
    /// The first that does not, with all that could have been meant.
    pub fn check(&self) -> Result<(), UnknownName> {
        let behaviours = behaviours::all();
        let unknown = self
            .only
            .iter()
            .find(|only| !behaviours.iter().any(|behaviour| names(only, behaviour)));
        match unknown {
            None => Ok(()),
            Some(unknown) => {
                let mut known: Vec<String> = behaviours
                    .iter()
                    .flat_map(|it| [it.name.to_owned(), it.id()])
                    .collect();
                known.sort_unstable();
                known.dedup();
                Err(UnknownName {
                    name: unknown.clone(),
                    known,
                })
            }
        }
    }
}

/// Whether this word means the behaviour: its id, its id without the group, or its bare name, which
/// means it for every attribute.
fn names(word: &str, behaviour: &Behaviour) -> bool {
    let id = behaviour.id();
    let group = behaviour.group.name();
    let rest = word
        .strip_prefix(group)
        .and_then(|rest| rest.strip_prefix('/'))
        .unwrap_or(word);
    rest == behaviour.name || id[group.len() + 1..] == *rest
}

/// A word that names no behaviour.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no behaviour `{name}`")]
pub struct UnknownName {
    /// The word.
    pub name: String,
    /// What there is.
    pub known: Vec<String>,
}

/// The part of a run that one of several machines carries out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    index: usize,
    count: usize,
}

impl Shard {
    /// The part `index`, counted from 1, of `count`.
    #[must_use]
    pub fn new(index: usize, count: usize) -> Option<Shard> {
        (1..=count)
            .contains(&index)
            .then_some(Shard { index, count })
    }

    /// Every `count`-th behaviour: neighbours are alike, so that the parts take about as long.
    fn takes(self, position: usize) -> bool {
        position % self.count == self.index - 1
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/');
        let numbers =
            parts.and_then(|(index, count)| Some((index.parse().ok()?, count.parse().ok()?)));
        numbers
            .and_then(|(index, count)| Shard::new(index, count))
            .ok_or_else(|| "it is a part and how many there are, such as 2/3".to_owned())
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

/// Every case of these clouds, in the order of the report: the file's own queues first, then the
/// general list, and of each behaviour one case for each cloud. Where a shard is chosen the others'
/// cases are there too, and not `chosen`.
#[must_use]
pub fn cases(subjects: &[Subject], selection: &Selection) -> Vec<Case> {
    listed(&queue_names(subjects), subjects.len(), selection)
}

/// The same for so many clouds and queues of these keys, in order, without asking any of them.
#[must_use]
pub fn listed(queues: &[String], clouds: usize, selection: &Selection) -> Vec<Case> {
    let behaviours = behaviours::all();
    let wanted: Vec<&Behaviour> = behaviours
        .iter()
        .filter(|behaviour| selection.takes(behaviour))
        .collect();
    let of_queues: Vec<&&Behaviour> = wanted
        .iter()
        .filter(|behaviour| behaviour.applies == Applies::EveryQueue)
        .collect();
    let mut cases = Vec::new();
    for queue in queues {
        for behaviour in &of_queues {
            push(&mut cases, clouds, behaviour, Some(queue));
        }
    }
    for behaviour in wanted {
        push(&mut cases, clouds, behaviour, None);
    }
    if let Some(shard) = selection.shard {
        for (position, case) in cases.iter_mut().enumerate() {
            // A behaviour stays whole: side by side is what it is looked at for.
            case.chosen = shard.takes(position / clouds.max(1));
        }
    }
    cases
}

fn push(cases: &mut Vec<Case>, clouds: usize, behaviour: &Behaviour, queue: Option<&str>) {
    cases.extend((0..clouds).map(|subject| Case {
        behaviour: behaviour.clone(),
        subject,
        queue: queue.map(str::to_owned),
        chosen: true,
    }));
}

/// The file's queues, the same on every cloud, in order of key.
fn queue_names(subjects: &[Subject]) -> Vec<String> {
    let queues = subjects.iter().flat_map(|subject| &subject.queues);
    let mut names: Vec<String> = queues.map(|queue| queue.logical.clone()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_written_as_it_is_read_and_stays_in_range() {
        assert_eq!(
            "2/3".parse::<Shard>().map(|it| it.to_string()),
            Ok("2/3".to_owned())
        );
        for wrong in ["0/3", "4/3", "1/0", "1", "a/b", "1/2/3", "-1/2", ""] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_position_is_in_exactly_one_shard() {
        for position in 0..20 {
            let takers = (1..=3)
                .filter_map(|index| Shard::new(index, 3))
                .filter(|it| it.takes(position));
            assert_eq!(takers.count(), 1);
        }
    }

    #[test]
    fn a_behaviour_answers_to_its_id_and_to_its_bare_name() {
        for behaviour in behaviours::all() {
            assert!(names(&behaviour.id(), &behaviour));
            assert!(names(behaviour.name, &behaviour));
            assert!(!names("destroy", &behaviour), "{}", behaviour.id());
        }
        let selection = Selection {
            only: vec!["destroy-twise".to_owned()],
            ..Selection::default()
        };
        let unknown = selection.check().unwrap_err();
        assert!(unknown.known.contains(&"destroy-twice".to_owned()));
    }
}
