//! What a run found: one value, from which every report is written.

pub mod baseline;
mod html;
mod json;
mod junit;
mod markdown;
mod text;

pub use html::html;
pub use json::json;
pub use junit::junit;
pub use markdown::markdown;

use serde::{Deserialize, Serialize};

use crate::behaviour::Group;

/// What a run of the suite found.
///
/// Additions keep `schema_version`; a change of meaning raises it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The form of this document.
    pub schema_version: u32,
    /// The version of the tool that ran.
    pub tool_version: String,
    /// The run's own word, part of the stage of everything that it made.
    pub run: String,
    /// When it began, in seconds since 1970.
    pub started: u64,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// Which part of the cases it ran, as `2/3`, where it ran a part.
    pub shard: Option<String>,
    /// Whether it was interrupted: what had not begun is missing from `rows`.
    pub interrupted: bool,
    /// The clouds, in the order of the columns.
    pub targets: Vec<TargetInfo>,
    /// The queues of the file, attribute by attribute.
    pub queues: Vec<QueueComparison>,
    /// The behaviours, those of the file's own queues first.
    pub rows: Vec<Row>,
    /// The cells in numbers, all clouds together.
    pub totals: Totals,
    /// What the run made and could not remove.
    pub leftovers: Vec<Leftover>,
    /// How the run compares with what was expected, where something was.
    pub baseline: Option<BaselineComparison>,
}

/// One cloud of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetInfo {
    /// Its key under `clouds`.
    pub name: String,
    /// Its backend.
    pub backend: String,
    /// The service's name.
    pub service: String,
    /// Which account, project or namespace.
    pub scope: String,
    /// Whether an emulator stood in for it.
    pub emulated: bool,
    /// Its cells in numbers.
    pub totals: Totals,
}

/// One queue of the file on all the clouds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueComparison {
    /// Its key in the file.
    pub queue: String,
    /// Its attributes.
    pub attributes: Vec<AttributeRow>,
}

/// One attribute of one queue on all the clouds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttributeRow {
    /// Its path in the file.
    pub attribute: String,
    /// Whether every cloud holds the same value in the same way.
    pub equal: bool,
    /// One for each cloud, in the order of [`Report::targets`].
    pub cells: Vec<AttributeCell>,
}

/// One attribute of one queue on one cloud.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttributeCell {
    /// The value that the cloud will hold, as the file writes it.
    pub value: String,
    /// `exact`, `approximate`, `client-side`, `unsupported`, or `not-stated` where an override
    /// takes the attribute away on this cloud.
    pub verdict: String,
    /// Why it is not exact, empty where it is.
    pub reason: String,
    /// Whether the file accepts a verdict that is not exact.
    pub accepted: bool,
    /// What the queue that is there shows.
    pub live: Live,
}

/// What the live queue shows of an attribute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Live {
    /// It was not looked at: why.
    NotRead {
        /// Why.
        why: String,
    },
    /// No queue of that name is there.
    NotThere,
    /// As the file says.
    AsStated,
    /// The file does not state it, and the queue has another value than one that `mq` makes: no
    /// drift, but no equal queue either.
    Unstated {
        /// What is there.
        seen: String,
    },
    /// Something else.
    Differs {
        /// What is there.
        seen: String,
    },
}

/// One behaviour, for one queue of the file or for the suite's own, on all the clouds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The behaviour's id, such as `control/destroy-twice`.
    pub behaviour: String,
    /// Its group.
    pub group: Group,
    /// Its promise.
    pub promise: String,
    /// The queue of the file whose copy it was proved with; `None` is the suite's own.
    pub queue: Option<String>,
    /// Whether the clouds do not all come to the same result.
    pub differs: bool,
    /// One for each cloud, in the order of [`Report::targets`]; `None` where this run left the
    /// case out (another shard has it, or the run was interrupted).
    pub cells: Vec<Option<Cell>>,
}

/// One case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// How it ended.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// How long all attempts took, in milliseconds.
    pub duration_ms: u64,
    /// How the attempts before the last one ended; none unless reruns were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Outcome>,
}

impl Cell {
    /// Whether it passed only when it was tried again.
    #[must_use]
    pub fn is_flaky(&self) -> bool {
        self.outcome == Outcome::Passed && !self.earlier.is_empty()
    }
}

