//! What a run is at, while it is: a bar where somebody sees it move, lines elsewhere.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::ProgressBar;
use mq_core::layers::WaitListener;
use mq_core::plan::{Action, Change, Plan};
use mq_core::provisioner::{ChangeState, Progress};

use crate::printer::Printer;
use crate::render::text::line;

/// The progress of one target.
#[derive(Debug)]
pub(crate) struct TargetProgress {
    printer: Printer,
    target: String,
    bar: Mutex<Option<ProgressBar>>,
    /// Waits that were told: on a pipe each is told once.
    told: Mutex<HashSet<String>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl TargetProgress {
    pub(crate) fn new(printer: Printer, target: &str) -> Self {
        TargetProgress {
            printer,
            target: target.to_owned(),
            bar: Mutex::new(None),
            told: Mutex::new(HashSet::new()),
        }
    }

    /// The plan begins.
    pub(crate) fn begin(&self, plan: &Plan) {
        let steps = plan.changes.iter().filter(|change| change.writes()).count() as u64;
        if steps > 0 {
            *lock(&self.bar) = self.printer.bar(&self.target, steps);
        }
    }

    /// The plan is done.
    pub(crate) fn end(&self) {
        if let Some(bar) = lock(&self.bar).take() {
            bar.finish_and_clear();
        }
    }

    /// Shows what is waited for: counting down on a bar, once on a pipe.
    fn wait(&self, key: &str, message: &str, remaining: Duration) {
        if let Some(bar) = &*lock(&self.bar) {
            bar.set_message(format!("{} ({}s left)", line(message), remaining.as_secs()));
            return;
        }
        if lock(&self.told).insert(key.to_owned()) {
            self.printer.note(format_args!(
                "{}: {message} (at most {} s)",
                self.target,
                remaining.as_secs()
            ));
        }
    }
}

impl WaitListener for TargetProgress {
    fn waiting(&self, what: &str, why: &str, remaining: Duration) {
        self.wait(what, &format!("waiting for {what}: {why}"), remaining);
    }
}

impl Progress for TargetProgress {
    fn started(&self, change: &Change) {
        tracing::debug!(cloud = self.target, action = ?change.action, resource = %change.resource.id, "begun");
        if let Some(bar) = &*lock(&self.bar) {
            bar.set_message(line(&change.resource.id.to_string()).into_owned());
        }
    }

    fn finished(&self, change: &Change, state: &ChangeState) {
        if let Some(bar) = &*lock(&self.bar) {
            bar.inc(1);
            return;
        }
        let done = match (state, change.action) {
            (ChangeState::Applied, Action::Create) => "created",
            (ChangeState::Applied, Action::Update) => "updated",
            (ChangeState::Applied, Action::Replace) => "created anew",
            (ChangeState::Applied, Action::Adopt) => "adopted",
            (ChangeState::Applied, Action::Delete) => "destroyed",
            // Failures are told at the end, with their reasons.
            (ChangeState::Applied, Action::NoOp)
            | (ChangeState::Failed(_) | ChangeState::NotAttempted(_), _) => return,
        };
        self.printer.note(format_args!(
            "{}: {done} {}",
            self.target, change.resource.id
        ));
    }

    fn reading_back(&self, pending: usize, remaining: Duration) {
        let message = format!("waiting for {pending} of the changes to show");
        self.wait("reading back", &message, remaining);
    }
}
