//! The emulator in the background: found, started once, stopped, and never mistaken.

use std::fs;

use crate::process::{Place, Ran};

const FILE: &str = "version: 1\nstack: demo\nqueues:\n  orders: { dead_letter: {} }\n";

fn place() -> Place {
    let place = Place::new();
    place.write("mq.yaml", FILE);
    place
}

#[test]
fn provision_starts_one_and_the_next_command_finds_it() {
    let place = place();
    let first = place.run(&["provision", "--cloud", "all", "--emulator"]);
    first.ends_with(0);
    assert!(
        first
            .stderr
            .contains("started an emulator in the background"),
        "{first}"
    );
    assert!(first.stderr.contains("mq emulator stop"), "{first}");
    let columns: Vec<(&str, &str, &str)> = first
        .stdout
        .lines()
        .map(|line| {
            let mut parts = line.split('\t');
            let mut next = || parts.next().expect("four columns");
            (next(), next(), next())
        })
        .collect();
    assert_eq!(
        columns,
        [
            ("aws", "orders", "queue"),
            ("azure", "orders", "queue"),
            ("gcp", "orders", "send"),
            ("gcp", "orders", "receive")
        ]
    );
    let second = place.run(&["provision", "--cloud", "all", "--emulator"]);
    second.ends_with(0);
    assert!(!second.stderr.contains("started"), "{second}");
    assert_eq!(second.stdout, first.stdout);
    let status = place.run(&["emulator", "status"]);
    assert!(
        status.ends_with(0).stdout.contains("ends after"),
        "{status}"
    );
    place.run(&["emulator", "stop"]).ends_with(0);
    insta::assert_snapshot!(place.run(&["emulator", "status"]), @r"
    exit code: 1
    ----- stdout -----

    ----- stderr -----
    error: no emulator runs
    hint: start one with `mq emulator start`
    ");
    assert!(
        place
            .run(&["emulator", "stop"])
            .ends_with(0)
            .stderr
            .contains("no emulator runs")
    );
}

#[test]
fn two_starts_at_once_yield_one_process() {
    let place = place();
    let starts: Vec<_> = (0..4)
        .map(|_| {
            place
                .command(&["emulator", "start"])
                .stdout(std::process::Stdio::piped())
                .stderr(std::process::Stdio::piped())
                .spawn()
                .expect("mq runs")
        })
        .collect();
    let ended: Vec<Ran> = starts
        .into_iter()
        .map(|child| Ran::of(child.wait_with_output().expect("ends")))
        .collect();
    let fresh = ended
        .iter()
        .filter(|ran| ran.ends_with(0).stderr.contains("started an emulator"))
        .count();
    assert_eq!(fresh, 1, "{ended:?}");
}

#[test]
#[cfg(unix)]
fn the_variables_can_be_sourced_and_lead_to_the_emulator() {
    let place = place();
    place.run(&["emulator", "start"]).ends_with(0);
    let variables = place
        .run(&["emulator", "status", "--output", "env"])
        .ends_with(0)
        .stdout
        .clone();
    for name in [
        "AWS_ENDPOINT_URL_SQS",
        "PUBSUB_EMULATOR_HOST",
        "SERVICEBUS_ADMIN_CONNECTION_STRING",
    ] {
        assert!(
            variables.contains(&format!("export {name}='")),
            "{variables}"
        );
    }
    // Without `--emulator`, the vendors' own variables lead there too.
    let script = format!(
        "{variables}exec '{}' provision --cloud aws",
        env!("CARGO_BIN_EXE_mq")
    );
    let output = std::process::Command::new("sh")
        .args(["-c", &script])
        .current_dir(place.path())
        .output()
        .expect("sh runs");
    let ran = Ran::of(output);
    ran.ends_with(0);
    assert!(
        ran.stdout
            .starts_with("aws\torders\tqueue\thttp://127.0.0.1:"),
        "{ran}"
    );
}

#[test]
fn what_a_dead_emulator_left_is_no_emulator() {
    let place = place();
    place.run(&["emulator", "start"]).ends_with(0);
    let file = place.path().join("state/emulator.json");
    let left = fs::read_to_string(&file).expect("a discovery file");
    place.run(&["emulator", "stop"]).ends_with(0);
    assert!(!file.exists());
    fs::write(&file, left).expect("written");
    place.run(&["emulator", "status"]).ends_with(1);
    let ran = place.run(&["provision", "--cloud", "aws", "--emulator"]);
    assert!(
        ran.ends_with(0).stderr.contains("started an emulator"),
        "{ran}"
    );
}

#[test]
fn another_build_is_refused_with_the_command_that_stops_it() {
    let place = place();
    place.run(&["emulator", "start"]).ends_with(0);
    let file = place.path().join("state/emulator.json");
    let text = fs::read_to_string(&file).expect("a discovery file");
    let version = format!("\"version\": \"{}\"", env!("CARGO_PKG_VERSION"));
    assert!(text.contains(&version));
    fs::write(&file, text.replace(&version, "\"version\": \"0.0.1\"")).expect("written");
    let ran = place.run(&["provision", "--cloud", "aws", "--emulator"]);
    ran.ends_with(1);
    assert!(
        ran.stderr.contains("`mq emulator stop`") && ran.stderr.contains("0.0.1"),
        "{ran}"
    );
    place.run(&["emulator", "stop"]).ends_with(0);
}

#[test]
fn it_ends_by_itself_when_nobody_asks() {
    let place = place();
    place
        .run(&["emulator", "start", "--idle-exit", "200ms"])
        .ends_with(0);
    let file = place.path().join("state/emulator.json");
    let gone = (0..500).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        !file.exists()
    });
    assert!(gone, "it runs on");
    place.run(&["emulator", "status"]).ends_with(1);
}

