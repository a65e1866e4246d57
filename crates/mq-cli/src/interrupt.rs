//! Ctrl-C and SIGTERM: the first finishes what is under way, the second stops at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio_util::sync::CancellationToken;

use crate::exit::Exit;
use crate::printer::Printer;

/// The user's, or the system's, wish to end.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interrupt {
    /// Begin nothing more.
    gently: CancellationToken,
    /// Drop everything.
    now: CancellationToken,
    terminated: Arc<AtomicBool>,
}

impl Interrupt {
    /// Cancelled at the first signal.
    pub(crate) fn token(&self) -> CancellationToken {
        self.gently.clone()
    }

    /// Returns at the second signal.
    pub(crate) async fn now(&self) {
        self.now.cancelled().await;
    }

    /// The code to end with after a signal.
    pub(crate) fn exit(&self) -> Exit {
        if self.terminated.load(Ordering::Relaxed) {
            Exit::Terminated
        } else {
            Exit::Interrupted
        }
    }

    /// Replaces "interrupted" by what the signal asks for.
    pub(crate) fn settle(&self, exit: Exit) -> Exit {
        if exit == Exit::Interrupted {
            self.exit()
        } else {
            exit
        }
    }

    /// Listens from now on. Without a way to listen the system's default remains: it ends at once.
    pub(crate) async fn listen(self, printer: Printer) {
        let Ok(mut signals) = Signals::new() else {
            return std::future::pending().await;
        };
        self.note(signals.next().await);
        self.gently.cancel();
        printer.insist("\ninterrupted: finishing what is under way; once more stops at once\n");
        self.note(signals.next().await);
        self.now.cancel();
    }

    fn note(&self, signal: Signal) {
        if signal == Signal::Terminate {
            self.terminated.store(true, Ordering::Relaxed);
        }
    }
}

/// A wish to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// SIGTERM, or on Windows the closing of the console.
    Terminate,
}

#[cfg(unix)]
mod system {
    use tokio::signal::unix::{self, SignalKind};

    /// The signals of this process, as they come.
    pub(crate) struct Signals {
        interrupt: unix::Signal,
        terminate: unix::Signal,
    }

    impl Signals {
        pub(crate) fn new() -> std::io::Result<Self> {
            Ok(Signals {
                interrupt: unix::signal(SignalKind::interrupt())?,
                terminate: unix::signal(SignalKind::terminate())?,
            })
        }

        pub(crate) async fn next(&mut self) -> super::Signal {
            tokio::select! {
                _ = self.interrupt.recv() => super::Signal::Interrupt,
                _ = self.terminate.recv() => super::Signal::Terminate,
            }
        }
    }
}

#[cfg(windows)]
mod system {
    use tokio::signal::windows;

    /// The console's events for this process, as they come.
    pub(crate) struct Signals {
        interrupt: windows::CtrlC,
        close: windows::CtrlClose,
    }

    impl Signals {
        pub(crate) fn new() -> std::io::Result<Self> {
            Ok(Signals {
                interrupt: windows::ctrl_c()?,
                close: windows::ctrl_close()?,
            })
        }

        pub(crate) async fn next(&mut self) -> super::Signal {
            tokio::select! {
                _ = self.interrupt.recv() => super::Signal::Interrupt,
                _ = self.close.recv() => super::Signal::Terminate,
            }
        }
    }
}

pub(crate) use system::Signals;
