//! `--baseline`: exactly what is expected, no more and no less.

use std::fs;

use super::{TWICE, verify};
use crate::fake::World;

const MADE: &str = "created-as-stated";

struct Kept {
    world: World,
    file: String,
}

impl Kept {
    fn new() -> Kept {
        let world = World::new(&["one"], "  orders: {}");
        let file = world.path("expected.json").display().to_string();
        Kept { world, file }
    }

    fn run(&self, only: &[&str], more: &[&str]) -> crate::process::Ran {
        verify(
            &self.world,
            only,
            &[&["--baseline", &self.file], more].concat(),
        )
    }

    fn cases(&self) -> serde_json::Value {
        let text = fs::read_to_string(&self.file).expect("a baseline");
        let document: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        document["targets"]["one"].clone()
    }
}

#[test]
fn a_lost_and_a_gained_behaviour_both_fail() {
    let kept = Kept::new();
    let ran = kept.run(&[MADE], &[]);
    ran.ends_with(64);
    assert!(ran.stderr.contains("`--update-baseline`"), "{ran}");

    let ran = kept.run(&[MADE], &["--update-baseline"]);
    ran.ends_with(0);
    assert!(
        ran.stderr.contains("is written from this run: 2 changed"),
        "{ran}"
    );
    assert_eq!(kept.cases()["orders: control/created-as-stated"], "passed");
    kept.run(&[MADE], &[]).ends_with(0);

    kept.world.cloud(0).ignores_writes = true;
    let ran = kept.run(&[MADE], &[]);
    ran.ends_with(3);
    assert!(
        ran.stdout
            .contains("one: orders: control/created-as-stated: expected passed, and failed"),
        "{ran}"
    );
    assert!(
        ran.stderr
            .contains("2 results are not as [DIR]/expected.json expects"),
        "{ran}"
    );

    kept.run(&[MADE], &["--update-baseline"]).ends_with(0);
    kept.run(&[MADE], &[]).ends_with(0);
    kept.world.cloud(0).ignores_writes = false;
    let ran = kept.run(&[MADE], &[]);
    ran.ends_with(3);
    assert!(ran.stdout.contains("expected failed, and passed"), "{ran}");
}

#[test]
fn what_a_run_leaves_out_keeps_its_entry() {
    let kept = Kept::new();
    kept.run(&[MADE], &["--update-baseline"]).ends_with(0);
    kept.run(&[TWICE], &["--update-baseline"]).ends_with(0);
    let cases = kept.cases();
    assert_eq!(cases.as_object().expect("cases").len(), 4, "{cases}");
    let ran = kept.run(&["endpoints-stay"], &[]);
    ran.ends_with(3);
    assert!(
        ran.stdout.contains("not expected at all, and passed"),
        "{ran}"
    );
}

#[test]
fn a_file_that_is_no_baseline_is_refused_with_its_place_before_anything_is_run() {
    let kept = Kept::new();
    fs::write(&kept.file, "{ \"schema_version\": 1, \"targets\": [] }\n").expect("written");
    let ran = kept.run(&[MADE], &[]);
    ran.ends_with(64);
    assert!(ran.stderr.contains("line 1, column"), "{ran}");
    assert!(kept.world.cloud(0).writes.is_empty());
}

#[test]
fn a_run_that_is_cut_short_leaves_the_file_as_it_is() {
    let kept = Kept::new();
    kept.run(&[MADE], &["--update-baseline"]).ends_with(0);
    let before = kept.cases();
    kept.world.cloud(0).write_takes = std::time::Duration::from_millis(20);
    let more = [
        "--update-baseline",
        "--timeout",
        "100ms",
        "--parallelism",
        "1",
    ];
    let ran = kept.run(&[], &more);
    ran.ends_with(7);
    assert!(ran.stderr.contains("stays as it is"), "{ran}");
    assert_eq!(kept.cases(), before);
}

#[test]
fn nothing_executed_is_3_even_where_it_is_expected() {
    let kept = Kept::new();
    let only = ["wrong-account-is-refused"];
    kept.run(&only, &["--update-baseline"]).ends_with(3);
    kept.run(&only, &[]).ends_with(3);
}
