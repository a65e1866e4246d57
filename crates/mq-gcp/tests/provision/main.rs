//! The Pub/Sub backend over real sockets: against `mq`'s own emulator, against Google's where it
//! is found, and against servers that misbehave.
//!
//! Google's emulator is a judge that was not written here. It is never required; where it or a
//! Java runtime is absent, and where it has a hole, its tests are listed as ignored, with the
//! reason in brackets before the name.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops where something cannot be set up"
)]

mod cases;
mod faults;
mod google;
mod server;
mod session;
mod specs;

use std::future::Future;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};
use mq_emulator::{Config, Emulator, Ports};
use tokio::runtime::Runtime;

use crate::google::GoogleEmulator;
use crate::session::Place;

/// A test's work; it panics where a promise is broken.
type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A test that brings its own subject.
type OwnCase = (&'static str, fn() -> Work);

/// A test that runs against any subject.
struct Case {
    name: &'static str,
    /// What Google's emulator lacks for it.
    hole: Option<&'static str>,
    run: fn(Place) -> Work,
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let runtime = Arc::new(Runtime::new().unwrap());
    let own = runtime.block_on(own_emulator());
    let google = GoogleEmulator::find(&arguments);
    let mut trials = Vec::new();
    for case in cases::CASES {
        let place = Place::own(&own, case.name);
        trials.push(trial(&runtime, format!("own::{}", case.name), case, place));
        trials.push(match (&google, case.hole) {
            (_, Some(hole)) => absent(case, hole),
            (Err(why), None) => absent(case, why),
            (Ok(google), None) => {
                let place = Place::google(google.host(), case.name);
                trial(&runtime, format!("google::{}", case.name), case, place)
            }
        });
    }
    for (name, run) in cases::OWN.iter().chain(faults::FAULTS) {
        let runtime = Arc::clone(&runtime);
        trials.push(Trial::test(*name, move || {
            runtime.block_on(run());
            Ok(())
        }));
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    drop(google);
    conclusion.exit_code()
}

fn trial(runtime: &Arc<Runtime>, name: String, case: &Case, place: Place) -> Trial {
    let (runtime, run) = (Arc::clone(runtime), case.run);
    Trial::test(name, move || {
        runtime.block_on(run(place));
        Ok(())
    })
}

fn absent(case: &Case, why: &str) -> Trial {
    Trial::test(format!("google::{}", case.name), || Ok(()))
        .with_kind(why)
        .with_ignored_flag(true)
}

async fn own_emulator() -> Emulator {
    Emulator::start(Config {
        ports: Ports::free(),
        seed: 1,
        ..Config::default()
    })
    .await
    .unwrap()
}
