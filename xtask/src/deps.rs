//! The direction of dependencies: core <- config, suite, backends <- cli; engine <- emulator <- cli.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

const BACKENDS: [&str; 3] = ["mq-aws", "mq-azure", "mq-gcp"];
const SDKS: [&str; 6] = [
    "aws-config",
    "aws-sdk-sqs",
    "aws-sdk-sts",
    "azure_core",
    "azure_identity",
    "google-cloud-pubsub",
];

/// What a crate must not depend on, directly, and why.
fn forbidden() -> Vec<(&'static str, Vec<&'static str>, &'static str)> {
    let not_portable = [
        "clap",
        "serde_yaml",
        "mq-config",
        "mq-cli",
        "mq-engine",
        "mq-emulator",
    ];
    let mut rules = vec![
        (
            "mq-core",
            no_sdk_nor(&[&not_portable[..], &["mq-suite"]].concat()),
            "the portable logic knows no SDK, no command line and no file format",
        ),
        (
            "mq-suite",
            no_sdk_nor(&not_portable),
            "the suite proves every backend through the contract alone",
        ),
        (
            "mq-engine",
            vec![
                "tokio",
                "futures",
                "rand",
                "mq-core",
                "mq-suite",
                "mq-emulator",
                "mq-cli",
            ],
            "the engine has no clock, no network, no randomness and no async",
        ),
        (
            "mq-emulator",
            no_sdk_nor(&["mq-core", "mq-config", "mq-suite", "mq-cli"]),
            "an emulator that used a client's code could share its mistakes",
        ),
        (
            "mq-config",
            no_sdk_nor(&["mq-suite", "mq-cli", "mq-emulator"]),
            "the file is read before any cloud is chosen",
        ),
    ];
    for backend in BACKENDS {
        let others = BACKENDS.iter().copied().filter(|other| *other != backend);
        rules.push((
            backend,
            others
                .chain(["mq-cli", "mq-config", "mq-suite", "mq-emulator", "clap"])
                .collect(),
            "a backend stands alone: it translates for one service",
        ));
    }
    rules
}

/// No vendor's SDK, no backend, and none of these.
fn no_sdk_nor(others: &[&'static str]) -> Vec<&'static str> {
    [&SDKS[..], &BACKENDS, others].concat()
}

/// Reads the workspace's manifests through `cargo metadata` and reports every forbidden edge.
pub(crate) fn check(root: &Path) -> Result<()> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(root)
        .output()
        .context("failed to run `cargo metadata`")?;
    let metadata: Value =
        serde_json::from_slice(&output.stdout).context("failed to read `cargo metadata`")?;
    let edges = normal_dependencies(&metadata);
    let broken = broken_rules(&edges);
    if !broken.is_empty() {
        bail!(
            "dependencies in the wrong direction:\n  {}",
            broken.join("\n  ")
        );
    }
    println!(
        "dependency directions hold: {} crates, {} rules",
        edges.len(),
        forbidden().len()
    );
    Ok(())
}

fn broken_rules(edges: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let mut broken = Vec::new();
    for (from, banned, why) in forbidden() {
        let Some(dependencies) = edges.get(from) else {
            broken.push(format!("{from} is in no manifest, but has a rule"));
            continue;
        };
        for to in banned.into_iter().filter(|to| dependencies.contains(*to)) {
            broken.push(format!("{from} -> {to}: {why}"));
        }
    }
    broken
}

fn normal_dependencies(metadata: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let name = |value: &Value| value["name"].as_str().unwrap_or_default().to_owned();
    list(&metadata["packages"])
        .iter()
        .map(|package| {
            let normal = list(&package["dependencies"])
                .into_iter()
                .filter(|dependency| dependency["kind"].is_null());
            (
                name(package),
                normal.map(|dependency| name(&dependency)).collect(),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forbidden_edge_is_found_and_a_missing_crate_too() {
        let mut edges: BTreeMap<String, BTreeSet<String>> = forbidden()
            .into_iter()
            .map(|(from, ..)| (from.to_owned(), BTreeSet::new()))
            .collect();
        assert!(broken_rules(&edges).is_empty());
        edges
            .entry("mq-aws".into())
            .or_default()
            .insert("mq-gcp".into());
        assert_eq!(broken_rules(&edges).len(), 1);
        edges.remove("mq-core");
        assert_eq!(broken_rules(&edges).len(), 2);
    }
}
