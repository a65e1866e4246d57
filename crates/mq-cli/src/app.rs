//! What every command works with.

use std::future::Future;

use mq_core::BackendFactory;

use crate::environment::Environment;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::interrupt::Interrupt;
use crate::printer::Printer;

/// One run of `mq`.
#[derive(Debug)]
pub(crate) struct App {
    /// Every cloud there is.
    pub(crate) registry: Vec<&'static dyn BackendFactory>,
    pub(crate) environment: Environment,
    pub(crate) printer: Printer,
    pub(crate) interrupt: Interrupt,
}

impl App {
    /// Runs a command that waits for others: on a runtime, and under the two signals.
    pub(crate) fn online(&self, command: impl Future<Output = Result<Exit>>) -> Result<Exit> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(|error| {
                Failure::new(Exit::Failed, "failed to start the runtime").because(error.to_string())
            })?;
        let exit = runtime.block_on(async {
            tokio::spawn(self.interrupt.clone().listen(self.printer.clone()));
            tokio::select! {
                exit = command => exit.map(|exit| self.interrupt.settle(exit)),
                () = self.interrupt.now() => Ok(self.interrupt.exit()),
            }
        });
        // A read of stdin that nobody answers must not keep the process.
        runtime.shutdown_background();
        exit
    }

    /// The factory of a backend.
    pub(crate) fn factory(&self, id: &str) -> Option<&'static dyn BackendFactory> {
        self.registry
            .iter()
            .copied()
            .find(|factory| factory.info().id == id)
    }

    /// The backends' words on the command line.
    pub(crate) fn backend_ids(&self) -> impl Iterator<Item = &str> {
        self.registry.iter().map(|factory| factory.info().id)
    }
}
