//! The clouds of a run: the file judged, then every cloud reached, or none.

use std::sync::Arc;

use futures::future::join_all;
use mq_core::{Access, BackendInfo, Target};
use mq_suite::{Subject, Surroundings};

use super::ground::Ground;
use super::watch::Watch;
use crate::app::App;
use crate::args::VerifyArgs;
use crate::failure::{Failure, Findings, Result};
use crate::targets::{
    Input, Judging, Open, Scrutiny, all_or_none, create_backends, factory_of, scrutinise,
    scrutinise_offline,
};

/// What a run is about, with what was found on the way.
pub(super) struct Prepared {
    pub(super) input: Input,
    pub(super) subjects: Vec<Subject>,
    /// What each of them is.
    pub(super) infos: Vec<&'static BackendInfo>,
    pub(super) findings: Findings,
}

/// Judges the file as `provision` does, and proves the credentials of every cloud. Warnings are
/// told; errors end the command before anything is made.
pub(super) async fn prepare(
    app: &App,
    args: &VerifyArgs,
    ground: &Ground,
    input: Input,
    targets: Vec<Target>,
    watch: &Watch,
) -> Result<Prepared> {
    let scrutiny = judge_file(app, args, ground, &input, &targets)?;
    let open = create_backends(app, &input, targets, &ground.access)?;
    let reached = join_all(open.iter().map(|one| reach(app, ground, one, watch))).await;
    let targets: Vec<Target> = open.iter().map(|one| one.target.clone()).collect();
    let subjects = all_or_none(&targets, reached)?;
    let judging: Vec<Judging<'_>> = open
        .iter()
        .zip(&subjects)
        .map(|(one, subject)| Judging {
            target: &one.target,
            backend: &*one.backend,
            queues: &one.queues,
            scopes: std::slice::from_ref(subject.scope()),
        })
        .collect();
    let mut diagnostics = input.diagnostics.clone();
    diagnostics.extend(scrutinise(&input, &judging, scrutiny)?);
    let findings = Findings {
        file: input.file.clone(),
        diagnostics,
        source: Arc::clone(&input.source),
    };
    app.printer.findings(&findings);
    Ok(Prepared {
        infos: open.iter().map(|one| one.backend.info()).collect(),
        input,
        subjects,
        findings,
    })
}

/// Judges what no call is needed for, and says how what is found by calls is judged then.
///
/// On an emulator the file is judged by itself: where its clouds are is not where the emulator is.
fn judge_file(
    app: &App,
    args: &VerifyArgs,
    ground: &Ground,
    input: &Input,
    targets: &[Target],
) -> Result<Scrutiny> {
    let strict = args.file.strict;
    let nowhere = Access::default();
    let (access, then) = if args.place.live {
        (&ground.access, Scrutiny::making(strict))
    } else {
        (&nowhere, Scrutiny::Copying { strict })
    };
    let open = create_backends(app, input, targets.to_vec(), access)?;
    scrutinise_offline(input, &open, Scrutiny::making(strict))?;
    Ok(then)
}

async fn reach(app: &App, ground: &Ground, open: &Open, watch: &Watch) -> Result<Subject> {
    let factory = factory_of(app, &open.target)?;
    let surroundings: Surroundings = ground.surroundings();
    let call = Subject::open(factory, &open.target, &ground.access, surroundings);
    let subject = watch
        .over(call)
        .await
        .map_err(|error| Failure::of(format_args!("reach {}", open.target.name), &error))?;
    Ok(subject.with_queues(open.queues.clone()))
}
