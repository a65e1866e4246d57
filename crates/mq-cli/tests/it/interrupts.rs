//! Signals and time limits: what is under way is finished, and the same command goes on.

use std::fmt::Write;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::process::{Place, Ran};

const QUEUES: usize = 8;
const PROVISION: [&str; 6] = [
    "provision",
    "--cloud",
    "aws",
    "--emulator",
    "--parallelism",
    "1",
];

/// A file of queues, and an emulator that answers slowly.
fn slow() -> Place {
    let place = Place::new();
    let mut file = "version: 1\nstack: demo\nqueues:\n".to_owned();
    for index in 0..QUEUES {
        writeln!(file, "  queue-{index}: {{}}").expect("a string");
    }
    place.write("mq.yaml", &file);
    place
        .run(&["emulator", "start", "--quirk", "latency=150ms"])
        .ends_with(0);
    place
}

/// Runs until the first change is made, and then sends these signals.
fn interrupted(place: &Place, signals: &[Signal]) -> Ran {
    let mut child = place
        .command(&PROVISION)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("mq runs");
    let mut stderr = BufReader::new(child.stderr.take().expect("a pipe"));
    let mut told = String::new();
    let mut until = |stderr: &mut BufReader<_>, words: &str| {
        let mut line = String::new();
        while stderr.read_line(&mut line).expect("lines") > 0 {
            told.push_str(&line);
            if line.contains(words) {
                return;
            }
            line.clear();
        }
        panic!("never said {words:?}: {told}");
    };
    until(&mut stderr, "aws: created");
    for (index, signal) in signals.iter().enumerate() {
        if index > 0 {
            // Two signals at once may be one to the system.
            until(&mut stderr, "once more stops at once");
        }
        kill_process(Pid::from_child(&child), *signal).expect("a signal");
    }
    stderr.read_to_string(&mut told).expect("the rest");
    end(child, told)
}

fn end(mut child: Child, stderr: String) -> Ran {
    let mut stdout = String::new();
    child
        .stdout
        .take()
        .expect("a pipe")
        .read_to_string(&mut stdout)
        .expect("the rest");
    let code = child
        .wait()
        .expect("ends")
        .code()
        .expect("no signal ends it");
    Ran {
        code,
        stdout,
        stderr,
    }
}

#[test]
fn the_first_interrupt_finishes_what_is_under_way_and_the_next_run_goes_on() {
    let place = slow();
    let ran = interrupted(&place, &[Signal::INT]);
    ran.ends_with(130);
    assert!(
        ran.stderr.contains("aws: interrupted, ")
            && ran.stderr.contains("run the same command again"),
        "{ran}"
    );
    let again = place.run(&PROVISION);
    again.ends_with(0);
    assert_eq!(again.stdout.lines().count(), QUEUES);
    assert!(!again.stderr.contains("queue-0"), "made already: {again}");
}

#[test]
fn a_termination_has_its_own_code() {
    let place = slow();
    interrupted(&place, &[Signal::TERM]).ends_with(143);
}

#[test]
fn the_second_interrupt_stops_at_once() {
    let place = slow();
    let ran = interrupted(&place, &[Signal::INT, Signal::INT]);
    ran.ends_with(130);
    assert!(!ran.stderr.contains("changes made"), "{ran}");
    place.run(&PROVISION).ends_with(0);
}

#[test]
fn the_time_that_is_set_ends_a_command() {
    let place = slow();
    let ran = place.run(&[
        "provision",
        "--cloud",
        "aws",
        "--emulator",
        "--timeout",
        "100ms",
    ]);
    ran.ends_with(7);
    assert!(ran.stderr.contains("--timeout"), "{ran}");
}
