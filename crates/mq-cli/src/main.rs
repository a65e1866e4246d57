//! The `mq` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    let exit = mq_cli::run(
        std::env::args_os(),
        mq_cli::registry::backends(),
        mq_cli::Streams::of_process(),
        mq_cli::Environment::of_process(),
    );
    ExitCode::from(exit.code())
}
