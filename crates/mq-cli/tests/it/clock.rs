//! The emulator's clock, moved from a shell.

use std::fs;
use std::time::Duration;

use jiff::Timestamp;

use crate::process::{Place, Ran};

fn start(place: &Place, clock: &str) -> Ran {
    let ran = place.run(&["emulator", "start", "--clock", clock]);
    ran.ends_with(0);
    ran
}

#[track_caller]
fn moved(ran: &Ran) -> Timestamp {
    assert_eq!(ran.ends_with(0).stderr, "", "{ran}");
    let line = ran.stdout.strip_suffix('\n').expect("one line");
    line.parse().expect("a time")
}

#[test]
fn it_moves_by_what_it_is_told_and_says_what_time_it_is() {
    let place = Place::new();
    start(&place, "manual");
    let advance = |by| moved(&place.run(&["emulator", "advance", by]));
    let first = advance("1ms");
    let second = advance("10m");
    let third = advance("14d");
    assert_eq!(
        second.duration_since(first).unsigned_abs(),
        Duration::from_secs(600)
    );
    let days = third.duration_since(second).unsigned_abs();
    assert_eq!(days, Duration::from_secs(14 * 86_400));
}

#[test]
fn status_and_the_discovery_file_tell_which_clock_it_is_and_the_variables_do_not() {
    let place = Place::new();
    for clock in ["manual", "system"] {
        start(&place, clock);
        let text = place
            .run(&["emulator", "status"])
            .ends_with(0)
            .stdout
            .clone();
        let told = format!("{:<18}{clock}", "clock");
        assert!(text.lines().any(|line| line == told), "{text}");
        let status = place.run(&["emulator", "status", "--output", "json"]);
        assert_eq!(status.json()["emulator"]["clock"], clock);
        let file = fs::read_to_string(place.path().join("state/emulator.json"));
        let file: serde_json::Value = serde_json::from_str(&file.expect("a file")).expect("JSON");
        assert_eq!(file["clock"], clock);
        let variables = place.run(&["emulator", "status", "--output", "env"]);
        let variables = variables.ends_with(0).stdout.to_lowercase();
        assert!(!variables.contains("clock"), "{variables}");
        place.run(&["emulator", "stop"]).ends_with(0);
    }
}

#[test]
fn without_an_emulator_it_says_how_to_start_one() {
    let place = Place::new();
    insta::assert_snapshot!(place.run(&["emulator", "advance", "10m"]), @r"
    exit code: 1
    ----- stdout -----

    ----- stderr -----
    error: no emulator runs
    hint: start one with `mq emulator start --clock manual`
    ");
}

#[test]
fn the_machines_clock_is_not_moved() {
    let place = Place::new();
    place.run(&["emulator", "start"]).ends_with(0);
    let ran = place.run(&["emulator", "advance", "10m"]);
    ran.ends_with(1);
    assert!(
        ran.stderr
            .contains("error: the emulator's clock is not manual"),
        "{ran}"
    );
    assert!(
        ran.stderr.contains("`mq emulator start --clock manual`"),
        "{ran}"
    );
    assert_eq!(ran.stdout, "");
    let again = start(&place, "manual");
    assert!(
        again
            .stderr
            .contains("warning: its quirks, ports, seed, clock and memory are those"),
        "{again}"
    );
}

#[test]
fn what_is_no_distance_is_wrong_use() {
    let place = Place::new();
    start(&place, "manual");
    let before = moved(&place.run(&["emulator", "advance", "1ms"]));
    for wrong in [
        "0s",
        "10",
        "ten minutes",
        "-5s",
        "1.5s",
        "",
        "18446744073709551615d",
        // The services' formats end with the year 9999.
        "3000000d",
    ] {
        let ran = place.run(&["emulator", "advance", wrong]);
        ran.ends_with(64);
        assert_eq!(ran.stdout, "", "{ran}");
    }
    let ran = place.run(&["emulator", "advance", "3000000d"]);
    assert!(ran.stderr.contains("the year 9999"), "{ran}");
    place.run(&["emulator", "advance"]).ends_with(64);
    place
        .run(&["emulator", "start", "--clock", "fast"])
        .ends_with(64);
    let after = moved(&place.run(&["emulator", "advance", "1ms"]));
    assert_eq!(
        after.duration_since(before).unsigned_abs(),
        Duration::from_millis(1)
    );
}

#[test]
#[cfg(unix)]
fn a_child_of_exec_moves_its_own_emulator() {
    let place = Place::new();
    let script = format!("'{}' emulator advance 1h", env!("CARGO_BIN_EXE_mq"));
    let exec = [
        "emulator", "exec", "--clock", "manual", "--", "sh", "-c", &script,
    ];
    let ran = place.run(&exec);
    let shown = ran.ends_with(0).stdout.trim_end();
    let shown: Timestamp = shown.parse().expect("a time");
    let ahead = shown.duration_since(Timestamp::now());
    assert!(ahead > jiff::SignedDuration::from_mins(58), "{ahead}");
    place
        .run(&["emulator", "exec", "--", "sh", "-c", &script])
        .ends_with(1);
}
