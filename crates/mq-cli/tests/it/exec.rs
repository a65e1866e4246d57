//! `mq emulator exec`: the child's own code, and 0 in no other case.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::process::{Place, Ran};

fn exec(place: &Place, command: &[&str]) -> Ran {
    let arguments: Vec<&str> = ["emulator", "exec", "--"]
        .iter()
        .chain(command)
        .copied()
        .collect();
    place.run(&arguments)
}

#[test]
fn the_code_is_the_childs() {
    let place = Place::new();
    exec(&place, &["sh", "-c", "exit 0"]).ends_with(0);
    exec(&place, &["sh", "-c", "exit 7"]).ends_with(7);
    exec(&place, &["sh", "-c", "kill -9 $$"]).ends_with(137);
}

#[test]
fn a_child_that_does_not_run_is_never_success() {
    let place = Place::new();
    exec(&place, &["no-such-program-anywhere"]).ends_with(127);
    exec(&place, &["/"]).ends_with(126);
    place.run(&["emulator", "exec"]).ends_with(64);
    place.run(&["emulator", "exec", "true"]).ends_with(64);
    place
        .run(&["emulator", "exec", "true", "--help"])
        .ends_with(64);
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = format!("sqs={}", taken.local_addr().expect("an address").port());
    place
        .run(&["emulator", "exec", "--port", &port, "--", "true"])
        .ends_with(125);
    place
        .run_with(
            &["emulator", "exec", "--", "true"],
            &[("TMPDIR", "/dev/null/folder")],
        )
        .ends_with(125);
}

#[test]
fn the_child_sees_the_emulator_in_both_ways() {
    let place = Place::new();
    place.write(
        "mq.yaml",
        "version: 1\nstack: demo\nqueues:\n  orders: {}\n",
    );
    let mq = env!("CARGO_BIN_EXE_mq");
    let script = format!(
        "echo \"$AWS_ENDPOINT_URL_SQS\"; {mq} provision --cloud aws --emulator && {mq} endpoint --cloud aws --raw"
    );
    let ran = exec(&place, &["sh", "-c", &script]);
    ran.ends_with(0);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    let [base, provisioned, raw] = lines.as_slice() else {
        panic!("{ran}")
    };
    assert!(base.starts_with("http://127.0.0.1:"), "{ran}");
    assert!(raw.starts_with(base) && provisioned.ends_with(raw), "{ran}");
    // It was the child's own emulator, and it is gone.
    place.run(&["emulator", "status"]).ends_with(1);
}

#[test]
fn a_signal_reaches_the_child() {
    let place = Place::new();
    let script = "trap 'exit 9' TERM; echo ready; while :; do sleep 0.05; done";
    let mut child = place
        .command(&["emulator", "exec", "--", "sh", "-c", script])
        .stdout(Stdio::piped())
        .spawn()
        .expect("mq runs");
    let mut line = String::new();
    let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
    stdout.read_line(&mut line).expect("a line");
    assert_eq!(line, "ready\n");
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("a signal");
    assert_eq!(child.wait().expect("ends").code(), Some(9));
}
