//! How a run ends: each reason not to end with 0, in a sentence.

use std::time::Duration;

use mq_suite::Report;
use mq_suite::report::Totals;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::render::text::count;
use crate::targets::Input;

/// Everything that keeps this run from ending well; what it is in detail is in the result.
pub(super) fn failures(
    report: &Report,
    cut_short: Option<Failure>,
    input: &Input,
    timeout: Duration,
) -> Vec<Failure> {
    let was_cut_short = cut_short.is_some();
    let mut failures: Vec<Failure> = cut_short.into_iter().collect();
    failures.extend(leftovers(report, &place(input), super::lasts(timeout)));
    failures.extend(drift(report, &place(input)));
    failures.extend(match &report.baseline {
        Some(_) => differences(report),
        None => broken(report),
    });
    if !was_cut_short {
        failures.extend(nothing(report));
    }
    failures
}

fn not_proved(what: String) -> Failure {
    Failure::new(Exit::NotProved, what)
}

/// Which file, and which stage of it, in a command's words.
fn place(input: &Input) -> String {
    match input.stage() {
        Some(stage) => format!("-f {} --stage {stage}", input.file),
        None => format!("-f {}", input.file),
    }
}

fn leftovers(report: &Report, place: &str, lasts: Duration) -> Option<Failure> {
    let number = report.leftovers.len();
    if number == 0 {
        return None;
    }
    let left = count(number, "resource");
    let failure = Failure::new(
        Exit::Failed,
        format!("{left} that the run made could not be removed"),
    );
    let emulated = |name: &str| {
        let mut targets = report.targets.iter();
        targets.any(|target| target.name == name && target.emulated)
    };
    let mut clouds: Vec<&str> = report
        .leftovers
        .iter()
        .map(|leftover| leftover.target.as_str())
        .filter(|name| !emulated(name))
        .collect();
    clouds.sort_unstable();
    clouds.dedup();
    Some(if clouds.is_empty() {
        failure.because("it went with the emulator")
    } else {
        let clouds: String = clouds
            .iter()
            .map(|name| format!(" --cloud {name}"))
            .collect();
        failure.with_hint(format!(
            "{} after the run's begin they have expired: `mq gc {place}{clouds}` removes them then",
            mq_core::units::duration(lasts)
        ))
    })
}

fn drift(report: &Report, place: &str) -> Option<Failure> {
    let mut clouds: Vec<&str> = report.drifted().map(|(_, _, cloud)| cloud).collect();
    let number = clouds.len();
    clouds.dedup();
    let first = clouds.first()?;
    Some(
        not_proved(format!(
            "{} not as the file says",
            are(
                number,
                "attribute of live queues",
                "attributes of live queues"
            )
        ))
        .with_hint(format!("look with `mq status {place} --cloud {first}`")),
    )
}

fn differences(report: &Report) -> Option<Failure> {
    let baseline = report.baseline.as_ref()?;
    let number = baseline.differences.len();
    (number > 0).then(|| {
        not_proved(format!(
            "{} not as {} expects",
            are(number, "result", "results"),
            baseline.file
        ))
        .with_hint("where that is right, add `--update-baseline`")
    })
}

fn broken(report: &Report) -> Option<Failure> {
    let Totals { failed, errors, .. } = report.totals;
    let mut parts = Vec::new();
    if failed > 0 {
        parts.push(format!("{failed} failed"));
    }
    if errors > 0 {
        parts.push(format!("{errors} could not be carried through"));
    }
    let ran = count(report.totals.executed(), "case");
    (!parts.is_empty()).then(|| not_proved(format!("of {ran}, {}", parts.join(" and "))))
}

fn nothing(report: &Report) -> Option<Failure> {
    if report.totals.executed() > 0 {
        return None;
    }
    let why = match report.totals.skipped {
        0 => "no case was chosen: this shard, these groups or these names have none".to_owned(),
        skipped => format!("all {skipped} that were chosen are skipped, for the reasons above"),
    };
    Some(not_proved("nothing was executed, so nothing is proved".to_owned()).because(why))
}

/// `1 result is`, `2 results are`.
fn are(number: usize, one: &str, several: &str) -> String {
    match number {
        1 => format!("1 {one} is"),
        number => format!("{number} {several} are"),
    }
}
