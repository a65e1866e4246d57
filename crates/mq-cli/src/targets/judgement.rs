//! What the verdicts of all targets mean for this run.

use std::collections::{BTreeMap, BTreeSet};

use mq_core::judge::{JudgeOptions, Judged, assess};
use mq_core::{Diagnostic, Lowered, QueueBackend, ResolvedQueue, Scope, Severity, Target};

use super::input::{Input, today};

/// One target with the scopes that it may turn out to be: one when it was asked, or those that
/// the file leaves open.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Judging<'a> {
    pub(crate) target: &'a Target,
    pub(crate) backend: &'a dyn QueueBackend,
    pub(crate) queues: &'a [ResolvedQueue],
    pub(crate) scopes: &'a [Scope],
}

impl Judging<'_> {
    /// The queues as they become in one of the scopes.
    pub(crate) fn lowered(&self, scope: &Scope) -> Vec<Lowered> {
        let control = self.backend.control();
        self.queues
            .iter()
            .map(|queue| control.lower(queue, scope))
            .collect()
    }
}

/// What the verdicts give rise to.
#[derive(Debug, Default)]
pub(crate) struct Judgement {
    /// Each at its place in the file.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// Verdicts that are not exact and that the file accepts: target, queue and attribute.
    pub(crate) accepted: BTreeSet<(String, String, String)>,
}

/// Everything that the verdicts give rise to.
///
/// What is wrong in some scopes only is a warning that names them: another tier would do.
pub(crate) fn judge(input: &Input, judging: &[Judging<'_>], strict: bool) -> Judgement {
    let options = JudgeOptions {
        strict,
        today: today(),
    };
    let mut judgement = Judgement::default();
    let mut everything = Vec::new();
    for one in judging {
        let per_scope: Vec<Vec<Lowered>> =
            one.scopes.iter().map(|scope| one.lowered(scope)).collect();
        let judged: Vec<Judged<'_>> = one
            .scopes
            .iter()
            .zip(&per_scope)
            .map(|(scope, lowered)| Judged {
                target: &one.target.name,
                backend: &one.target.backend,
                queues: one.queues,
                lowered,
                case_sensitive: one.backend.capability(scope).name.case_sensitive,
            })
            .collect();
        let of_scopes: Vec<Vec<Diagnostic>> = judged
            .iter()
            .map(|judged| {
                let all = assess(std::slice::from_ref(judged), false, &options);
                all.into_iter()
                    .filter(|found| !is_about_accept(found))
                    .collect()
            })
            .collect();
        for diagnostic in common(of_scopes, one.scopes) {
            judgement.accepted.extend(accepted(&diagnostic, one.target));
            judgement
                .diagnostics
                .push(locate(diagnostic, input, Some(one.target)));
        }
        // What is left to decide needs the verdicts alone.
        let verdicts = per_scope
            .into_iter()
            .map(|lowered| lowered.into_iter().map(verdicts_of).collect());
        everything.push((one, verdicts.collect()));
    }
    judgement
        .diagnostics
        .extend(about_accept(input, &everything, &options));
    judgement
}

fn verdicts_of(lowered: Lowered) -> Lowered {
    Lowered {
        queue: lowered.queue,
        verdicts: lowered.verdicts,
        ..Lowered::default()
    }
}

/// The place of a verdict that the file accepts.
fn accepted(diagnostic: &Diagnostic, target: &Target) -> Option<(String, String, String)> {
    let noted = diagnostic.severity == Severity::Note && diagnostic.id.starts_with("verdict/");
    let path = diagnostic.path.as_ref().filter(|_| noted)?;
    let (queue, attribute) = path.strip_prefix("queues.")?.split_once('.')?;
    Some((target.name.clone(), queue.to_owned(), attribute.to_owned()))
}

fn is_about_accept(diagnostic: &Diagnostic) -> bool {
    diagnostic.id.starts_with("accept/")
}

/// Whether an `accept` is spent can only be told from all targets at once.
fn about_accept(
    input: &Input,
    everything: &[(&Judging<'_>, Vec<Vec<Lowered>>)],
    options: &JudgeOptions,
) -> Vec<Diagnostic> {
    let judged: Vec<Judged<'_>> = everything
        .iter()
        .flat_map(|(one, per_scope)| {
            per_scope.iter().map(|lowered| Judged {
                target: &one.target.name,
                backend: &one.target.backend,
                queues: one.queues,
                lowered,
                case_sensitive: true,
            })
        })
        .collect();
    let covers = |name: &String| everything.iter().any(|(one, _)| one.target.name == *name);
    let whole_file = input.whole_file() && input.spec.targets.keys().all(covers);
    let all = assess(&judged, whole_file, options);
    all.into_iter()
        .filter(is_about_accept)
        .map(|diagnostic| locate(diagnostic, input, None))
        .collect()
}

/// What was found in all scopes as it is; what was found in some, as a warning that names them.
fn common(of_scopes: Vec<Vec<Diagnostic>>, scopes: &[Scope]) -> Vec<Diagnostic> {
    let mut seen: BTreeMap<(&'static str, Option<String>, Option<String>), usize> = BTreeMap::new();
    let mut found: Vec<(Diagnostic, Vec<&str>)> = Vec::new();
    for (diagnostics, scope) in of_scopes.into_iter().zip(scopes) {
        for diagnostic in diagnostics {
            let key = (
                diagnostic.id,
                diagnostic.path.clone(),
                diagnostic.detail.clone(),
            );
            let index = *seen.entry(key).or_insert(found.len());
            match found.get_mut(index) {
                Some((_, labels)) => labels.push(&scope.label),
                None => found.push((diagnostic, vec![&scope.label])),
            }
        }
    }
    found
        .into_iter()
        .map(|(mut diagnostic, labels)| {
            if labels.len() < scopes.len() {
                diagnostic.severity = diagnostic.severity.min(Severity::Warning);
                let detail = diagnostic.detail.unwrap_or_default();
                diagnostic.detail = Some(format!("{detail} (only with {})", labels.join(", ")));
            }
            diagnostic
        })
        .collect()
}

/// Puts a finding about a queue's attribute where the file states it.
fn locate(mut diagnostic: Diagnostic, input: &Input, target: Option<&Target>) -> Diagnostic {
    let Some(path) = diagnostic
        .path
        .clone()
        .filter(|_| diagnostic.span.is_none())
    else {
        return diagnostic;
    };
    let stated = target.and_then(|target| {
        let (queue, attribute) = path.strip_prefix("queues.")?.split_once('.')?;
        let clouds = [target.backend.as_str(), target.name.as_str()];
        Some(
            input
                .source
                .stated(queue, attribute, input.stage(), &clouds),
        )
    });
    let path = stated.unwrap_or(path);
    diagnostic.span = Some(input.source.span(&path)).filter(|span| !span.is_empty());
    diagnostic.path = Some(path);
    diagnostic
}
