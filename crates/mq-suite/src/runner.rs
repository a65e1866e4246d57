//! Carries out the cases: several at a time, each within its time, each cleaned up after.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use mq_core::queue::{OriginHash, Owner};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::behaviour::Stop;
use crate::case::Case;
use crate::report::{Cell, Leftover, Outcome, Report, Row, TargetInfo, Totals};
use crate::subject::Subject;
use crate::trial::{Place, Trial};

/// How long a case that is past its limit may take to come to a stop.
const GRACE: Duration = Duration::from_secs(30);

/// How the cases are carried out.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many cases are under way on one cloud.
    pub parallelism: usize,
    /// How often a case that did not pass is tried again; it is recorded as flaky when it then does.
    pub reruns: u32,
    /// Cancelled, no further case is begun, and those under way end soon and clean up.
    pub cancel: CancellationToken,
    /// The run's own word: lower case, digits, at most 12 characters. Part of every stage, and so
    /// no two runs may have the same: each removes whatever has its name.
    pub run: String,
    /// The stack that everything belongs to: `mq gc` of the same file removes what a killed run left.
    pub stack: String,
    /// The origin of that file.
    pub origin: Option<OriginHash>,
    /// Now, in seconds since 1970.
    pub now: u64,
    /// How long from now on what the run makes is kept from `mq gc`: longer than the run lasts.
    pub lasts: Duration,
    /// The version of the tool that runs.
    pub tool_version: String,
    /// Which part of the cases was chosen, for the report.
    pub shard: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let since = since.unwrap_or_default();
        Options {
            parallelism: 4,
            reruns: 0,
            cancel: CancellationToken::new(),
            run: run_word(since),
            stack: "mq-suite".to_owned(),
            origin: None,
            now: since.as_secs(),
            lasts: Duration::from_secs(2 * 3600),
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            shard: None,
        }
    }
}

/// A word for a run that begins so long after 1970: two runs that begin at once differ in their
/// nanoseconds.
fn run_word(since: Duration) -> String {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut rest = since.as_nanos() % 36_u128.pow(8);
    let mut word = Vec::new();
    for _ in 0..8 {
        // The remainder is less than 36.
        word.push(DIGITS[(rest % 36) as usize]);
        rest /= 36;
    }
    word.reverse();
    String::from_utf8(word).unwrap_or_default()
}

/// Told of what happens.
pub trait Observer: Send + Sync {
    /// A case is begun.
    fn started(&self, subject: &Subject, case: &Case);
    /// A case has ended.
    fn finished(&self, subject: &Subject, case: &Case, cell: &Cell);
}

/// Tells nobody.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Observer for Silent {
    fn started(&self, _: &Subject, _: &Case) {}
    fn finished(&self, _: &Subject, _: &Case, _: &Cell) {}
}

/// Carries out the chosen cases and says what came of them.
///
/// Every case makes its queues on a stage of its own, `verify-RUN-N`, and removes them, however it
/// ends; what could not be removed is in the report and carries an expiry.
pub async fn run(
    subjects: &[Subject],
    cases: Vec<Case>,
    options: &Options,
    observer: &dyn Observer,
) -> Report {
    let begun = Instant::now();
    let gates: Vec<Arc<Semaphore>> = subjects
        .iter()
        .map(|_| Arc::new(Semaphore::new(options.parallelism.max(1))))
        .collect();
    let mut under_way: FuturesUnordered<_> = cases
        .iter()
        .enumerate()
        .filter(|(_, case)| case.chosen)
        .map(|(number, case)| {
            let subject = &subjects[case.subject];
            let gate = Arc::clone(&gates[case.subject]);
            async move {
                let _place = gate.acquire().await.ok();
                if options.cancel.is_cancelled() {
                    return (number, None);
                }
                observer.started(subject, case);
                let ended = carry_out(subject, case, number, options).await;
                if let Some((cell, _)) = &ended {
                    observer.finished(subject, case, cell);
                }
                (number, ended)
            }
        })
        .collect();
    let mut cells: Vec<Option<Cell>> = vec![None; cases.len()];
    let mut leftovers = Vec::new();
    while let Some((number, ended)) = under_way.next().await {
        if let Some((cell, left)) = ended {
            leftovers.extend(left);
            cells[number] = cell.into();
        }
    }
    drop(under_way);
    let rows = rows(&cases, cells, subjects.len());
    Report {
        schema_version: 1,
        tool_version: options.tool_version.clone(),
        run: options.run.clone(),
        started: options.now,
        duration_ms: millis(begun.elapsed()),
        shard: options.shard.clone(),
        interrupted: options.cancel.is_cancelled(),
        targets: targets(subjects, &rows),
        queues: Vec::new(),
        totals: totals(rows.iter().flat_map(|row| &row.cells)),
        rows,
        leftovers,
        baseline: None,
    }
}

