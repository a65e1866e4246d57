//! Which cases are run.

use std::collections::BTreeSet;

use super::{TWICE, verify};
use crate::documents::validate;
use crate::fake::World;
use crate::process::{Place, Ran};

const FILE: &str = "  orders: {}\n  old: {}";

#[test]
fn a_list_needs_no_cloud_and_no_file() {
    let place = Place::new();
    let ran = place.run(&["verify", "--list", "--only", TWICE]);
    ran.ends_with(0);
    let promise = "Destroying what is gone succeeds and does nothing.";
    assert_eq!(
        ran.stdout,
        format!("control\tcontrol/{TWICE}\taws,azure,gcp\t{promise}\n")
    );

    let world = World::new(&["one", "two"], FILE);
    for index in [0, 1] {
        world.cloud(index).unreachable = Some(mq_core::ErrorKind::Unauthenticated);
    }
    let list = ["verify", "--list", "--only", TWICE, "--queue", "orders"];
    let ran = world.run(&list);
    ran.ends_with(0);
    assert_eq!(
        ran.stdout,
        format!(
            "control\torders: control/{TWICE}\tone,two\t{promise}\n\
             control\tcontrol/{TWICE}\tone,two\t{promise}\n"
        )
    );
    let document = world
        .run(&[&list[..], &["--output", "json"]].concat())
        .json();
    validate("verify", &document);
    assert_eq!(document["cases"][0]["queue"], "orders");
    assert_eq!(document["cases"][1]["case"], format!("control/{TWICE}"));
}

#[test]
fn a_list_of_a_file_with_stages_needs_no_stage() {
    let world = World::new(&["one"], FILE);
    let path = world.path("mq.yaml");
    let text = std::fs::read_to_string(&path).expect("the file");
    std::fs::write(
        &path,
        format!("{text}stages: {{ dev: {{}}, prod: {{}} }}\n"),
    )
    .expect("written");
    let ran = world.run(&["verify", "--list", "--only", TWICE]);
    assert_eq!(ran.ends_with(0).stdout.lines().count(), 3, "{ran}");
}

/// The case and the cloud of each case of a list.
fn pairs(ran: &Ran) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for line in ran.stdout.lines() {
        let columns: Vec<&str> = line.split('\t').collect();
        assert_eq!(columns.len(), 4, "{line}");
        let clouds = columns[2].split(',');
        pairs.extend(clouds.map(|cloud| (columns[1].to_owned(), cloud.to_owned())));
    }
    pairs
}

#[test]
fn the_parts_of_a_run_are_the_whole_and_none_is_in_two() {
    let world = World::new(&["one", "two"], FILE);
    let all = pairs(&world.run(&["verify", "--list"]));
    assert!(all.len() > 50, "{all:?}");
    for count in [1, 2, 3, 7] {
        let parts = (1..=count).flat_map(|index| {
            let shard = format!("{index}/{count}");
            pairs(&world.run(&["verify", "--list", "--shard", &shard]))
        });
        let parts: Vec<(String, String)> = parts.collect();
        assert_eq!(parts.len(), all.len(), "in {count} parts");
        let union: BTreeSet<_> = parts.into_iter().collect();
        assert_eq!(union, all.iter().cloned().collect(), "in {count} parts");
    }
}

#[test]
fn a_part_runs_its_cases_and_no_other() {
    let world = World::new(&["one", "two"], FILE);
    let shard = ["--shard", "2/2", "--output", "json"];
    let document = verify(&world, &[TWICE], &shard).json();
    assert_eq!(document["report"]["shard"], "2/2");
    let rows = document["report"]["rows"].as_array().expect("rows");
    // Of three behaviours the second, on every cloud: side by side is what a run is looked at for.
    assert_eq!(rows.len(), 1);
    for column in [0, 1] {
        assert_eq!(rows[0]["cells"][column]["outcome"], "passed", "{document}");
    }
}

#[test]
fn only_the_chosen_queues_are_copied() {
    let world = World::new(&["one"], FILE);
    let some = ["--queue", "old", "--output", "json", "--group", "control"];
    let document = verify(&world, &[TWICE, "endpoints-stay"], &some).json();
    let rows = document["report"]["rows"].as_array().expect("rows");
    let names: Vec<String> = rows
        .iter()
        .map(|row| format!("{} {}", row["queue"], row["behaviour"]))
        .collect();
    assert_eq!(
        names,
        [
            r#""old" "control/endpoints-stay""#,
            r#""old" "control/destroy-twice""#,
            r#"null "control/endpoints-stay""#,
            r#"null "control/destroy-twice""#,
        ]
    );
}

#[test]
fn words_that_mean_nothing_are_refused_with_what_was_probably_meant() {
    let world = World::new(&["one"], FILE);
    for (arguments, hint) in [
        (
            &["--only", "destroy-twise"][..],
            "did you mean `--only 'destroy-twice'`?",
        ),
        (&["--only", "zzz"], "`mq verify --list` prints them"),
        (&["--group", "controll"], "control"),
        (&["--shard", "4/3"], "2/3"),
        (&["--report", "pdf=x"], "junit, json, markdown or html"),
        (&["--update-baseline"], "--baseline"),
        (&["--quirk", "latency=1s"], "--live"),
        (&["--seed", "1"], "--live"),
        (&["--cloud", "three"], "known are"),
        (&["--queue", "orderz"], "did you mean `orders`?"),
        (&["--parallelism", "0"], "1..=256"),
    ] {
        let ran = verify(&world, &[], arguments);
        ran.ends_with(64);
        assert!(ran.stderr.contains(hint), "{ran}");
    }
    let ran = world.run(&["verify", "--quirk", "latensy=1s"]);
    ran.ends_with(64);
    assert!(ran.stderr.contains("latency"), "{ran}");
    assert!(world.cloud(0).writes.is_empty());
}
