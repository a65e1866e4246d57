//! How long the command takes to start, against a program that does nothing.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use mq_tests::binary;

use crate::{Row, compared, median};

const QUEUES: usize = 100;

pub(crate) fn run(rounds: usize) -> Vec<Row> {
    let mut text = "version: 1\nstack: bench\nqueues:\n".to_owned();
    for index in 0..QUEUES {
        let _ = writeln!(
            text,
            "  queue-{index}: {{ dead_letter: {{ max_deliveries: 5 }} }}"
        );
    }
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    let path = file.path().to_str().unwrap().to_owned();
    // Many runs of a few milliseconds each: alternating, so that a slow moment meets both.
    let mut times = [const { Vec::new() }; 3];
    for _ in 0..rounds * 10 {
        times[0].push(time(Command::new("true")));
        times[1].push(time(with(&["--version"])));
        times[2].push(time(with(&["check", "-f", &path])));
    }
    let [nothing, version, check] = times.map(median);
    vec![
        compared(
            "cold start: `mq --version`".to_owned(),
            version,
            nothing,
            "`true`",
            "5 ms",
        ),
        compared(
            format!("cold start: `mq check` of {QUEUES} queues"),
            check,
            nothing,
            "`true`",
            "20 ms",
        ),
    ]
}

fn with(arguments: &[&str]) -> Command {
    let mut command = Command::new(binary::mq());
    command.args(arguments);
    command
}

fn time(mut command: Command) -> Duration {
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    let status = command.status().unwrap();
    let elapsed = start.elapsed();
    assert!(status.success(), "{command:?} failed");
    elapsed
}
