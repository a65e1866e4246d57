//! Every target of a command, proved and planned for, before anything is written on any of them.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use mq_core::layers::{Layered, RetryPolicy, Surroundings};
use mq_core::timing::{Clock, Jitter, SystemClock};
use mq_core::{
    Access, BackendFactory, ControlPlane, Diagnostic, Error, ErrorKind, QueueBackend,
    ResolvedQueue, Scope, Severity, Target,
};

use super::input::Input;
use super::judgement::{Judgement, Judging, judge};
use crate::app::App;
use crate::args::{BehaviourArgs, StartArgs, TargetArgs};
use crate::emulator::{self, StateFolder};
use crate::failure::{CloudEnd, Failure, Findings, Result};
use crate::progress::TargetProgress;

/// A target with its backend. No call was made.
#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) target: Target,
    pub(crate) backend: Arc<dyn QueueBackend>,
    pub(crate) queues: Vec<ResolvedQueue>,
}

/// A target that proved its credentials.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) target: Target,
    pub(crate) control: Layered,
    pub(crate) queues: Vec<ResolvedQueue>,
    pub(crate) scope: Scope,
    pub(crate) progress: Arc<TargetProgress>,
}

/// What waits are measured on, and until when.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) access: Access,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) deadline: Duration,
}

impl Session {
    /// Reaches the clouds themselves or, with `--emulator`, the emulator, which is started where
    /// none runs.
    pub(crate) async fn begin(app: &App, args: &TargetArgs) -> Result<Session> {
        let access = if args.emulator {
            Access::emulator(emulator_variables(app, args).await?)
        } else {
            Access::vendor(app.environment.to_map())
        };
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        let deadline = clock.elapsed().saturating_add(args.timeout);
        Ok(Session {
            access,
            clock,
            deadline,
        })
    }

    /// A backend with retries, time limits and the words for errors around it.
    pub(crate) fn layered(
        &self,
        app: &App,
        target: &Target,
        backend: Arc<dyn QueueBackend>,
        progress: Arc<TargetProgress>,
    ) -> Layered {
        let around = Surroundings {
            retry: RetryPolicy::default(),
            clock: Arc::clone(&self.clock),
            jitter: Arc::new(Jitter::seeded(rand::random())),
            cancel: app.interrupt.token(),
            deadline: Some(self.deadline),
            listener: progress,
        };
        Layered::new(backend, target.name.clone(), around)
    }
}

async fn emulator_variables(app: &App, args: &TargetArgs) -> Result<Vec<(String, String)>> {
    let state = StateFolder::open(&app.environment)?;
    let start = StartArgs {
        behaviour: BehaviourArgs::default(),
        idle_exit: args.idle_exit,
    };
    let started = emulator::start(&state, &start).await?;
    tracing::debug!(process = started.discovery.pid, addresses = ?started.discovery.addresses, "the emulator");
    if started.fresh {
        app.printer.note(format_args!(
            "started an emulator in the background (process {}); it ends after {} without a request, or with `mq emulator stop`",
            started.discovery.pid,
            mq_core::units::duration(args.idle_exit)
        ));
    }
    Ok(started.discovery.env.into_iter().collect())
}

/// A backend for each target.
pub(crate) fn create_backends(
    app: &App,
    input: &Input,
    targets: Vec<Target>,
    access: &Access,
) -> Result<Vec<Open>> {
    targets
        .into_iter()
        .map(|target| {
            let queues = input.queues(&target);
            let backend = create_backend(app, &target, access)?;
            Ok(Open {
                target,
                backend,
                queues,
            })
        })
        .collect()
}

/// A backend for each target that needs no file: its queues are not in question.
pub(crate) fn unopened(app: &App, targets: &[Target], access: &Access) -> Result<Vec<Open>> {
    targets
        .iter()
        .map(|target| {
            let backend = create_backend(app, target, access)?;
            Ok(Open {
                target: target.clone(),
                backend,
                queues: Vec::new(),
            })
        })
        .collect()
}

/// What makes the target's backend.
pub(crate) fn factory_of(app: &App, target: &Target) -> Result<&'static dyn BackendFactory> {
    app.factory(&target.backend).ok_or_else(|| {
        Failure::usage(format!("there is no cloud `{}`", target.backend)).because(format!(
            "known are {}",
            app.backend_ids().collect::<Vec<_>>().join(", ")
        ))
    })
}

fn create_backend(app: &App, target: &Target, access: &Access) -> Result<Arc<dyn QueueBackend>> {
    factory_of(app, target)?
        .create(target, access)
        .map_err(|error| Failure::of(format_args!("prepare {}", target.name), &error))
}

