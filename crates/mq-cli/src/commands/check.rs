//! `mq check`: what every cloud makes of the file, offline.

use std::collections::HashSet;
use std::sync::Arc;

use mq_core::{Access, Diagnostic, Scope, Verdict};
use serde::Serialize;

use super::github;
use crate::app::App;
use crate::args::{CheckArgs, CheckOutput};
use crate::exit::Exit;
use crate::failure::{Failure, FindingDocument, Findings, Result};
use crate::render::document::SCHEMA_VERSION;
use crate::render::matrix::{self, Column, Judged};
use crate::render::ranges::{Everywhere, everywhere};
use crate::render::sarif;
use crate::targets::{Input, Judgement, Judging, create_backends, judge};

pub(crate) fn run(app: &App, args: &CheckArgs) -> Result<Exit> {
    let checked = check(app, args);
    let (stages, findings) = match checked {
        Ok(checked) => checked,
        // What is wrong with the file itself is a finding like any other.
        Err(failure) if args.output == CheckOutput::Sarif && failure.findings.errors() > 0 => {
            (Vec::new(), *failure.findings)
        }
        Err(failure) => return Err(failure),
    };
    let exit = if findings.errors() > 0 {
        Exit::Usage
    } else {
        Exit::Done
    };
    let reports = args.reports.iter().map(|report| report.file.as_path());
    github::report(app, reports, &markdown(&stages))?;
    match args.output {
        CheckOutput::Text => {
            app.printer.result(&text(app, &stages));
            app.printer.findings(&findings);
        }
        CheckOutput::Json => app.printer.document(&document(&stages, &findings, exit)),
        CheckOutput::Sarif => app.printer.document(&sarif::sarif(&findings)),
    }
    if exit == Exit::Usage {
        // The findings are told; what is left is the last line.
        app.printer.failure(&Failure {
            findings: Box::default(),
            ..Failure::in_file(findings)
        });
    }
    Ok(exit)
}

/// What the clouds make of the file on one stage.
struct OnStage {
    /// The stage; `None` where the file has none.
    stage: Option<String>,
    columns: Vec<Column>,
}

/// The chosen stage or, where the file has stages and none is chosen, all of them.
fn check(app: &App, args: &CheckArgs) -> Result<(Vec<OnStage>, Findings)> {
    let inputs = Input::read_stages(app, &args.file)?;
    let mut stages = Vec::new();
    let mut found: Vec<Vec<Diagnostic>> = Vec::new();
    let mut source = Arc::default();
    let mut file = String::new();
    for input in inputs {
        let (columns, diagnostics) = check_stage(app, args, &input)?;
        found.push(diagnostics);
        stages.push(OnStage {
            stage: input.selection.stage,
            columns,
        });
        (source, file) = (input.source, input.file);
    }
    Ok((
        stages,
        Findings {
            file,
            diagnostics: merged(&found),
            source,
        },
    ))
}

fn check_stage(
    app: &App,
    args: &CheckArgs,
    input: &Input,
) -> Result<(Vec<Column>, Vec<Diagnostic>)> {
    let targets = input.checked_targets(app, &args.file.clouds)?;
    let access = Access::vendor(app.environment.to_map());
    let open = create_backends(app, input, targets, &access)?;
    let scopes: Vec<Vec<Scope>> = open
        .iter()
        .map(|one| one.backend.offline_scopes())
        .collect();
    let judging: Vec<Judging<'_>> = open
        .iter()
        .zip(&scopes)
        .map(|(one, scopes)| Judging {
            target: &one.target,
            backend: &*one.backend,
            queues: &one.queues,
            scopes,
        })
        .collect();
    let judgement = judge(input, &judging, args.file.strict);
    let columns = judging
        .iter()
        .flat_map(|one| columns(one, &judgement))
        .collect();
    let mut diagnostics = input.diagnostics.clone();
    diagnostics.extend(judgement.diagnostics);
    Ok((columns, diagnostics))
}

