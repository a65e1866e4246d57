//! `mq verify`: what it runs, how it ends, what it prints and writes.

mod baseline;
mod choice;
mod ends;
mod outputs;
mod real;

use crate::fake::World;
use crate::process::Ran;

/// A behaviour that is proved for copies of the file's queues too.
const TWICE: &str = "destroy-twice";

/// Runs behaviours of these names on the fake clouds themselves.
fn verify(world: &World, only: &[&str], more: &[&str]) -> Ran {
    let mut arguments = vec!["verify", "--live"];
    for name in only {
        arguments.extend(["--only", name]);
    }
    arguments.extend(more);
    world.run(&arguments)
}

/// What a run left, without what differs from run to run (how long it took, and its own word) and
/// with the suite (how many requests it makes).
fn steady(ran: &Ran) -> String {
    let mut out = String::new();
    for line in ran.to_string().lines() {
        let line = match line.rsplit_once(" in ") {
            Some((before, time)) if time.ends_with(" s") => format!("{before} in [TIME]"),
            _ => line.to_owned(),
        };
        let line = match line.split_once(", at most ") {
            Some((before, _)) => format!("{before}, at most [REQUESTS]"),
            None => line,
        };
        let line = match line.split_once("verify-") {
            Some((before, after)) if after.len() > 8 => {
                format!("{before}verify-[RUN]{}", &after[8..])
            }
            _ => line,
        };
        out.push_str(&line);
        out.push('\n');
    }
    out
}
