//! `mq check`: what every cloud makes of the file, offline.

use mq_core::{Access, Scope, Verdict};
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
    let (columns, findings) = match checked {
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
    github::report(app, reports, &matrix::markdown(&columns))?;
    match args.output {
        CheckOutput::Text => {
            app.printer
                .result(&matrix::text(&columns, app.printer.result_palette()));
            app.printer.findings(&findings);
        }
        CheckOutput::Json => app.printer.document(&document(&columns, &findings, exit)),
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

fn check(app: &App, args: &CheckArgs) -> Result<(Vec<Column>, Findings)> {
    let input = Input::read(app, &args.file)?;
    let targets = input.checked_targets(app, &args.file.clouds)?;
    let access = Access::vendor(app.environment.to_map());
    let open = create_backends(app, &input, targets, &access)?;
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
    let judgement = judge(&input, &judging, args.file.strict);
    let columns = judging
        .iter()
        .flat_map(|one| columns(one, &judgement))
        .collect();
    let mut diagnostics = input.diagnostics.clone();
    diagnostics.extend(judgement.diagnostics);
    // Errors last, where the eye ends.
    diagnostics.sort_by_key(|found| (found.severity, found.span.as_ref().map(|span| span.start)));
    Ok((
        columns,
        Findings {
            file: input.file,
            diagnostics,
            source: input.source,
        },
    ))
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

fn document<'a>(columns: &'a [Column], findings: &'a Findings, exit: Exit) -> CheckDocument<'a> {
    let queues = columns.first().map_or(&[][..], |column| &column.queues);
    let queue = |(index, queue): (usize, &'a mq_core::ResolvedQueue)| QueueDocument {
        queue: &queue.logical,
        clouds: columns
            .iter()
            .map(|column| VerdictsDocument {
                cloud: &column.target,
                backend: &column.backend,
                scope: column.scope.as_deref(),
                verdicts: &column.verdicts[index],
            })
            .collect(),
        works_everywhere: everywhere(columns, index),
    };
    CheckDocument {
        schema_version: SCHEMA_VERSION,
        command: "check",
        exit_code: exit.code(),
        diagnostics: findings.documents(),
        queues: queues.iter().enumerate().map(queue).collect(),
    }
}
