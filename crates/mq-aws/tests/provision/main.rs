//! The backend against servers written by others, so that it cannot agree with itself on a
//! mistake. A server that is not on this machine is reported: its cases are listed and ignored,
//! or fail where `MQ_REQUIRE_JUDGES=1` says that it must be there.

mod cases;
mod portability;
mod subject;
mod vendor_chain;
mod world;

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};

use crate::subject::Subject;
use crate::world::World;

fn main() -> ExitCode {
    if vendor_chain::is_the_other_process() {
        return ExitCode::SUCCESS;
    }
    let arguments = Arguments::from_args();
    let required = std::env::var("MQ_REQUIRE_JUDGES").is_ok_and(|value| value == "1");
    let subjects: Vec<Arc<Subject>> = subject::all().into_iter().map(Arc::new).collect();
    let mut trials = Vec::new();
    for subject in &subjects {
        if let Some(reason) = &subject.absent {
            // A broken stderr is no reason not to test.
            let _ = writeln!(std::io::stderr(), "{} is not here: {reason}", subject.name);
        }
        let absent = subject.absent.is_some() && !required;
        trials.extend(cases::ALL.iter().map(|(name, case)| {
            let subject = Arc::clone(subject);
            let trial = Trial::test(format!("{}::{name}", subject.name), move || {
                let world = World::new(&subject, name)?;
                world.run(*case);
                Ok(())
            });
            trial.with_ignored_flag(absent)
        }));
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    for subject in &subjects {
        subject.stop();
    }
    conclusion.exit_code()
}