/// How a case ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// The promise was kept.
    Passed,
    /// It was not.
    Failed {
        /// What was seen.
        seen: String,
    },
    /// A call failed, so that nothing is known about the promise.
    Error {
        /// What failed.
        message: String,
    },
    /// It cannot be asked of this cloud or queue.
    Skipped {
        /// Why.
        reason: String,
    },
}

impl Outcome {
    /// `passed`, `failed`, `error` or `skipped`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Outcome::Passed => "passed",
            Outcome::Failed { .. } => "failed",
            Outcome::Error { .. } => "error",
            Outcome::Skipped { .. } => "skipped",
        }
    }

    /// What was seen, what failed or why it was skipped; empty where it passed.
    #[must_use]
    pub fn detail(&self) -> &str {
        match self {
            Outcome::Passed => "",
            Outcome::Failed { seen } => seen,
            Outcome::Error { message } => message,
            Outcome::Skipped { reason } => reason,
        }
    }

    /// Whether it ran to a result: only then does it count as executed.
    #[must_use]
    pub fn is_executed(&self) -> bool {
        !matches!(self, Outcome::Skipped { .. })
    }
}

/// Cells in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Totals {
    /// Kept promises, flaky ones among them.
    pub passed: usize,
    /// Broken promises.
    pub failed: usize,
    /// Cases that could not be carried through.
    pub errors: usize,
    /// Cases that cannot be asked for.
    pub skipped: usize,
    /// Passed only when tried again.
    pub flaky: usize,
}

impl Totals {
    /// How many ran to a result.
    #[must_use]
    pub fn executed(&self) -> usize {
        self.passed + self.failed + self.errors
    }

    pub(crate) fn add(&mut self, cell: &Cell) {
        match cell.outcome {
            Outcome::Passed => self.passed += 1,
            Outcome::Failed { .. } => self.failed += 1,
            Outcome::Error { .. } => self.errors += 1,
            Outcome::Skipped { .. } => self.skipped += 1,
        }
        self.flaky += usize::from(cell.is_flaky());
    }
}

/// Something that the run made and could not remove.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leftover {
    /// On which cloud.
    pub target: String,
    /// What.
    pub resource: String,
    /// Why it is still there.
    pub why: String,
}

/// How a run compares with the committed baseline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaselineComparison {
    /// The file.
    pub file: String,
    /// Every case that did not end as the baseline says; none means that all is as expected.
    pub differences: Vec<BaselineDifference>,
}

/// A case that did not end as expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaselineDifference {
    /// On which cloud.
    pub target: String,
    /// The case: a behaviour's id, after the queue and a colon where it is a queue of the file.
    pub case: String,
    /// How it should have ended; `None` where the baseline does not know it.
    pub expected: Option<String>,
    /// How it ended; `None` where there is no such case any more.
    pub actual: Option<String>,
}

impl Report {
    /// Whether something ran, every case that did passed, every live queue is as the file says, and
    /// nothing was left behind. A baseline, where there is one, decides which results are right.
    #[must_use]
    pub fn passed(&self) -> bool {
        let as_expected = match &self.baseline {
            Some(baseline) => baseline.differences.is_empty(),
            None => self.totals.failed == 0 && self.totals.errors == 0,
        };
        as_expected
            && self.totals.executed() > 0
            && self.drifted().next().is_none()
            && self.leftovers.is_empty()
            && !self.interrupted
    }

    /// Whether any queue that is there was compared with the file.
    #[must_use]
    pub fn looked_at_live_queues(&self) -> bool {
        let rows = self.queues.iter().flat_map(|queue| &queue.attributes);
        let mut cells = rows.flat_map(|row| &row.cells);
        cells.any(|cell| !matches!(cell.live, Live::NotRead { .. }))
    }

    /// The attributes of live queues that are not as the file says: queue, attribute and cloud.
    pub fn drifted(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.queues.iter().flat_map(move |queue| {
            queue.attributes.iter().flat_map(move |row| {
                let cells = row.cells.iter().zip(&self.targets);
                cells
                    .filter(|(cell, _)| matches!(cell.live, Live::Differs { .. }))
                    .map(|(_, target)| (&*queue.queue, &*row.attribute, &*target.name))
            })
        })
    }
}