/// One case, with its reruns. `None` where the run was interrupted before it came to a result.
async fn carry_out(
    subject: &Subject,
    case: &Case,
    number: usize,
    options: &Options,
) -> Option<(Cell, Vec<Leftover>)> {
    let begun = Instant::now();
    let mut earlier = Vec::new();
    let mut leftovers = Vec::new();
    loop {
        let attempt = earlier.len();
        let place = place(options, number, attempt);
        let (outcome, left) = attempt_once(subject, case, place, options).await;
        leftovers.extend(left);
        let outcome = match outcome {
            Some(outcome) => outcome,
            // What was left behind must be said even of a case that came to nothing.
            None if leftovers.is_empty() => return None,
            None => Outcome::Error {
                message: "interrupted".to_owned(),
            },
        };
        let failed = matches!(outcome, Outcome::Failed { .. } | Outcome::Error { .. });
        let again = attempt < options.reruns as usize && !options.cancel.is_cancelled();
        if failed && again {
            earlier.push(outcome);
            continue;
        }
        let cell = Cell {
            outcome,
            duration_ms: millis(begun.elapsed()),
            earlier,
        };
        return Some((cell, leftovers));
    }
}

/// Where a case makes its queues. Another attempt goes elsewhere: a service may keep a name for a
/// while after its deletion.
fn place(options: &Options, number: usize, attempt: usize) -> Place {
    let again = match attempt {
        0 => String::new(),
        attempt => format!("r{attempt}"),
    };
    Place {
        owner: Owner {
            stack: options.stack.clone(),
            stage: Some(format!("verify-{}-{number}{again}", options.run)),
            origin: options.origin.clone(),
        },
        expires_at: options.now + options.lasts.as_secs(),
    }
}

/// One attempt, and what it left behind. No outcome where the run was interrupted.
async fn attempt_once(
    subject: &Subject,
    case: &Case,
    place: Place,
    options: &Options,
) -> (Option<Outcome>, Vec<Leftover>) {
    let cancel = options.cancel.child_token();
    let behaviour = &case.behaviour;
    let trial = Trial::new(
        subject,
        place,
        behaviour.probe,
        case.queue.as_deref(),
        cancel.clone(),
    );
    let proof = async {
        trial.meets(behaviour.needs)?;
        (behaviour.check)(&trial).await
    };
    let outcome = within(behaviour.limit, &cancel, proof).await;
    let leftovers = trial.clean_up().await;
    let leftovers = leftovers
        .into_iter()
        .map(|(resource, error)| Leftover {
            target: subject.name().to_owned(),
            resource: resource.to_string(),
            why: error.to_string(),
        })
        .collect();
    (outcome, leftovers)
}

/// The proof's outcome. Past its limit it is told to stop, so that a call under way can end before
/// the cleaning up begins.
async fn within(
    limit: Duration,
    cancel: &CancellationToken,
    proof: impl Future<Output = Result<(), Stop>>,
) -> Option<Outcome> {
    tokio::pin!(proof);
    let late = tokio::select! {
        biased;
        ended = &mut proof => return outcome(ended),
        () = tokio::time::sleep(limit) => Outcome::Failed {
            seen: format!(
                "it had not come to an end after {}",
                mq_core::units::duration(limit)
            ),
        },
    };
    cancel.cancel();
    // Its end says nothing any more.
    let _ = tokio::time::timeout(GRACE, proof).await;
    Some(late)
}

fn outcome(ended: Result<(), Stop>) -> Option<Outcome> {
    match ended {
        Ok(()) => Some(Outcome::Passed),
        Err(Stop::Failed(seen)) => Some(Outcome::Failed { seen }),
        Err(Stop::Skipped(reason)) => Some(Outcome::Skipped {
            reason: reason.into_owned(),
        }),
        Err(Stop::Broken(error)) => Some(Outcome::Error {
            message: error.to_string(),
        }),
        Err(Stop::Interrupted) => None,
    }
}

/// The cases come cloud by cloud, behaviour after behaviour.
fn rows(cases: &[Case], cells: Vec<Option<Cell>>, clouds: usize) -> Vec<Row> {
    let mut cells = cells.into_iter();
    cases
        .chunks(clouds.max(1))
        .map(|of_row| {
            let case = &of_row[0];
            let cells: Vec<Option<Cell>> = cells.by_ref().take(of_row.len()).collect();
            Row {
                behaviour: case.behaviour.id(),
                group: case.behaviour.group,
                promise: case.behaviour.promise.to_owned(),
                queue: case.queue.clone(),
                differs: differ(&cells),
                cells,
            }
        })
        .filter(|row| row.cells.iter().any(Option::is_some))
        .collect()
}

fn differ(cells: &[Option<Cell>]) -> bool {
    let mut names = cells.iter().flatten().map(|cell| cell.outcome.name());
    let first = names.next();
    names.any(|name| Some(name) != first)
}

fn targets(subjects: &[Subject], rows: &[Row]) -> Vec<TargetInfo> {
    let info = |(column, subject): (usize, &Subject)| TargetInfo {
        name: subject.target.name.clone(),
        backend: subject.target.backend.clone(),
        service: subject.backend.info().service.to_owned(),
        scope: subject.scope.label.clone(),
        emulated: subject.access.emulated(),
        totals: totals(rows.iter().filter_map(|row| row.cells.get(column))),
    };
    subjects.iter().enumerate().map(info).collect()
}

fn totals<'a>(cells: impl Iterator<Item = &'a Option<Cell>>) -> Totals {
    let mut totals = Totals::default();
    for cell in cells.flatten() {
        totals.add(cell);
    }
    totals
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
