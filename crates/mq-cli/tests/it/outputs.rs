//! The forms in which endpoints are printed.

use std::fs;

use crate::fake::World;

const DEAD_LETTERS: &str = "  in-bound: { dead_letter: {} }\n  outbound: {}";

fn provisioned() -> World {
    let world = World::new(&["fake"], DEAD_LETTERS);
    world.run(&["provision", "--cloud", "fake"]).ends_with(0);
    world
}

#[test]
fn every_form_of_endpoint() {
    let world = provisioned();
    for (arguments, stdout) in [
        (
            &[][..],
            "fake\tin-bound\tqueue\tfake://fake/in-bound\nfake\toutbound\tqueue\tfake://fake/outbound\n",
        ),
        (
            &["--role", "dead-letter"],
            "fake\tin-bound\tdead-letter\tfake://fake/in-bound-dlq\n",
        ),
        (
            &["outbound"],
            "fake\toutbound\tqueue\tfake://fake/outbound\n",
        ),
        (&["--queue", "outbound", "--raw"], "fake://fake/outbound\n"),
        (
            &["--output", "env"],
            "export MQ_IN_BOUND_FAKE_QUEUE='fake://fake/in-bound'\nexport MQ_OUTBOUND_FAKE_QUEUE='fake://fake/outbound'\n",
        ),
        (
            &["--output", "dotenv"],
            "MQ_IN_BOUND_FAKE_QUEUE=fake://fake/in-bound\nMQ_OUTBOUND_FAKE_QUEUE=fake://fake/outbound\n",
        ),
    ] {
        for command in ["endpoint", "provision"] {
            let positional = arguments
                .first()
                .is_some_and(|first| !first.starts_with('-'));
            if command == "provision" && positional {
                continue;
            }
            let all: Vec<&str> = [command, "--cloud", "fake"]
                .iter()
                .chain(arguments)
                .copied()
                .collect();
            let ran = world.run(&all);
            ran.ends_with(0);
            assert_eq!(ran.stdout, stdout, "{all:?}");
        }
    }
}

#[test]
fn raw_wants_exactly_one_and_says_so_before_anything_is_written() {
    let world = World::new(&["fake"], DEAD_LETTERS);
    let ran = world.run(&["provision", "--cloud", "fake", "--raw"]);
    ran.ends_with(64);
    assert_eq!(ran.stdout, "");
    assert!(world.cloud(0).writes.is_empty());
    world.run(&["provision", "--cloud", "fake"]).ends_with(0);
    world
        .run(&["endpoint", "--cloud", "fake", "--raw"])
        .ends_with(64);
    world
        .run(&[
            "endpoint",
            "--cloud",
            "fake",
            "--raw",
            "--role",
            "dead-letter",
        ])
        .ends_with(0);
}

#[test]
fn two_names_that_become_one_variable_are_refused_before_anything_is_written() {
    let world = World::new(&["fake"], "  a-b: {}\n  a_b: {}");
    let ran = world.run(&["provision", "--cloud", "fake", "--output", "env"]);
    ran.ends_with(64);
    assert!(ran.stderr.contains("MQ_A_B_FAKE_QUEUE"), "{ran}");
    assert!(world.cloud(0).writes.is_empty());
    world
        .run(&["provision", "--cloud", "fake", "--output", "json"])
        .ends_with(0);
}

#[test]
fn what_is_not_there_is_told_and_what_is_there_is_printed() {
    let world = World::new(&["fake"], DEAD_LETTERS);
    world
        .run(&["provision", "--cloud", "fake", "--queue", "outbound"])
        .ends_with(0);
    insta::assert_snapshot!(world.run(&["endpoint", "--cloud", "fake"]), @r"
    exit code: 1
    ----- stdout -----
    fake	outbound	queue	fake://fake/outbound

    ----- stderr -----
    error: fake: 1 queue not there: in-bound
    hint: make them with `mq provision --cloud fake`
    ");
}

#[test]
fn github_reads_endpoints_changes_and_the_code() {
    let world = World::new(&["fake"], "  orders: {}");
    let output = world.path("output");
    let summary = world.path("summary");
    fs::write(&output, "before=1\n").expect("written");
    let variables = [
        ("GITHUB_OUTPUT", output.to_str().expect("Unicode")),
        ("GITHUB_STEP_SUMMARY", summary.to_str().expect("Unicode")),
    ];
    let read = || {
        let text = fs::read_to_string(&output).expect("outputs");
        let delimiter = text
            .lines()
            .find_map(|line| line.split_once("<<"))
            .map(|(_, delimiter)| delimiter.to_owned())
            .expect("a delimiter");
        text.replace(&delimiter, "[D]")
    };
    let plan = [
        "plan",
        "--cloud",
        "fake",
        "--output",
        "github",
        "--detailed-exitcode",
    ];
    world.run_with(&plan, &variables).ends_with(0);
    assert_eq!(
        read(),
        "before=1\nchanges<<[D]\ntrue\n[D]\nexitcode<<[D]\n2\n[D]\n"
    );
    assert!(
        fs::read_to_string(&summary)
            .expect("a summary")
            .contains("### fake (fake-scope)")
    );

    fs::write(&output, "").expect("written");
    let provision = ["provision", "--cloud", "fake", "--output", "github"];
    let ran = world.run_with(&provision, &variables);
    ran.ends_with(0);
    assert_eq!(ran.stdout, "fake\torders\tqueue\tfake://fake/orders\n");
    let text = fs::read_to_string(&output).expect("outputs");
    for expected in [
        "endpoints<<",
        "MQ_ORDERS_FAKE_QUEUE<<",
        "\nfake://fake/orders\n",
        "changes<<",
        "\ntrue\n",
        "exitcode<<",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }

    fs::write(&output, "").expect("written");
    world.write("  orders: { visibility_timeout: 11m }");
    world.run_with(&plan, &variables).ends_with(64);
    assert_eq!(read(), "exitcode<<[D]\n64\n[D]\n");
    world.run(&plan).ends_with(64);
}

#[test]
fn a_report_is_written_where_it_is_asked_for() {
    let world = World::new(&["fake"], "  orders: {}");
    let report = format!("--report=markdown={}", world.path("plan.md").display());
    world
        .run(&["plan", "--cloud", "fake", &report])
        .ends_with(0);
    let text = fs::read_to_string(world.path("plan.md")).expect("a report");
    assert!(
        text.starts_with("## Plan\n\n### fake (fake-scope)\n\n```text\nmq will perform"),
        "{text}"
    );
    world
        .run(&["plan", "--cloud", "fake", "--report", "html=x"])
        .ends_with(64);
}
