//! The vendors' own clients as judges of the emulator's messages: each case of each judge is a
//! trial; those of one judge share an emulator with a manual clock, and take turns, since each moves
//! the time.
//!
//! Without its programs a judge is listed as ignored, with the reason; `MQ_REQUIRE_JUDGES=1` makes
//! that a failure.

#![expect(
    clippy::print_stdout,
    reason = "why a judge is absent is part of the report"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex, PoisonError};

use libtest_mimic::{Arguments, Failed, Trial};
use tempfile::TempDir;

use crate::binary;

/// One judge: the program that runs it, and what shows that it can run.
#[derive(Debug)]
pub struct Judge {
    /// What it is called.
    pub name: &'static str,
    /// What runs it.
    pub interpreter: String,
    /// Its program, in `tests/interop`.
    pub script: &'static str,
    /// What the interpreter runs to show that it can.
    pub probe: [&'static str; 2],
    /// Where what it needs comes from.
    pub install: &'static str,
    /// The case that ends the server and starts it again, and so has one of its own.
    pub restart: Option<&'static str>,
    /// Its emulator, once a case has started one.
    pub emulator: Mutex<Option<Emulator>>,
}

/// The interpreter that this variable names, or the usual one.
#[must_use]
pub fn interpreter(variable: &str, usual: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| usual.to_owned())
}

/// Lets all of them judge, and ends the process.
pub fn judge_by(judges: impl IntoIterator<Item = Judge>) -> ! {
    let arguments = Arguments::from_args();
    let judges: Vec<Arc<Judge>> = judges.into_iter().map(Arc::new).collect();
    let required = std::env::var_os("MQ_REQUIRE_JUDGES").is_some();
    let trials = judges
        .iter()
        .flat_map(|judge| trials(judge, required))
        .collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    for judge in &judges {
        // Here, since leaving the process runs no destructors.
        drop(judge.turn().take());
    }
    conclusion.exit()
}

/// A trial for each case, or one that says why there is none.
fn trials(judge: &Arc<Judge>, required: bool) -> Vec<Trial> {
    let none = |why: String| Trial::test(judge.name, move || Err(why.into()));
    if !judge.here() {
        let why = format!(
            "{} is not installed for `{}` (see {})",
            judge.name, judge.interpreter, judge.install
        );
        if !required {
            println!("ignored: {why}");
        }
        return vec![none(why).with_ignored_flag(!required)];
    }
    let cases = match judge.cases() {
        Ok(cases) => cases,
        Err(failed) => return vec![none(failed.message().unwrap_or_default().to_owned())],
    };
    let trial = |case: String| {
        let judge = Arc::clone(judge);
        Trial::test(format!("{}::{case}", judge.name), move || judge.run(&case))
    };
    cases.into_iter().map(trial).collect()
}

impl Judge {
    fn command(&self) -> Command {
        let mut command = Command::new(&self.interpreter);
        let script = root().join("tests/interop").join(self.script);
        // Where Node looks for what `require` in the probe names.
        command.current_dir(script.parent().unwrap());
        command
    }

    fn here(&self) -> bool {
        let probed = self.command().args(self.probe).output();
        probed.is_ok_and(|output| output.status.success())
    }

    fn script(&self, arguments: &[&str]) -> Command {
        let mut command = self.command();
        command
            .arg(root().join("tests/interop").join(self.script))
            .args(arguments);
        command
    }

    fn cases(&self) -> Result<Vec<String>, Failed> {
        let listed = self.script(&["--list"]).output()?;
        check("--list", &listed)?;
        let cases: Vec<_> = text(&listed.stdout).lines().map(str::to_owned).collect();
        if let Some(restart) = self.restart
            && !cases.iter().any(|case| case == restart)
        {
            return Err(format!("{} lists no {restart}", self.script).into());
        }
        if cases.len() < 10 {
            return Err(format!("{} lists {cases:?}", self.script).into());
        }
        Ok(cases)
    }

    /// The turn of one case. A case that has failed leaves its emulator to the next.
    fn turn(&self) -> std::sync::MutexGuard<'_, Option<Emulator>> {
        self.emulator.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, case: &str) -> Result<(), Failed> {
        if Some(case) == self.restart {
            let emulator = Emulator::start()?;
            return emulator.judge(case, self.script(&[case]));
        }
        let mut turn = self.turn();
        if turn.is_none() {
            *turn = Some(Emulator::start()?);
        }
        let emulator = turn.as_ref().unwrap();
        emulator.judge(case, self.script(&[case]))
    }
}

/// A background emulator with a manual clock, and the variables that lead to it.
#[derive(Debug)]
pub struct Emulator {
    state: TempDir,
    variables: Vec<(String, String)>,
}

impl Emulator {
    fn start() -> Result<Self, Failed> {
        let mut emulator = Emulator {
            state: tempfile::tempdir()?,
            variables: Vec::new(),
        };
        let started = mq(
            emulator.state.path(),
            &["emulator", "start", "--clock", "manual"],
        );
        check("emulator start", &started)?;
        let status = ["emulator", "status", "--output", "dotenv"];
        let variables = mq(emulator.state.path(), &status);
        check("emulator status", &variables)?;
        let of = |line: &str| {
            let (name, value) = line.split_once('=')?;
            Some((name.to_owned(), value.to_owned()))
        };
        emulator.variables = text(&variables.stdout).lines().filter_map(of).collect();
        Ok(emulator)
    }

    /// The case has run and is well: nothing is skipped in this emulator.
    fn judge(&self, case: &str, mut script: Command) -> Result<(), Failed> {
        let output = script
            .env("MQ_EMULATOR_STATE", self.state.path())
            .env("MQ_BINARY", binary::mq())
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .output()?;
        check(case, &output)?;
        let said = text(&output.stdout);
        if said.lines().next() == Some(&format!("ok {case}")) {
            Ok(())
        } else {
            Err(format!("it was not judged: {said}").into())
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        drop(mq(self.state.path(), &["emulator", "stop"]));
    }
}

fn mq(state: &Path, arguments: &[&str]) -> Output {
    Command::new(binary::mq())
        .args(arguments)
        .env("MQ_EMULATOR_STATE", state)
        .output()
        .unwrap()
}

fn check(what: &str, output: &Output) -> Result<(), Failed> {
    if output.status.success() {
        return Ok(());
    }
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    Err(format!("{what} ended with {}\n{out}\n{err}", output.status).into())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}
