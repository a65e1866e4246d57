//! Commands that need no cloud, on a pipe, with and without colour.

use crate::process::Place;

const FILE: &str = "\
version: 1
stack: demo
clouds:
  aws: { region: eu-west-1 }
  azure: { namespace: acme-prod, tier: standard }
  gcp: { project: acme }
queues:
  orders: { visibility_timeout: 30s }
";

#[test]
fn help_is_a_result_and_wrong_use_is_not() {
    let place = Place::new();
    let help = place.run(&["--help"]);
    help.ends_with(0);
    assert!(
        help.stdout.contains("Exit codes:") && help.stderr.is_empty(),
        "{help}"
    );
    let version = place.run(&["--version"]);
    assert_eq!(
        version.ends_with(0).stdout,
        format!("mq {}\n", env!("CARGO_PKG_VERSION"))
    );
    let wrong = place.run(&["provision", "--colour"]);
    wrong.ends_with(64);
    assert!(
        wrong.stdout.is_empty() && wrong.stderr.starts_with("error: "),
        "{wrong}"
    );
    place.run(&[]).ends_with(64);
    place.run(&["sing"]).ends_with(64);
}

#[test]
fn wrong_use_is_a_document_too_where_one_is_expected() {
    let place = Place::new();
    let ran = place.run(&["provision", "--output", "json", "--colour"]);
    let document = ran.ends_with(64).json();
    assert_eq!(document["exit_code"], 64);
    assert!(
        document["error"]["what"]
            .as_str()
            .expect("what")
            .contains("--colour"),
        "{document}"
    );
    let ran = place.run(&["provision", "--output=json", "--cloud", "aws"]);
    assert_eq!(ran.ends_with(64).json()["command"], "provision");
}

#[test]
fn every_command_explains_itself() {
    let place = Place::new();
    for command in [
        "init",
        "check",
        "plan",
        "provision",
        "endpoint",
        "status",
        "destroy",
        "gc",
        "emulator",
        "explain",
        "schema",
        "completions",
        "man",
    ] {
        let help = place.run(&[command, "--help"]);
        help.ends_with(0);
        assert!(help.stdout.contains("Usage: mq"), "{help}");
    }
    for command in ["run", "exec", "start", "stop", "advance", "status"] {
        place.run(&["emulator", command, "--help"]).ends_with(0);
    }
}

