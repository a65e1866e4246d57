//! What a run is expected to find: a file that is committed and compared exactly.
//!
//! ```text
//! Baseline::parse(file) ─compare(report, known cases)→ BaselineComparison
//!                       ─merge(report, known cases)──→ the next file
//! ```

mod unique;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use self::unique::UniqueMap;
use super::{BaselineComparison, BaselineDifference, Outcome, Report};
use crate::case::{Selection, cases, listed, name_of};
use crate::subject::Subject;

/// The form of the file that this version reads and writes.
pub const SCHEMA_VERSION: u32 = 1;

/// How every case is expected to end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Baseline {
    /// The form of the file.
    pub schema_version: u32,
    /// For each cloud, by its key in the file, each of its cases and how it ends. A case is called
    /// as in JUnit: the behaviour's id, after the queue and a colon where it is a queue of the file.
    pub targets: BTreeMap<String, BTreeMap<String, Ending>>,
}

/// How a case ends, without what was seen: that may hold names of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// The promise is kept, at the first attempt or a later one.
    Passed,
    /// It is not kept.
    Failed,
    /// A call fails, so that nothing is known about the promise.
    Error,
    /// It cannot be asked of this cloud or queue.
    Skipped,
}

impl Ending {
    /// Its word, the same as [`Outcome::name`].
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Ending::Passed => "passed",
            Ending::Failed => "failed",
            Ending::Error => "error",
            Ending::Skipped => "skipped",
        }
    }
}

impl From<&Outcome> for Ending {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Passed => Ending::Passed,
            Outcome::Failed { .. } => Ending::Failed,
            Outcome::Error { .. } => Ending::Error,
            Outcome::Skipped { .. } => Ending::Skipped,
        }
    }
}

/// A case that exists, whether this run carried it out or not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KnownCase {
    /// The cloud's key in the file.
    pub target: String,
    /// The case, as the baseline calls it.
    pub case: String,
    /// Whether this run was to carry it out: `--only`, a group or a shard may leave it to others.
    pub chosen: bool,
}

/// Every case of these clouds, and which of them the selection takes. The file has these further
/// queues, which the run leaves out.
#[must_use]
pub fn known_cases(
    subjects: &[Subject],
    left_out: &[String],
    selection: &Selection,
) -> Vec<KnownCase> {
    let chosen: BTreeSet<(usize, String)> = cases(subjects, selection)
        .iter()
        .filter(|case| case.chosen)
        .map(|case| (case.subject, case.id()))
        .collect();
    let named: Vec<&str> = subjects
        .iter()
        .map(|subject| subject.target.name.as_str())
        .collect();
    let known = cases(subjects, &Selection::default());
    let of_others = listed(left_out, subjects.len(), &Selection::default());
    let of_others = of_others.iter().filter(|case| case.queue.is_some());
    let known = known
        .iter()
        .map(|case| (case, chosen.contains(&(case.subject, case.id()))))
        .chain(of_others.map(|case| (case, false)))
        .map(|(case, chosen)| KnownCase {
            target: named[case.subject].to_owned(),
            case: case.id(),
            chosen,
        });
    known.collect()
}

/// Why a text is no baseline.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BaselineError {
    /// It is not of the form that this version writes.
    #[error("line {line}, column {column}: {problem}")]
    Malformed {
        /// The line, counted from 1.
        line: usize,
        /// The column, counted from 1; 0 is before the line's first character.
        column: usize,
        /// What is wrong there.
        problem: String,
    },
    /// It has the form of another version.
    #[error("it has the form {found} (`schema_version`), and this version reads {SCHEMA_VERSION}")]
    Version {
        /// The form that it says it has.
        found: u64,
    },
}

impl From<serde_json::Error> for BaselineError {
    fn from(error: serde_json::Error) -> Self {
        let place = format!(" at line {} column {}", error.line(), error.column());
        let text = error.to_string();
        BaselineError::Malformed {
            line: error.line(),
            column: error.column(),
            problem: text.strip_suffix(&place).unwrap_or(&text).to_owned(),
        }
    }
}

impl Baseline {
    /// What this run found is what is expected.
    #[must_use]
    pub fn of(report: &Report) -> Baseline {
        let mut targets: BTreeMap<String, BTreeMap<String, Ending>> = BTreeMap::new();
        for (target, case, ending) in endings(report) {
            let cases = targets.entry(target.to_owned()).or_default();
            cases.insert(case, ending);
        }
        Baseline {
            schema_version: SCHEMA_VERSION,
            targets,
        }
    }

