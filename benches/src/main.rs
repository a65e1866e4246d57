//! `cargo run --release --package mq-benches`: figures as ratios against a reference that is
//! measured in the same run, medians of several rounds, as a Markdown table.

#![expect(clippy::print_stdout, reason = "the table is the result")]
#![expect(
    clippy::unwrap_used,
    reason = "a benchmark stops where something cannot be set up"
)]

mod cold_start;
mod load;
mod planning;
mod provisioning;

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use mq_tests::binary;

/// Prints a table of medians and ratios.
#[derive(Debug, Parser)]
struct Arguments {
    /// How often each figure is measured.
    #[arg(long, global = true, default_value_t = 5)]
    rounds: usize,
    /// How many seconds a load is measured.
    #[arg(long, global = true, default_value_t = 5)]
    seconds: u64,
    /// The `mq` that is put under load, unless it is the one beside this program.
    #[arg(long, global = true)]
    binary: Option<PathBuf>,
    /// How many queues are provisioned.
    #[arg(long, default_value_t = 1_000)]
    queues: usize,
    /// Only the benchmarks whose name has this in it.
    filter: Option<String>,
    /// Plans so many queues on this backend, alone in its process, and prints its peak memory.
    #[arg(long, hide = true, num_args = 2, value_names = ["BACKEND", "QUEUES"])]
    plan_alone: Option<Vec<String>>,
    #[command(subcommand)]
    load: Option<load::Command>,
}

/// One line of the table.
#[derive(Debug)]
pub(crate) struct Row {
    name: String,
    measured: String,
    reference: String,
    ratio: String,
    goal: &'static str,
}

fn main() {
    let arguments = Arguments::parse();
    if let Some(alone) = &arguments.plan_alone {
        planning::alone(&alone[0], alone[1].parse().unwrap());
        return;
    }
    if let Some(command) = &arguments.load {
        let effort = load::Effort {
            rounds: arguments.rounds,
            seconds: arguments.seconds,
            binary: arguments.binary.clone().unwrap_or_else(binary::mq),
        };
        load::run(command, &effort);
        return;
    }
    println!(
        "| what | measured | reference of the same run | ratio | goal |\n|---|---|---|---|---|"
    );
    let wanted = |name: &str| {
        arguments
            .filter
            .as_deref()
            .is_none_or(|filter| name.contains(filter))
    };
    if wanted("cold start") {
        cold_start::run(arguments.rounds)
            .into_iter()
            .for_each(print);
    }
    if wanted("provision") {
        provisioning::run(arguments.rounds, arguments.queues)
            .into_iter()
            .for_each(print);
    }
    if wanted("plan") {
        planning::run(arguments.rounds).into_iter().for_each(print);
    }
}

fn print(row: Row) {
    println!(
        "| {} | {} | {} | {} | {} |",
        row.name, row.measured, row.reference, row.ratio, row.goal
    );
}

/// The middle one.
pub(crate) fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// Two medians and how often the second goes into the first.
pub(crate) fn compared(
    name: String,
    measured: Duration,
    reference: Duration,
    against: &str,
    goal: &'static str,
) -> Row {
    Row {
        name,
        measured: milliseconds(measured),
        reference: format!("{} ({against})", milliseconds(reference)),
        ratio: format!("{:.2}", measured.as_secs_f64() / reference.as_secs_f64()),
        goal,
    }
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}

/// A runtime like the command's own.
pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap()
}
