//! The real clouds' backends, against an emulator.

use serde_json::Value;

use super::TWICE;
use crate::process::Place;

const FILE: &str = "version: 1\nstack: demo\nqueues:\n  orders: { dead_letter: {} }\n";

#[test]
fn all_clouds_side_by_side_without_an_account() {
    let place = Place::new();
    place.write("mq.yaml", FILE);
    let ran = place.run(&["verify", "--only", TWICE, "--seed", "7", "--output", "json"]);
    let document = ran.ends_with(0).json();
    let targets = document["report"]["targets"].as_array().expect("targets");
    let names: Vec<&Value> = targets.iter().map(|target| &target["name"]).collect();
    assert_eq!(names, ["aws", "azure", "gcp"]);
    assert!(targets.iter().all(|target| target["emulated"] == true));
    assert_eq!(document["report"]["totals"]["passed"], 6);
    assert!(ran.stderr.contains("emulator with the seed 7"), "{ran}");
    let found = place.run(&["emulator", "status"]);
    found.ends_with(1);
}

#[test]
fn a_wait_of_a_minute_takes_no_time_on_the_emulator() {
    let place = Place::new();
    place.write("mq.yaml", FILE);
    let begun = std::time::Instant::now();
    let ran = place.run(&[
        "verify",
        "--cloud",
        "aws",
        "--only",
        "recreated-is-new",
        "--quirk",
        "sqs-deleted-recently=60s",
    ]);
    ran.ends_with(0);
    assert!(
        begun.elapsed().as_secs() < 50,
        "it waited on the machine's clock"
    );
}

#[test]
fn settings_that_name_an_account_are_the_emulators() {
    let place = Place::new();
    let clouds = "clouds:
  aws: { region: eu-west-1, account: '111122223333' }
  azure: { namespace: acme-prod, tier: standard }
  gcp: { project: acme-prod, project_number: '4711' }
";
    place.write("mq.yaml", &format!("{FILE}{clouds}"));
    place.run(&["verify", "--only", TWICE]).ends_with(0);
}

#[test]
fn a_dead_letter_queue_of_someone_else_is_not_looked_for_on_the_emulator() {
    let place = Place::new();
    let file = "version: 1
stack: demo
clouds: { aws: { region: eu-west-1, account: '111122223333' } }
queues:
  orders:
    dead_letter: { queue: { aws: 'arn:aws:sqs:eu-west-1:111122223333:failures' } }
";
    place.write("mq.yaml", file);
    let verify = ["verify", "--only", TWICE];
    place.run(&verify).ends_with(0);
    place.write("mq.yaml", &file.replace("sqs:eu-west-1", "sqs:eu-west-2"));
    let ran = place.run(&verify);
    assert!(
        ran.ends_with(64)
            .stderr
            .contains("error[dead-letter/target]"),
        "{ran}"
    );
}

#[cfg(unix)]
mod interrupted {
    use std::collections::BTreeMap;
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::TcpStream;
    use std::process::Stdio;

    use rustix::process::{Pid, Signal, kill_process};

    use super::FILE;
    use crate::documents::validate;
    use crate::process::{Place, Ran};

    /// An emulator that stands for the clouds themselves: it outlives the command, and can be
    /// looked at.
    fn cloud() -> (Place, BTreeMap<String, String>) {
        let place = Place::new();
        place.write("mq.yaml", FILE);
        place
            .run(&["emulator", "start", "--quirk", "latency=20ms"])
            .ends_with(0);
        let ran = place.run(&["emulator", "status", "--output", "dotenv"]);
        let variables = ran.stdout.lines().filter_map(|line| line.split_once('='));
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        (place, variables.collect())
    }

    /// The addresses of all queues on that emulator.
    fn queues(variables: &BTreeMap<String, String>) -> String {
        let address = &variables["AWS_ENDPOINT_URL_SQS"];
        let address = address.strip_prefix("http://").expect("plain HTTP");
        let mut stream = TcpStream::connect(address).expect("it listens");
        let request = format!(
            "POST / HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/x-amz-json-1.0\r\n\
             X-Amz-Target: AmazonSQS.ListQueues\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}"
        );
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        answer
    }

    /// Runs until some cases are under way, and then sends the signal.
    fn interrupted(place: &Place, variables: &BTreeMap<String, String>, signal: Signal) -> Ran {
        let arguments = [
            "verify",
            "--live",
            "--cloud",
            "aws",
            "--output",
            "json",
            "--report",
            "junit=verify.xml",
            "-v",
        ];
        let mut child = place
            .command(&arguments)
            .envs(variables)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("mq runs");
        let mut stderr = BufReader::new(child.stderr.take().expect("a pipe"));
        let mut told = String::new();
        let mut ended = 0;
        // Some have ended and others are under way.
        while ended < 5 {
            let mut line = String::new();
            assert!(stderr.read_line(&mut line).expect("lines") > 0, "{told}");
            ended += usize::from(line.contains("ended cloud="));
            told.push_str(&line);
        }
        kill_process(Pid::from_child(&child), signal).expect("a signal");
        stderr.read_to_string(&mut told).expect("the rest");
        let output = child.wait_with_output().expect("ends");
        let mut ran = Ran::of(output);
        ran.stderr = told;
        ran
    }

    #[test]
    fn what_ran_is_reported_and_nothing_stays_behind() {
        let (place, variables) = cloud();
        for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
            let ran = interrupted(&place, &variables, signal);
            let document = ran.ends_with(code).json();
            validate("verify", &document);
            let report = &document["report"];
            assert_eq!(report["interrupted"], true);
            assert_eq!(document["clouds"][0]["outcome"], "interrupted");
            assert!(report["totals"]["passed"].as_u64() >= Some(1), "{ran}");
            assert_eq!(
                report["leftovers"].as_array().map(Vec::len),
                Some(0),
                "{ran}"
            );
            assert!(
                ran.stderr
                    .contains("came to an end, and what was made is removed"),
                "{ran}"
            );
            let xml = std::fs::read_to_string(place.path().join("verify.xml")).expect("a report");
            assert!(xml.contains("<testsuite "), "{xml}");
            std::fs::remove_file(place.path().join("verify.xml")).expect("removed");
            let queues = queues(&variables);
            assert!(!queues.contains("verify-"), "{queues}");
        }
    }

    #[test]
    fn what_is_looked_for_after_an_interrupt_would_be_seen() {
        let (place, variables) = cloud();
        let variables: Vec<(&str, &str)> = variables
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let provision = ["provision", "--cloud", "aws", "--stage", "verify-x"];
        place.run_with(&provision, &variables).ends_with(0);
        let owned = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let queues = queues(&owned);
        assert!(queues.contains("verify-x-orders"), "{queues}");
    }
}
