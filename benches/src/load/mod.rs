//! Load on the emulator over real sockets, beside other emulators in the same run.
//!
//! Every server is a process of its own, started anew for each round and killed after it; rounds
//! go through all servers in turn, so that a slow moment of the machine meets each. A run with an
//! error is no figure, and is shown as what went wrong. The generator shares the machine with the
//! server: what it costs per message stands beside what the server costs.

mod backlog;
mod closed_loop;
mod connection;
mod connections;
mod figures;
mod fixed_answer;
mod footprint;
mod open_files;
mod process;
mod pubsub;
mod pubsub_client;
mod rivals;
mod sqs;
mod sqs_client;
mod streaming;

use std::path::PathBuf;
use std::time::Duration;

use clap::Subcommand;

use closed_loop::Span;
use process::Program;

use crate::runtime;

/// One comparison each.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// SendMessage, and a message's whole way, at 1, 10 and 100 connections
    Sqs,
    /// Publish, and the whole way by StreamingPull, over gRPC
    Pubsub,
    /// Time until ready, memory, size
    Footprint {
        /// Messages that are held at once
        #[arg(long, default_value_t = 100_000)]
        messages: u64,
    },
    /// Throughput with many messages in the queue against few
    Backlog {
        /// Many
        #[arg(long, default_value_t = 1_000_000)]
        messages: u64,
    },
    /// Throughput and memory with 1, 100 and 5,000 connections
    Connections,
    /// Serves constants, as the limit that others are compared with
    #[command(hide = true)]
    FixedAnswer {
        /// Where to listen on loopback
        port: u16,
    },
}

/// How long and how often.
#[derive(Debug, Clone)]
pub(crate) struct Effort {
    /// How often each figure is measured.
    pub(crate) rounds: usize,
    /// How long a load is measured.
    pub(crate) seconds: u64,
    /// The `mq` that is measured.
    pub(crate) binary: PathBuf,
}

impl Effort {
    /// A load of the usual length, with a fifth of it before that.
    fn span(&self) -> Span {
        let measured = Duration::from_secs(self.seconds);
        Span {
            warm_up: measured / 5,
            measured,
        }
    }
}

/// A server that cannot be compared with, and why.
#[derive(Debug, Clone)]
pub(crate) struct Absent {
    name: String,
    why: String,
}

impl Absent {
    fn new(name: &str, why: impl Into<String>) -> Self {
        Absent {
            name: name.to_owned(),
            why: why.into(),
        }
    }
}

/// Runs a comparison and prints its tables.
pub(crate) fn run(command: &Command, effort: &Effort) {
    let runtime = runtime();
    if let Command::FixedAnswer { port } = command {
        runtime.block_on(fixed_answer::serve(*port));
        return;
    }
    figures::print_conditions(effort);
    runtime.block_on(async {
        match command {
            Command::Sqs => sqs::run(effort).await,
            Command::Pubsub => pubsub::run(effort).await,
            Command::Footprint { messages } => footprint::run(effort, *messages).await,
            Command::Backlog { messages } => backlog::run(effort, *messages).await,
            Command::Connections => connections::run(effort).await,
            Command::FixedAnswer { .. } => {}
        }
    });
}

/// Our emulator, its port for `service` given and all others free.
fn ours(effort: &Effort, service: &str) -> Program {
    let mut arguments = vec!["emulator".to_owned(), "run".to_owned()];
    for name in mq_emulator::Ports::NAMES {
        let port = if name == service { "PORT" } else { "0" };
        arguments.extend(["--port".to_owned(), format!("{name}={port}")]);
    }
    Program {
        name: "mq".to_owned(),
        path: effort.binary.to_string_lossy().into_owned(),
        arguments,
        environment: Vec::new(),
    }
}

/// This program, serving constants.
fn fixed_answer() -> Program {
    let path = std::env::current_exe().unwrap();
    Program {
        name: "fixed answer".to_owned(),
        path: path.to_string_lossy().into_owned(),
        arguments: vec!["fixed-answer".to_owned(), "PORT".to_owned()],
        environment: Vec::new(),
    }
}
