//! The order of changes: which can be begun, as others get done.

use std::collections::{HashMap, HashSet, VecDeque};

use crate::plan::{Action, Plan};
use crate::resource::ResourceId;

/// For each change, as an index into the plan, those that must be made before it.
pub(super) type Edges = HashMap<usize, Vec<usize>>;

/// Each of these changes after those that it depends on, as far as they are in `among` or in
/// `refused`: what depends on a refused change is never begun.
pub(super) fn forward_edges(plan: &Plan, among: &[usize], refused: &[usize]) -> Edges {
    let at: HashMap<&ResourceId, usize> = among
        .iter()
        .chain(refused)
        .map(|&index| (&plan.changes[index].resource.id, index))
        .collect();
    let before = |index: usize| {
        plan.changes[index]
            .resource
            .depends_on
            .iter()
            .filter_map(|id| at.get(id).copied())
    };
    among
        .iter()
        .map(|&index| (index, before(index).collect()))
        .collect()
}

/// Each of these removals before those that it depends on.
pub(super) fn backward_edges(plan: &Plan, among: &[usize]) -> Edges {
    let mut edges: Edges = among.iter().map(|&index| (index, Vec::new())).collect();
    for (index, needed) in forward_edges(plan, among, &[]) {
        for target in needed {
            edges.entry(target).or_default().push(index);
        }
    }
    edges
}

/// The changes that wait to be begun. Every step is taken in constant time, whatever the number
/// of changes and however many share a serial key.
pub(super) struct Line<'a> {
    plan: &'a Plan,
    /// How many changes each one still waits for.
    blockers: HashMap<usize, usize>,
    /// Which changes wait for each one.
    unblocks: HashMap<usize, Vec<usize>>,
    ready: VecDeque<usize>,
    /// The serial keys of changes under way.
    busy: HashSet<&'a str>,
    /// Changes that are ready but for their serial key, which was in use when their turn came.
    waiting: HashMap<&'a str, VecDeque<usize>>,
}

impl<'a> Line<'a> {
    pub(super) fn new(plan: &'a Plan, among: &[usize], edges: &Edges) -> Self {
        let blockers: HashMap<usize, usize> = edges
            .iter()
            .map(|(&index, before)| (index, before.len()))
            .collect();
        let mut unblocks: HashMap<usize, Vec<usize>> = HashMap::new();
        for (&index, before) in edges {
            for &blocker in before {
                unblocks.entry(blocker).or_default().push(index);
            }
        }
        let mut ready: Vec<usize> = among
            .iter()
            .copied()
            .filter(|index| blockers[index] == 0)
            .collect();
        // A replacement may have to wait for a name to become free: everything else goes first.
        ready.sort_by_key(|&index| plan.changes[index].action == Action::Replace);
        Line {
            plan,
            blockers,
            unblocks,
            ready: ready.into(),
            busy: HashSet::new(),
            waiting: HashMap::new(),
        }
    }

    fn serial(&self, index: usize) -> Option<&'a str> {
        self.plan.changes[index].resource.serial.as_deref()
    }

    /// The first change in line whose serial key is not in use.
    pub(super) fn take(&mut self) -> Option<usize> {
        while let Some(index) = self.ready.pop_front() {
            match self.serial(index) {
                Some(key) if !self.busy.insert(key) => {
                    self.waiting.entry(key).or_default().push_back(index);
                }
                _ => return Some(index),
            }
        }
        None
    }

    /// Says that a change that was taken has ended; what waits for one that was not made is never
    /// begun.
    pub(super) fn done(&mut self, index: usize, made: bool) {
        if let Some(key) = self.serial(index) {
            self.busy.remove(key);
            let next = self.waiting.get_mut(key).and_then(VecDeque::pop_front);
            self.ready.extend(next);
        }
        if !made {
            return;
        }
        for next in self.unblocks.remove(&index).unwrap_or_default() {
            let left = self.blockers.entry(next).or_default();
            *left -= 1;
            if *left == 0 {
                self.ready.push_back(next);
            }
        }
    }
}
