//! When a run must end: at the user's wish, or when its time is over.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mq_core::{Error, ErrorKind};
use mq_suite::Report;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::app::App;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::render::text::count;

/// Keeps the time of a run. What is under way at its end still cleans up.
#[derive(Debug)]
pub(super) struct Watch {
    stop: CancellationToken,
    late: Arc<AtomicBool>,
    timeout: Duration,
    /// Ends the timer with the run.
    _done: DropGuard,
}

impl Watch {
    pub(super) fn begin(app: &App, timeout: Duration) -> Watch {
        let stop = app.interrupt.token().child_token();
        let late = Arc::new(AtomicBool::new(false));
        let done = CancellationToken::new();
        let (timer_stop, timer_late, over) = (stop.clone(), Arc::clone(&late), done.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = tokio::time::sleep(timeout) => {
                    timer_late.store(true, Ordering::Relaxed);
                    timer_stop.cancel();
                }
                () = over.cancelled() => {}
            }
        });
        Watch {
            stop,
            late,
            timeout,
            _done: done.drop_guard(),
        }
    }

    /// Cancelled when the run must end.
    pub(super) fn token(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// A call that only reads: it is dropped when the run must end.
    pub(super) async fn over<T>(
        &self,
        call: impl Future<Output = mq_core::Result<T>>,
    ) -> mq_core::Result<T> {
        tokio::select! {
            result = call => result,
            () = self.stop.cancelled() => Err(if self.late.load(Ordering::Relaxed) {
                Error::new(ErrorKind::TimedOut, "the time set with `--timeout` ran out")
            } else {
                Error::new(ErrorKind::Cancelled, "interrupted before anything was written")
            }),
        }
    }

    /// Why this run ended before all of it was carried out, if it did.
    pub(super) fn why(&self, app: &App, report: &Report) -> Option<Failure> {
        if !report.interrupted {
            return None;
        }
        let cells = report.rows.iter().flat_map(|row| &row.cells);
        let ran = count(cells.flatten().count(), "case");
        let clean = match report.leftovers.len() {
            0 => ", and what was made is removed",
            _ => "",
        };
        Some(if app.interrupt.token().is_cancelled() {
            Failure::new(
                Exit::Interrupted,
                format!("interrupted: {ran} came to an end{clean}"),
            )
        } else {
            Failure::new(
                Exit::TimedOut,
                format!(
                    "the time set with `--timeout` ({}) ran out: {ran} came to an end{clean}",
                    mq_core::units::duration(self.timeout)
                ),
            )
            .with_hint("give it more time, raise `--parallelism`, or take a part with `--shard`")
        })
    }
}