/// What was found on any stage, once. An `accept` is unused only when no stage uses it.
fn merged(found: &[Vec<Diagnostic>]) -> Vec<Diagnostic> {
    let on_stages: Vec<HashSet<&Diagnostic>> = found.iter().map(|on| on.iter().collect()).collect();
    let everywhere = |one: &Diagnostic| on_stages.iter().all(|on| on.contains(one));
    let mut told: HashSet<&Diagnostic> = HashSet::new();
    let mut all: Vec<Diagnostic> = Vec::new();
    for diagnostic in found.iter().flatten() {
        let counts = diagnostic.id != "accept/unused" || everywhere(diagnostic);
        if counts && told.insert(diagnostic) {
            all.push(diagnostic.clone());
        }
    }
    // Errors last, where the eye ends.
    all.sort_by_key(|found| (found.severity, found.span.as_ref().map(|span| span.start)));
    all
}

fn text(app: &App, stages: &[OnStage]) -> String {
    let palette = app.printer.result_palette();
    let on_stage = |on: &OnStage| {
        let table = matrix::text(&on.columns, palette);
        match &on.stage {
            Some(stage) if stages.len() > 1 => format!("stage {stage}\n\n{table}"),
            _ => table,
        }
    };
    stages.iter().map(on_stage).collect::<Vec<_>>().join("\n")
}

fn markdown(stages: &[OnStage]) -> String {
    let on_stage = |on: &OnStage| {
        let table = matrix::markdown(&on.columns);
        match &on.stage {
            Some(stage) if stages.len() > 1 => format!("# Stage {stage}\n\n{table}"),
            _ => table,
        }
    };
    stages.iter().map(on_stage).collect::<Vec<_>>().join("\n")
}

fn columns(judging: &Judging<'_>, judgement: &Judgement) -> Vec<Column> {
    let several = judging.scopes.len() > 1;
    let accepted = |queue: &str, attribute: &str| {
        let key = (
            judging.target.name.clone(),
            queue.to_owned(),
            attribute.to_owned(),
        );
        judgement.accepted.contains(&key)
    };
    let column = |scope: &Scope| Column {
        target: judging.target.name.clone(),
        backend: judging.target.backend.clone(),
        scope: several.then(|| scope.label.clone()),
        capability: judging.backend.capability(scope),
        queues: judging.queues.to_vec(),
        verdicts: judging
            .lowered(scope)
            .into_iter()
            .map(|lowered| {
                let with_accept = |verdict: Verdict| Judged {
                    accepted: accepted(&lowered.queue, &verdict.attribute),
                    verdict,
                };
                lowered.verdicts.into_iter().map(with_accept).collect()
            })
            .collect(),
    };
    judging.scopes.iter().map(column).collect()
}

/// The document of `mq check`; `schemas/check.schema.json` holds its form.
#[derive(Serialize)]
struct CheckDocument<'a> {
    schema_version: u32,
    command: &'static str,
    exit_code: u8,
    diagnostics: Vec<FindingDocument<'a>>,
    queues: Vec<QueueDocument<'a>>,
}

#[derive(Serialize)]
struct QueueDocument<'a> {
    queue: &'a str,
    /// The stage, where the file has stages.
    #[serde(skip_serializing_if = "Option::is_none")]
    stage: Option<&'a str>,
    clouds: Vec<VerdictsDocument<'a>>,
    /// The ranges that every cloud takes, where a value is outside one.
    works_everywhere: Vec<Everywhere>,
}

#[derive(Serialize)]
struct VerdictsDocument<'a> {
    cloud: &'a str,
    backend: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
    verdicts: &'a [Judged],
}

fn document<'a>(stages: &'a [OnStage], findings: &'a Findings, exit: Exit) -> CheckDocument<'a> {
    CheckDocument {
        schema_version: SCHEMA_VERSION,
        command: "check",
        exit_code: exit.code(),
        diagnostics: findings.documents(),
        queues: stages.iter().flat_map(queues_of).collect(),
    }
}

fn queues_of(on: &OnStage) -> Vec<QueueDocument<'_>> {
    let queues = on.columns.first().map_or(&[][..], |column| &column.queues);
    let queue = |index: usize| QueueDocument {
        queue: &queues[index].logical,
        stage: on.stage.as_deref(),
        clouds: on
            .columns
            .iter()
            .map(|column| VerdictsDocument {
                cloud: &column.target,
                backend: &column.backend,
                scope: column.scope.as_deref(),
                verdicts: &column.verdicts[index],
            })
            .collect(),
        works_everywhere: everywhere(&on.columns, index),
    };
    (0..queues.len()).map(queue).collect()
}
