//! The README's main job, judged by the vendors' own Python clients, which were not written here.
//!
//! Without them these tests are listed as ignored, with the reason; `MQ_REQUIRE_JUDGES=1` makes
//! that a failure. `MQ_PYTHON` names the interpreter that has them.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops where something cannot be set up"
)]
#![expect(
    clippy::print_stdout,
    reason = "what the judges saw is part of the report"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use libtest_mimic::{Arguments, Failed, Trial};
use mq_tests::binary;

fn main() {
    let arguments = Arguments::from_args();
    let python = std::env::var("MQ_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let required = std::env::var_os("MQ_REQUIRE_JUDGES").is_some();
    let judges = [
        ("boto3", "aws_quickstart.py", "import boto3"),
        (
            "google-cloud-pubsub",
            "gcp_quickstart.py",
            "import google.cloud.pubsub_v1",
        ),
        (
            "azure-servicebus",
            "azure_quickstart.py",
            "import azure.servicebus.management",
        ),
    ];
    let trials = judges
        .into_iter()
        .map(|(judge, script, import)| {
            let here = Command::new(&python)
                .args(["-c", import])
                .output()
                .is_ok_and(|output| output.status.success());
            if !here {
                println!(
                    "ignored: {judge} is not installed for `{python}` (see tests/requirements.txt)"
                );
            }
            let python = python.clone();
            let trial = Trial::test(format!("{judge} sees the quickstart as asked"), move || {
                if here {
                    judged(&python, script)
                } else {
                    Err(format!("{judge} is not installed").into())
                }
            });
            trial.with_ignored_flag(!here && !required)
        })
        .collect();
    libtest_mimic::run(&arguments, trials).exit();
}

/// Provisions the quickstart on all clouds, twice, and asks the judge what it sees.
fn judged(python: &str, script: &str) -> Result<(), Failed> {
    let state = tempfile::tempdir().unwrap();
    let _emulator = Stop(state.path().to_owned());
    let provision = [
        "provision",
        "-f",
        "configs/quickstart.yaml",
        "--cloud",
        "all",
        "--emulator",
    ];
    let first = mq(state.path(), &provision);
    check("the first run", &first)?;
    let lines = String::from_utf8(first.stdout).unwrap();
    for line in lines.lines() {
        if line.split('\t').count() != 4 {
            return Err(format!("stdout has something else than endpoints: {line:?}").into());
        }
    }
    let second = mq(
        state.path(),
        &[&provision[..], &["--output", "json"]].concat(),
    );
    check("the second run", &second)?;
    let environment = mq(state.path(), &["emulator", "status", "--output", "dotenv"]);
    check("emulator status", &environment)?;
    let variables = String::from_utf8(environment.stdout).unwrap();
    let variables = variables.lines().filter_map(|line| line.split_once('='));
    let judge = Command::new(python)
        .arg(root().join("tests/interop").join(script))
        .envs(variables)
        .output()
        .map_err(|error| error.to_string())?;
    check(script, &judge)?;
    print!("{}", String::from_utf8_lossy(&judge.stdout));
    Ok(())
}

fn mq(state: &Path, arguments: &[&str]) -> Output {
    Command::new(binary::mq())
        .args(arguments)
        .current_dir(root())
        .env("MQ_EMULATOR_STATE", state)
        .output()
        .unwrap()
}

fn check(what: &str, output: &Output) -> Result<(), Failed> {
    if output.status.success() {
        return Ok(());
    }
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    Err(format!("{what} ended with {}\n{out}\n{err}", output.status).into())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// Stops the background emulator of this state folder at the end, however it comes.
struct Stop(PathBuf);

impl Drop for Stop {
    fn drop(&mut self) {
        drop(mq(&self.0, &["emulator", "stop"]));
    }
}