    /// Reads what [`Baseline::to_text`] wrote.
    ///
    /// # Errors
    /// Where it has another form: an unknown field or word and a case that is there twice (as after
    /// a merge) are errors too, with their place.
    pub fn parse(text: &str) -> Result<Baseline, BaselineError> {
        let Version { schema_version } = serde_json::from_str(text)?;
        if schema_version != u64::from(SCHEMA_VERSION) {
            return Err(BaselineError::Version {
                found: schema_version,
            });
        }
        let document: Document = serde_json::from_str(text)?;
        let targets = document.targets.0.into_iter();
        Ok(Baseline {
            schema_version: document.schema_version,
            targets: targets.map(|(target, cases)| (target, cases.0)).collect(),
        })
    }

    /// The file's text: clouds and cases in order of name, a case to a line, so that a change of
    /// one is a change of one line.
    #[must_use]
    pub fn to_text(&self) -> String {
        // Only a key that is no text could fail, and there is none.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// How the run differs from what this file, called `file`, expects.
    ///
    /// Exactly: a case that ended differently, better or worse, a case that the file does not know,
    /// and a case of the file that does not exist any more. Cases that the run left to others
    /// are not compared, nor those of clouds that it did not ask, nor what an interrupted run did
    /// not come to.
    #[must_use]
    pub fn compare(&self, file: &str, report: &Report, known: &[KnownCase]) -> BaselineComparison {
        let found: BTreeMap<(&str, String), Ending> = endings(report)
            .map(|(target, case, ending)| ((target, case), ending))
            .collect();
        let known: BTreeMap<(&str, &str), bool> = known
            .iter()
            .map(|it| ((&*it.target, &*it.case), it.chosen))
            .collect();
        let mut differences = Vec::new();
        for ((target, case), actual) in &found {
            let expected = self.expected(target, case);
            if expected != Some(*actual) {
                differences.push(difference(target, case, expected, Some(*actual)));
            }
        }
        for target in report.targets.iter().map(|target| &*target.name) {
            for (case, expected) in self.targets.get(target).into_iter().flatten() {
                if found.contains_key(&(target, case.clone())) {
                    continue;
                }
                let is_lost = match known.get(&(target, &**case)) {
                    None => true,
                    Some(chosen) => *chosen && !report.interrupted,
                };
                if is_lost {
                    differences.push(difference(target, case, Some(*expected), None));
                }
            }
        }
        differences
            .sort_by(|one, other| (&one.target, &one.case).cmp(&(&other.target, &other.case)));
        BaselineComparison {
            file: file.to_owned(),
            differences,
        }
    }

    /// The file after this run: what it found, and what was there of cases that it left to others
    /// and of clouds that it did not ask. Cases that do not exist any more go.
    #[must_use]
    pub fn merge(&self, report: &Report, known: &[KnownCase]) -> Baseline {
        let known: BTreeSet<(&str, &str)> =
            known.iter().map(|it| (&*it.target, &*it.case)).collect();
        let asked: BTreeSet<&str> = report.targets.iter().map(|target| &*target.name).collect();
        let mut merged = Baseline::of(report);
        for (target, cases) in &self.targets {
            for (case, ending) in cases {
                let exists = !asked.contains(&**target) || known.contains(&(target, case));
                if exists {
                    let cases = merged.targets.entry(target.clone()).or_default();
                    cases.entry(case.clone()).or_insert(*ending);
                }
            }
        }
        merged
    }

    fn expected(&self, target: &str, case: &str) -> Option<Ending> {
        self.targets.get(target)?.get(case).copied()
    }
}

fn difference(
    target: &str,
    case: &str,
    expected: Option<Ending>,
    actual: Option<Ending>,
) -> BaselineDifference {
    BaselineDifference {
        target: target.to_owned(),
        case: case.to_owned(),
        expected: expected.map(|ending| ending.name().to_owned()),
        actual: actual.map(|ending| ending.name().to_owned()),
    }
}

/// The cloud, the case and how it ended, of every case that was carried out.
fn endings(report: &Report) -> impl Iterator<Item = (&str, String, Ending)> {
    report.rows.iter().flat_map(|row| {
        let case = name_of(&row.behaviour, row.queue.as_deref());
        let cells = report.targets.iter().zip(&row.cells);
        cells.filter_map(move |(target, cell)| {
            let ending = Ending::from(&cell.as_ref()?.outcome);
            Some((&*target.name, case.clone(), ending))
        })
    })
}

/// The field that says which form the others have.
#[derive(Deserialize)]
struct Version {
    schema_version: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    schema_version: u32,
    targets: UniqueMap<UniqueMap<Ending>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ending_has_the_word_of_its_outcome() {
        let text = String::new;
        for outcome in [
            Outcome::Passed,
            Outcome::Failed { seen: text() },
            Outcome::Error { message: text() },
            Outcome::Skipped { reason: text() },
        ] {
            let ending = Ending::from(&outcome);
            assert_eq!(ending.name(), outcome.name());
            assert_eq!(serde_json::to_value(ending).unwrap(), outcome.name());
        }
    }
}
