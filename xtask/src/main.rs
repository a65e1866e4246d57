//! Workspace tasks: `cargo xtask generate [--check]` and `cargo xtask check-deps`.

#![expect(clippy::print_stdout, reason = "a developer's tool reports on stdout")]

mod deps;
mod generate;

use std::path::Path;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    about = "Generated files and checks of the workspace"
)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Writes the generated files; with `--check` fails where one is not what it would write.
    Generate {
        /// Write nothing, fail on a difference.
        #[arg(long)]
        check: bool,
    },
    /// Fails where a crate depends on one that it must not know.
    CheckDeps,
}

fn main() -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or_else(|| Path::new("."));
    match Arguments::parse().task {
        Task::Generate { check } => generate::run(root, check),
        Task::CheckDeps => deps::check(root),
    }
}