#[test]
fn flags_that_cannot_be_are_wrong_use() {
    let place = place();
    for arguments in [
        &["emulator", "start", "--quirk", "no-such-quirk"][..],
        &["emulator", "start", "--port", "sqs"],
        &["emulator", "start", "--port", "fax=1"],
        &["emulator", "start", "--idle-exit", "30"],
        &["emulator", "exec", "--quirk", "no-such-quirk", "--", "true"],
    ] {
        place.run(arguments).ends_with(64);
    }
    assert!(!place.path().join("state/emulator.json").exists());
}

#[test]
fn a_start_that_fails_says_why() {
    let place = place();
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = format!("sqs={}", taken.local_addr().expect("an address").port());
    let ran = place.run(&["emulator", "start", "--port", &port]);
    ran.ends_with(1);
    assert!(ran.stderr.contains("is taken"), "{ran}");
    assert!(
        place
            .run(&["emulator", "run", "--listen", "0.0.0.0"])
            .ends_with(1)
            .stderr
            .contains("--allow-remote")
    );
}

#[test]
fn logs_say_what_is_done_and_never_a_secret() {
    let place = place();
    let variables = [
        ("AWS_SECRET_ACCESS_KEY", "hush-hush-key"),
        ("MQ_AZURE_CONNECTION_STRING", "hush-hush-string"),
    ];
    let ran = place.run_with(
        &["provision", "--cloud", "all", "--emulator", "-vv"],
        &variables,
    );
    ran.ends_with(0);
    assert!(ran.stderr.contains("DEBUG mq_"), "nothing is logged: {ran}");
    let status = place
        .run(&["emulator", "status", "--output", "json"])
        .json();
    let secret = status["emulator"]["env"]["SERVICEBUS_ADMIN_CONNECTION_STRING"]
        .as_str()
        .and_then(|text| text.split("SharedAccessKey=").nth(1)?.split(';').next())
        .expect("a key")
        .to_owned();
    let discovery =
        fs::read_to_string(place.path().join("state/emulator.json")).expect("a discovery file");
    let discovery: serde_json::Value = serde_json::from_str(&discovery).expect("JSON");
    let token = discovery["token"].as_str().expect("a token");
    for hidden in ["hush-hush", secret.as_str(), token] {
        assert!(
            !ran.stderr.contains(hidden) && !ran.stdout.contains(hidden),
            "{hidden}: {ran}"
        );
    }
}
