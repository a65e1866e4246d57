//! What a run is at: a bar where somebody sees it move; on a pipe each failure as it comes, and a
//! line now and then.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use mq_suite::report::{Cell, Outcome};
use mq_suite::{Case, Observer, Subject};

use crate::printer::Printer;
use crate::render::text::line;

/// How often a pipe hears that something goes on.
const EVERY: Duration = Duration::from_secs(10);

/// Watches the cases of a run.
#[derive(Debug)]
pub(super) struct Watching {
    printer: Printer,
    all: usize,
    bar: Option<ProgressBar>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    ended: usize,
    /// Failures and errors.
    bad: usize,
    told: Instant,
}

impl Watching {
    pub(super) fn begin(printer: Printer, cases: &[Case]) -> Watching {
        let all = cases.iter().filter(|case| case.chosen).count();
        Watching {
            bar: printer.bar("verify", all as u64),
            printer,
            all,
            state: Mutex::new(State {
                ended: 0,
                bad: 0,
                told: Instant::now(),
            }),
        }
    }

    pub(super) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn tell(&self, state: &mut State, subject: &Subject, case: &Case, cell: &Cell) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
            if state.bad > 0 {
                bar.set_prefix(format!("verify ({} failed)", state.bad));
            }
        }
        let bad = match &cell.outcome {
            Outcome::Failed { .. } => Some("FAIL"),
            Outcome::Error { .. } => Some("error"),
            Outcome::Passed | Outcome::Skipped { .. } => None,
        };
        if let Some(word) = bad {
            let (name, id, detail) = (subject.name(), case.id(), cell.outcome.detail());
            self.printer
                .note(format_args!("{name}: {word} {id}: {detail}"));
        } else if self.bar.is_none() && state.told.elapsed() >= EVERY {
            state.told = Instant::now();
            self.printer.note(format_args!(
                "{} of {} done, {} failed",
                state.ended, self.all, state.bad
            ));
        }
    }
}

impl Observer for Watching {
    fn started(&self, subject: &Subject, case: &Case) {
        tracing::debug!(cloud = subject.name(), case = case.id(), "begun");
        if let Some(bar) = &self.bar {
            bar.set_message(line(&format!("{} {}", subject.name(), case.id())).into_owned());
        }
    }

    fn finished(&self, subject: &Subject, case: &Case, cell: &Cell) {
        tracing::debug!(
            cloud = subject.name(),
            case = case.id(),
            outcome = cell.outcome.name(),
            "ended"
        );
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.ended += 1;
        state.bad += usize::from(matches!(
            cell.outcome,
            Outcome::Failed { .. } | Outcome::Error { .. }
        ));
        self.tell(&mut state, subject, case, cell);
    }
}