/// Proves every target and judges its verdicts. Warnings are printed; errors end the command
/// before anything is written anywhere.
pub(crate) async fn open(
    app: &App,
    input: &Input,
    session: &Session,
    open: Vec<Open>,
    scrutiny: Scrutiny,
) -> Result<(Vec<Opened>, Vec<Diagnostic>)> {
    scrutinise_offline(input, &open, scrutiny)?;
    let opened = identify_all(app, session, open).await?;
    let judging: Vec<Judging<'_>> = opened
        .iter()
        .map(|one| Judging {
            target: &one.target,
            backend: &**one.control.backend(),
            queues: &one.queues,
            scopes: std::slice::from_ref(&one.scope),
        })
        .collect();
    let found = scrutinise(input, &judging, scrutiny)?;
    Ok((opened, found))
}

/// Judges what no call is needed for: errors end the command before the first.
pub(crate) fn scrutinise_offline(input: &Input, open: &[Open], scrutiny: Scrutiny) -> Result<()> {
    let offline: Vec<Vec<Scope>> = open
        .iter()
        .map(|one| one.backend.offline_scopes())
        .collect();
    let judging: Vec<Judging<'_>> = open
        .iter()
        .zip(&offline)
        .map(|(one, scopes)| Judging {
            target: &one.target,
            backend: &*one.backend,
            queues: &one.queues,
            scopes,
        })
        .collect();
    scrutinise(input, &judging, scrutiny).map(|_| ())
}

/// Judges these targets and gives what is to be told; errors end the command.
pub(crate) fn scrutinise(
    input: &Input,
    judging: &[Judging<'_>],
    scrutiny: Scrutiny,
) -> Result<Vec<Diagnostic>> {
    let found = scrutiny.of(judge(input, judging, scrutiny.strict()));
    let is_error = |diagnostic: &Diagnostic| diagnostic.severity == Severity::Error;
    if !found.iter().any(is_error) {
        return Ok(found);
    }
    Err(Failure::in_file(Findings {
        file: input.file.clone(),
        diagnostics: found,
        source: Arc::clone(&input.source),
    }))
}

/// Proves the credentials of every target, or of none.
pub(crate) async fn identify_all(
    app: &App,
    session: &Session,
    open: Vec<Open>,
) -> Result<Vec<Opened>> {
    let targets: Vec<Target> = open.iter().map(|one| one.target.clone()).collect();
    let opened = join_all(open.into_iter().map(|one| identify(app, session, one))).await;
    all_or_none(&targets, opened)
}

async fn identify(app: &App, session: &Session, open: Open) -> Result<Opened> {
    let progress = Arc::new(TargetProgress::new(app.printer.clone(), &open.target.name));
    let control = session.layered(app, &open.target, open.backend, Arc::clone(&progress));
    let scope = reading(app, control.identify())
        .await
        .map_err(|error| Failure::of(format_args!("reach {}", open.target.name), &error))?;
    tracing::debug!(cloud = open.target.name, scope = scope.label, "reached");
    Ok(Opened {
        target: open.target,
        control,
        queues: open.queues,
        scope,
        progress,
    })
}

/// A call that only reads: an interrupt drops it.
pub(crate) async fn reading<T>(
    app: &App,
    call: impl Future<Output = mq_core::Result<T>>,
) -> mq_core::Result<T> {
    let cancel = app.interrupt.token();
    tokio::select! {
        result = call => result,
        () = cancel.cancelled() => Err(Error::new(ErrorKind::Cancelled, "interrupted before anything was written")),
    }
}

/// All of them; or, where some failed, how each cloud fared.
pub(crate) fn all_or_none<T>(targets: &[Target], results: Vec<Result<T>>) -> Result<Vec<T>> {
    if results.iter().all(Result::is_ok) {
        return results.into_iter().collect();
    }
    let ends = targets
        .iter()
        .zip(results)
        .map(|(target, result)| CloudEnd {
            target: target.name.clone(),
            backend: target.backend.clone(),
            failure: result.err(),
        });
    Err(Failure::before_writing(ends.collect()))
}

/// How closely a command looks at what the verdicts say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scrutiny {
    /// It makes queues: every verdict counts.
    Making {
        /// Every verdict that is not exact must be accepted.
        strict: bool,
    },
    /// It makes copies on an emulator: there someone else's dead-letter queue is another of the
    /// copy's own, and whether the real one is where it should be was judged before.
    Copying {
        /// Every verdict that is not exact must be accepted.
        strict: bool,
    },
    /// It looks at, or removes, what is there: only what cannot be named stops it.
    Finding,
}

impl Scrutiny {
    /// That of a command that makes queues.
    pub(crate) fn making(strict: bool) -> Self {
        Scrutiny::Making { strict }
    }

    fn strict(self) -> bool {
        match self {
            Scrutiny::Making { strict } | Scrutiny::Copying { strict } => strict,
            Scrutiny::Finding => false,
        }
    }

    fn of(self, judgement: Judgement) -> Vec<Diagnostic> {
        let mut found = judgement.diagnostics;
        found.retain(|found| match self {
            Scrutiny::Making { .. } => true,
            Scrutiny::Copying { .. } => found.id != "dead-letter/target",
            Scrutiny::Finding => {
                !found.id.starts_with("verdict/") && !found.id.starts_with("accept/")
            }
        });
        found
    }
}
