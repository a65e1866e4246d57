//! What README and the guide show is what comes out.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops where something cannot be set up"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use mq_tests::binary;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

fn mq(state: &Path, arguments: &[&str]) -> Output {
    Command::new(binary::mq())
        .args(arguments)
        .current_dir(root())
        .env("MQ_EMULATOR_STATE", state)
        .output()
        .unwrap()
}

/// `:43125` becomes `:PORT`.
fn without_ports(text: &str) -> String {
    let mut parts = text.split(':');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|digit: char| digit.is_ascii_digit());
        plain.push(':');
        plain.push_str(if rest.len() < part.len() { "PORT" } else { "" });
        plain.push_str(rest);
    }
    plain
}

#[test]
fn the_readmes_first_command_prints_what_the_readme_shows() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let command = readme
        .lines()
        .find_map(|line| line.strip_prefix("$ cargo run -- "))
        .unwrap();
    let shown = readme
        .split("```text\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .unwrap();
    let state = tempfile::tempdir().unwrap();
    let output = mq(state.path(), &command.split(' ').collect::<Vec<_>>());
    mq(state.path(), &["emulator", "stop"]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(
        without_ports(&String::from_utf8(output.stdout).unwrap()),
        without_ports(shown)
    );
}

/// `in 16.3 s` becomes `in TIME`: it is the last thing that a run says.
fn without_time(text: &str) -> String {
    let said = text.rsplit_once(" in ");
    said.map_or_else(
        || text.to_owned(),
        |(counts, _)| format!("{counts} in TIME"),
    )
}

#[test]
fn the_readmes_table_of_behaviours_is_what_a_run_prints() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let (_, section) = readme.split_once("$ cargo run -- verify ").unwrap();
    let arguments = section.lines().next().unwrap().split(' ');
    let (_, shown) = section.split_once("```text\n").unwrap();
    let (table, sum) = shown
        .split_once("```")
        .unwrap()
        .0
        .split_once("…\n")
        .unwrap();
    let state = tempfile::tempdir().unwrap();
    let command: Vec<&str> = std::iter::once("verify").chain(arguments).collect();
    let output = mq(state.path(), &command);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(!table.is_empty() && printed.contains(table), "{printed}");
    let last = printed.lines().last().unwrap();
    assert_eq!(without_time(last), without_time(sum.trim_end()));
}

#[test]
fn every_shipped_file_passes_check() {
    let state = tempfile::tempdir().unwrap();
    let mut checked = 0;
    for entry in std::fs::read_dir(root().join("configs")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let arguments = ["check", "-f", path.to_str().unwrap()];
        let output = mq(state.path(), &arguments);
        assert!(
            output.status.success(),
            "{}: {}",
            path.display(),
            String::from_utf8_lossy(&output.stderr)
        );
        checked += 1;
    }
    assert!(checked >= 5, "{checked} files");
}

#[test]
fn the_yaml_in_the_readme_is_a_valid_file() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let yaml = readme
        .split("```yaml\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mq.yaml");
    std::fs::write(&file, yaml).unwrap();
    let output = mq(folder.path(), &["check", "-f", file.to_str().unwrap()]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
