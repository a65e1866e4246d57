//! What a person at a terminal sees, through `script` from util-linux.

use std::process::Command;

use crate::process::{Place, Ran};

/// Runs a command line on a terminal of its own; `None` where `script` is not installed.
fn on_terminal(place: &Place, arguments: &str, variables: &[(&str, &str)]) -> Option<Ran> {
    let line = format!("{} {arguments}", env!("CARGO_BIN_EXE_mq"));
    let output = Command::new("script")
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        .current_dir(place.path())
        .env_clear()
        .env("PATH", std::env::var_os("PATH")?)
        .env("HOME", place.path())
        .env("TERM", "xterm")
        .env("MQ_EMULATOR_STATE", place.path().join("state"))
        .envs(variables.iter().copied())
        .stdin(std::process::Stdio::null())
        .output();
    match output {
        Ok(output) => Some(Ran::of(output)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => panic!("script: {error}"),
    }
}

#[test]
fn a_terminal_gets_colour_unless_it_is_refused() {
    let place = Place::new();
    place.write(
        "mq.yaml",
        "version: 1\nstack: demo\nqueues:\n  orders: { no_such_key: 1 }\n",
    );
    for (variables, coloured) in [
        (&[][..], true),
        (&[("NO_COLOR", "1")], false),
        (&[("CLICOLOR", "0")], false),
        (&[("TERM", "dumb")], false),
    ] {
        let Some(ran) = on_terminal(&place, "check", variables) else {
            let required = std::env::var_os("MQ_REQUIRE_JUDGES").is_some();
            assert!(!required, "`script` of util-linux is not installed");
            println!("skipped: `script` of util-linux is not installed");
            return;
        };
        ran.ends_with(64);
        assert_eq!(
            ran.stdout.contains("\u{1b}["),
            coloured,
            "{variables:?} {ran}"
        );
    }
}