#[test]
fn init_writes_a_file_that_passes_its_own_check_and_writes_over_nothing() {
    let place = Place::new();
    let ran = place.run(&["init"]);
    ran.ends_with(0);
    assert_eq!(ran.stdout, "");
    place.run(&["check"]).ends_with(0);
    insta::assert_snapshot!(place.run(&["init"]), @r"
    exit code: 5
    ----- stdout -----

    ----- stderr -----
    error: mq.yaml is there already
    hint: add `--force` to write over it, or `--file` to name another
    ");
    place.run(&["init", "--force"]).ends_with(0);
    place
        .run(&["init", "--file", "no/such/folder.yaml"])
        .ends_with(1);
}

#[test]
fn check_prints_the_matrix_on_stdout_alone() {
    let place = Place::new();
    place.write("mq.yaml", FILE);
    let ran = place.run(&["check", "--cloud", "aws", "--cloud", "gcp"]);
    ran.ends_with(0);
    assert!(ran.stdout.starts_with("orders\n  attribute"), "{ran}");
    let header = ran.stdout.lines().nth(1).expect("a header");
    assert!(
        header.ends_with("gcp") && header.contains("aws") && !header.contains("azure"),
        "{ran}"
    );
}

#[test]
fn the_tiers_that_the_file_leaves_open_stand_apart() {
    let place = Place::new();
    place.write("mq.yaml", &FILE.replace(", tier: standard", ""));
    let ran = place.run(&["check", "--cloud", "azure"]);
    ran.ends_with(0);
    let header = ran.stdout.lines().nth(1).expect("a header").to_lowercase();
    for tier in ["basic", "standard", "premium"] {
        assert!(header.contains(tier), "{ran}");
    }
}

#[test]
fn check_names_the_range_that_works_everywhere() {
    let place = Place::new();
    place.write("mq.yaml", &FILE.replace("30s", "11m"));
    let ran = place.run(&["check"]);
    ran.ends_with(64);
    assert!(
        ran.stdout
            .contains("visibility_timeout: 10s to 5m works everywhere"),
        "{ran}"
    );
}

#[test]
fn a_mistake_stands_at_its_line_with_the_word_that_was_meant() {
    let place = Place::new();
    place.write(
        "mq.yaml",
        &FILE.replace("visibility_timeout", "visibility_timeuot"),
    );
    insta::assert_snapshot!(place.run(&["check"]), @r"
    exit code: 64
    ----- stdout -----

    ----- stderr -----
    error[file/unknown-key]: unknown key
     --> mq.yaml:8:13
      |
    8 |   orders: { visibility_timeuot: 30s }
      |             ^^^^^^^^^^^^^^^^^^
      |
      = `visibility_timeuot` is not a key of a queue
      = hint: did you mean `visibility_timeout`?

    error: mq.yaml has 1 error
    ");
    let sarif = place
        .run(&["check", "--output", "sarif"])
        .ends_with(64)
        .json();
    assert_eq!(sarif["version"], "2.1.0");
    assert_eq!(
        sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"],
        8
    );
    let document = place
        .run(&["check", "--output", "json"])
        .ends_with(64)
        .json();
    assert_eq!(document["diagnostics"][0]["line"], 8);
    assert_eq!(document["error"]["exit_code"], 64);
}

#[test]
fn a_file_that_cannot_be_read_says_how_to_get_one() {
    let place = Place::new();
    insta::assert_snapshot!(place.run(&["check"]), @r"
    exit code: 64
    ----- stdout -----

    ----- stderr -----
    error: failed to read mq.yaml
      No such file or directory (os error 2)
    hint: write one with `mq init`, or name yours with `--file`
    ");
    place.write("latin.yaml", "");
    std::fs::write(place.path().join("latin.yaml"), b"stack: caf\xe9\n").expect("written");
    let ran = place.run(&["check", "--file", "latin.yaml"]);
    assert!(
        ran.ends_with(64).stderr.contains("not UTF-8 (byte 10)"),
        "{ran}"
    );
    place.run(&["check", "--file", "."]).ends_with(64);
}

#[test]
fn colour_is_there_only_where_it_is_wanted() {
    let place = Place::new();
    place.write(
        "mq.yaml",
        &FILE.replace("visibility_timeout", "visibility_timeuot"),
    );
    let coloured = |arguments: &[&str], variables: &[(&str, &str)]| {
        place
            .run_with(arguments, variables)
            .stderr
            .contains('\u{1b}')
    };
    let check = ["check"];
    assert!(!coloured(&check, &[]));
    assert!(coloured(&check, &[("CLICOLOR_FORCE", "1")]));
    assert!(!coloured(
        &check,
        &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]
    ));
    assert!(coloured(
        &["check", "--color", "always"],
        &[("NO_COLOR", "1")]
    ));
    assert!(!coloured(
        &["check", "--color", "never"],
        &[("CLICOLOR_FORCE", "1")]
    ));
    assert!(!coloured(&check, &[("CI", "true")]));
}

#[test]
fn explain_schema_completions_and_the_manual_come_from_the_types() {
    let place = Place::new();
    let list = place.run(&["explain"]);
    assert!(
        list.ends_with(0).stdout.contains("visibility_timeout"),
        "{list}"
    );
    let one = place.run(&["explain", "dead_letter.max_deliveries"]);
    assert!(
        one.ends_with(0).stdout.contains("MaxDeliveryCount"),
        "{one}"
    );
    let unknown = place.run(&["explain", "visibility_timeuot"]);
    assert!(
        unknown
            .ends_with(64)
            .stderr
            .contains("mq explain visibility_timeout"),
        "{unknown}"
    );
    let schema = place.run(&["schema"]).ends_with(0).json();
    assert!(schema["properties"]["queues"].is_object(), "{schema}");
    for shell in ["bash", "zsh", "fish", "powershell"] {
        assert!(
            place
                .run(&["completions", shell])
                .ends_with(0)
                .stdout
                .contains("provision")
        );
    }
    assert!(
        place.run(&["man"]).ends_with(0).stdout.starts_with(".ie"),
        "roff"
    );
}

#[test]
#[cfg(unix)]
fn a_reader_that_went_away_is_success() {
    let place = Place::new();
    place.write("mq.yaml", FILE);
    let mut child = place
        .command(&["check"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("mq runs");
    drop(child.stdout.take());
    assert!(child.wait().expect("ends").success());
}
