//! The material for other people's CI, carried out as their CI would: each step's shell in a real
//! bash, with the built `mq`, and each file held to its vendor's schema.
//!
//! The schemas are those of `check-jsonschema`; without it their tests are listed as ignored, with
//! the reason, and `MQ_REQUIRE_JUDGES=1` makes that a failure. `MQ_PYTHON` names the interpreter
//! that has it. Where there is no bash of the usual kind, as on Windows, the shells are ignored too.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops where something cannot be set up"
)]
#![expect(clippy::print_stdout, reason = "what is ignored is part of the report")]

mod github;
mod gitlab;
mod on_github;
mod on_gitlab;
mod pages;
mod project;
mod schemas;

use std::path::{Path, PathBuf};

use libtest_mimic::{Arguments, Trial};
use serde_json::Value;

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = schemas::trials();
    trials.extend(pages::trials());
    let mut shells = on_github::trials();
    shells.extend(on_gitlab::trials());
    shells.extend(pages::shells());
    let shells = shells.into_iter();
    trials.extend(shells.map(|trial| trial.with_ignored_flag(cfg!(windows))));
    if cfg!(windows) {
        println!("ignored: the shells are those of Unix");
    }
    libtest_mimic::run(&arguments, trials).exit();
}

/// A test that fails by panicking.
fn trial(name: &str, test: fn()) -> Trial {
    Trial::test(name, move || {
        test();
        Ok(())
    })
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// A file of the repository, whatever ends its lines in this checkout.
fn text(path: &str) -> String {
    let text = std::fs::read_to_string(root().join(path)).unwrap();
    text.replace("\r\n", "\n")
}

/// A YAML file of the repository.
fn yaml(path: &str) -> Value {
    serde_yaml::from_str(&text(path)).unwrap()
}
