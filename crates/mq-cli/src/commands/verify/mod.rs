//! `mq verify`: the promises that applications rely on, proved on every cloud side by side.

mod ending;
mod estimate;
mod expectation;
mod ground;
mod listing;
mod progress;
mod reports;
mod subjects;
mod watch;

use std::time::Duration;

use mq_core::Target;
use mq_suite::{Case, Options, Report, Selection, Subject};

use self::expectation::Expectation;
use self::ground::Ground;
use self::progress::Watching;
use self::reports::Reports;
use self::subjects::Prepared;
use self::watch::Watch;
use crate::app::App;
use crate::args::{ChoiceArgs, VerifyArgs, VerifyOutput};
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::render::text::nearest;
use crate::render::verify::{self as render, document};
use crate::targets::{Input, now_seconds, today};

pub(crate) fn run(app: &App, args: &VerifyArgs) -> Result<Exit> {
    let selection = selection(&args.choice)?;
    if args.choice.list {
        return listing::run(app, args, &selection);
    }
    app.online(verify(app, args, &selection))
}

fn selection(choice: &ChoiceArgs) -> Result<Selection> {
    let selection = Selection {
        only: choice.only.clone(),
        groups: choice.groups.clone(),
        shard: choice.shard,
    };
    selection.check().map_err(|unknown| {
        let meant = nearest(&unknown.name, unknown.known.iter().map(String::as_str));
        let hint = match meant {
            Some(meant) => format!("did you mean `--only '{meant}'`?"),
            None => "`mq verify --list` prints them".to_owned(),
        };
        Failure::usage(unknown.to_string()).with_hint(hint)
    })?;
    Ok(selection)
}

async fn verify(app: &App, args: &VerifyArgs, selection: &Selection) -> Result<Exit> {
    let input = Input::read(app, &args.file)?;
    let targets = targets(app, args, &input)?;
    let expectation = Expectation::read(args)?;
    let reports = Reports::prepare(args)?;
    let watch = Watch::begin(app, args.pace.timeout);
    let ground = Ground::prepare(app, &args.place).await?;
    let ended = on(app, args, selection, &ground, (input, targets), &watch).await;
    ground.leave().await;
    let mut run = ended?;
    let mut failures = Vec::new();
    if let Some(expectation) = expectation {
        let settled = expectation.settle(app, &mut run.report, &run.prepared, selection);
        failures.extend(settled.err());
    }
    failures.extend(reports.write(app, &run.report));
    Ok(tell(app, args, run, failures))
}

/// The clouds in question: all of them where none is named, since a comparison needs several.
fn targets(app: &App, args: &VerifyArgs, input: &Input) -> Result<Vec<Target>> {
    let all = ["all".to_owned()];
    let named = if args.file.clouds.is_empty() {
        &all[..]
    } else {
        &args.file.clouds
    };
    let targets = input.targets(app, named)?;
    let forbidden: Vec<&str> = targets
        .iter()
        .filter(|target| args.place.live && target.verify_forbidden)
        .map(|target| target.name.as_str())
        .collect();
    if forbidden.is_empty() {
        return Ok(targets);
    }
    Err(Failure::new(
        Exit::Refused,
        format!(
            "nothing was run: {} must not be verified",
            forbidden.join(", ")
        ),
    )
    .because(format!("{} says `verify: forbidden` there", input.file))
    .with_hint(
        "name other clouds with `--cloud`, or leave `--live` away: then it runs on an emulator",
    ))
}

/// A run that came to its report, with what else is to be told of it.
struct Run {
    prepared: Prepared,
    report: Report,
    /// Why it ended early, if it did.
    cut_short: Option<Failure>,
}

async fn on(
    app: &App,
    args: &VerifyArgs,
    selection: &Selection,
    ground: &Ground,
    (input, targets): (Input, Vec<Target>),
    watch: &Watch,
) -> Result<Run> {
    let prepared = subjects::prepare(app, args, ground, input, targets, watch).await?;
    let cases = mq_suite::cases(&prepared.subjects, selection);
    if args.place.live {
        let estimate = estimate::estimate(&prepared.subjects, &prepared.infos, &cases, args.pace);
        // Also where only results are wanted: what it may cost is no mere remark.
        app.printer.insist(&estimate);
    }
    let report = carry_out(app, args, &prepared, cases, watch).await?;
    let cut_short = watch.why(app, &report);
    Ok(Run {
        prepared,
        report,
        cut_short,
    })
}

async fn carry_out(
    app: &App,
    args: &VerifyArgs,
    prepared: &Prepared,
    cases: Vec<Case>,
    watch: &Watch,
) -> Result<Report> {
    let Prepared {
        input, subjects, ..
    } = prepared;
    let queues = compare(args, subjects, watch).await?;
    let options = Options {
        parallelism: args.pace.parallelism.into(),
        reruns: args.pace.reruns,
        cancel: watch.token(),
        run: format!("{:08x}", rand::random::<u32>()),
        stack: input.spec.stack.clone(),
        origin: input.owner().origin,
        now: now_seconds(),
        lasts: lasts(args.pace.timeout),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        shard: args.choice.shard.map(|shard| shard.to_string()),
    };
    let watching = Watching::begin(app.printer.clone(), &cases);
    let mut report = mq_suite::run(subjects, cases, &options, &watching).await;
    watching.end();
    report.queues = queues;
    Ok(report)
}

/// How long what a run makes is kept from `mq gc`: until an hour after the run's last moment.
fn lasts(timeout: Duration) -> Duration {
    timeout.saturating_add(Duration::from_secs(3600))
}

/// The file's queues, attribute by attribute; those of the clouds themselves only with `--live`.
async fn compare(
    args: &VerifyArgs,
    subjects: &[Subject],
    watch: &Watch,
) -> Result<Vec<mq_suite::report::QueueComparison>> {
    let (today, token) = (today(), watch.token());
    let call = mq_suite::compare(subjects, args.place.live, &today, &token);
    watch
        .over(call)
        .await
        .map_err(|error| Failure::of("compare the queues of the file", &error))
}

/// Tells what was found on stdout, and on stderr why it is not well, files that could not be
/// written included.
fn tell(app: &App, args: &VerifyArgs, run: Run, unwritten: Vec<Failure>) -> Exit {
    let Run {
        prepared,
        report,
        cut_short,
    } = run;
    let mut failures = ending::failures(&report, cut_short, &prepared.input, args.pace.timeout);
    failures.extend(unwritten);
    let exit = failures
        .iter()
        .fold(Exit::Done, |exit, failure| exit.worse(failure.exit));
    let exit = app.interrupt.settle(exit);
    match args.output {
        VerifyOutput::Text => {
            let page = render::Page {
                report: &report,
                live: args.place.live,
                palette: app.printer.result_palette(),
                width: app.printer.result_width(),
            };
            let text = if app.printer.quiet() {
                page.failures_only()
            } else {
                page.text()
            };
            app.printer.result(&text);
        }
        VerifyOutput::Json => {
            app.printer
                .document(&document::of_run(&report, &prepared.findings, exit));
        }
    }
    for failure in &failures {
        app.printer.failure(failure);
    }
    exit
}
