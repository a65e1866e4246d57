//! Pub/Sub's data plane, judged by the vendor's own client for Python: each of its cases is a test,
//! on an emulator whose clock stands still until the judge moves it.
//!
//! A judge that is not here is listed as ignored, with the reason; `MQ_REQUIRE_JUDGES=1` makes that
//! a failure. `MQ_PYTHON` names the interpreter that has it.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops where something cannot be set up"
)]
#![expect(clippy::print_stdout, reason = "which judge is not here is told")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use libtest_mimic::{Arguments, Failed, Trial};
use mq_tests::binary;

/// A judge: its name, its program, and what it must be able to import.
const JUDGES: [(&str, &str, &str); 1] = [(
    "google-cloud-pubsub",
    "pubsub_python.py",
    "import google.cloud.pubsub_v1",
)];

fn main() {
    let arguments = Arguments::from_args();
    let python = std::env::var("MQ_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let required = std::env::var_os("MQ_REQUIRE_JUDGES").is_some();
    let mut trials = Vec::new();
    for (judge, program, import) in JUDGES {
        let here = run(Command::new(&python).args(["-c", import])).is_ok();
        if !here {
            println!(
                "ignored: {judge} is not installed for `{python}` (see tests/requirements.txt)"
            );
            let absent = Trial::test(judge, move || {
                Err(format!("{judge} is not installed").into())
            });
            trials.push(absent.with_ignored_flag(!required));
            continue;
        }
        let court = Arc::new(Court::new(python.clone(), program));
        for case in court.cases() {
            let court = Arc::clone(&court);
            trials.push(Trial::test(format!("{judge}: {case}"), move || {
                court.judge(&case)
            }));
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}

/// One judge with an emulator of its own, which the first case starts.
struct Court {
    python: String,
    program: &'static str,
    state: tempfile::TempDir,
    /// The emulator's variables. Held for a whole case: a clock that one case moves is all cases'.
    variables: Mutex<Option<Vec<(String, String)>>>,
}

impl Court {
    fn new(python: String, program: &'static str) -> Self {
        Court {
            python,
            program,
            state: tempfile::tempdir().unwrap(),
            variables: Mutex::default(),
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.python);
        command.arg(folder().join(self.program));
        command
    }

    /// Listing needs the variables' names and no service.
    fn cases(&self) -> Vec<String> {
        let mut command = self.command();
        command.arg("--list").envs([
            ("PUBSUB_PROJECT_ID", "none"),
            ("PUBSUB_EMULATOR_HOST", "127.0.0.1:1"),
        ]);
        let listed = run(&mut command).unwrap();
        let cases: Vec<String> = listed.lines().map(str::to_owned).collect();
        assert!(cases.len() >= 10, "{} lists {cases:?}", self.program);
        cases
    }

    fn judge(&self, case: &str) -> Result<(), Failed> {
        let mut variables = self.variables.lock().unwrap();
        let variables = match &mut *variables {
            Some(variables) => variables,
            none => none.insert(self.start()?),
        };
        let mut command = self.command();
        command
            .arg(case)
            .envs(variables.iter().cloned())
            .env("MQ_EMULATOR_STATE", self.state.path())
            .env("MQ_BINARY", binary::mq());
        Ok(run(&mut command).map(|_| ())?)
    }

    fn start(&self) -> Result<Vec<(String, String)>, String> {
        let ports = ["sqs", "pubsub", "servicebus-admin", "console"];
        let mut start = self.mq(&["emulator", "start", "--clock", "manual"]);
        for port in ports {
            start.args(["--port", &format!("{port}=0")]);
        }
        run(&mut start)?;
        let variables = run(&mut self.mq(&["emulator", "status", "--output", "dotenv"]))?;
        let pairs = variables.lines().filter_map(|line| line.split_once('='));
        Ok(pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect())
    }

    fn mq(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary::mq());
        command
            .args(arguments)
            .env("MQ_EMULATOR_STATE", self.state.path());
        command
    }
}

impl Drop for Court {
    fn drop(&mut self) {
        // Where none runs there is nothing to stop.
        let _ = run(&mut self.mq(&["emulator", "stop"]));
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("interop")
}

/// What the command printed; what it complained of, where it failed.
fn run(command: &mut Command) -> Result<String, String> {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().map_err(|error| error.to_string())?;
    let printed = String::from_utf8_lossy(&stdout).into_owned();
    if status.success() {
        return Ok(printed);
    }
    Err(format!(
        "{status}\n{printed}\n{}",
        String::from_utf8_lossy(&stderr)
    ))
}
