//! Tree to [`Spec`]: every key read by hand, every mistake reported, none stopping the next.

mod accept;
mod clouds;
mod dead_letter;
mod names;
mod queue;
mod stages;

use std::collections::BTreeMap;

use mq_core::spec::Spec;
use mq_core::{BackendInfo, Diagnostic};

use crate::check::{Check, Field, Fields, NameRule, list, with_hint};
use crate::source_map::SourceMap;
use crate::suggest::did_you_mean;

/// The version of the format.
pub(crate) const VERSION: i64 = 1;

/// Reads the tree. The spec is complete only when no diagnostic is an error.
pub(crate) fn validate(
    source: &SourceMap,
    backends: &[&'static BackendInfo],
) -> (Spec, Vec<Diagnostic>) {
    let mut check = Check::new(source.text(), backends);
    let mut spec = Spec::default();
    if let Some(root) = source.root() {
        let root = Field {
            node: root,
            path: String::new(),
            span: 0..source.text().lines().next().map_or(0, str::len),
        };
        if let Some(mut fields) = check.fields(&root, "the file") {
            if version(&mut check, &mut fields) == Version::Other {
                // Another version's keys would all be reported, and none of them be wrong.
                return (spec, check.diagnostics);
            }
            spec = file(&mut check, fields);
            cross_checks(&mut check, &spec, source);
        }
    }
    (spec, check.diagnostics)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    /// This one, or none that could be read.
    Ours,
    Other,
}

fn version<'a>(check: &mut Check<'a>, fields: &mut Fields<'a>) -> Version {
    let hint = format!("write `version: {VERSION}` as the first key");
    let Some(field) = check.required(fields, "version", &hint) else {
        return Version::Ours;
    };
    let Some(number) = check.integer(&field) else {
        return Version::Ours;
    };
    if number == VERSION {
        return Version::Ours;
    }
    let newer = number > VERSION;
    check.report(
        &field,
        Diagnostic::error("file/version", "the file has another version")
            .with_detail(format!(
                "it says {number}, and this `mq` reads version {VERSION}"
            ))
            .with_hint(if newer {
                "install a newer `mq`"
            } else {
                "write `version: 1`; there was no earlier one"
            }),
    );
    Version::Other
}

fn file<'a>(check: &mut Check<'a>, mut fields: Fields<'a>) -> Spec {
    let mut spec = Spec::default();
    let hint = "name what this file owns, as in `stack: ai-pipeline`";
    if let Some(field) = check.required(&mut fields, "stack", hint)
        && let Some(stack) = check.name(&field, NameRule::Owner)
    {
        stack.clone_into(&mut spec.stack);
    }
    spec.origin = fields
        .get("origin")
        .and_then(|field| check.text(&field))
        .map(str::to_owned);
    let cloud = fields.get("cloud");
    if let Some(field) = fields.get("clouds") {
        spec.targets = clouds::targets(check, &field);
    }
    if let Some(field) = cloud
        && let Some(name) = check.text(&field)
        && check.cloud(name, &field).is_some()
    {
        spec.cloud = Some(name.to_owned());
    }
    if let Some(field) = fields.get("stages") {
        spec.stages = Some(stages::stages(check, &field));
    }
    if let Some(field) = fields.get("defaults")
        && let Some(mut defaults) = check.fields(&field, "`defaults`")
    {
        spec.defaults = queue::patch(check, &mut defaults);
        check.finish(defaults);
    }
    if let Some(field) = check.required(
        &mut fields,
        "queues",
        "add `queues:` and under it the name of the first queue",
    ) {
        spec.queues = queue::queues(check, &field);
    }
    check.finish(fields);
    spec
}

/// What only the whole file shows.
fn cross_checks(check: &mut Check<'_>, spec: &Spec, source: &SourceMap) {
    for (stage, said) in spec.stages.iter().flatten() {
        for queue in said.queues.keys() {
            let path = format!("stages.{stage}.queues.{queue}");
            unknown_queue(check, spec, source, queue, path);
        }
    }
    dead_letter::check(check, spec, source);
    names::check(check, spec, source);
}

/// Reports a queue that the file does not have.
fn unknown_queue(
    check: &mut Check<'_>,
    spec: &Spec,
    source: &SourceMap,
    queue: &str,
    path: String,
) {
    if spec.queues.contains_key(queue) {
        return;
    }
    let span = source.span(&path);
    let quoted = check.quoted(queue, &span);
    let refusal = Diagnostic::error("file/unknown-queue", "unknown queue")
        .with_detail(format!("{quoted} is not a queue of this file"))
        .with_span(span)
        .with_path(path);
    let known = || spec.queues.keys().map(String::as_str);
    let few = (1..=8).contains(&spec.queues.len());
    let hint = check
        .may_compare(spec.queues.len())
        .then(|| did_you_mean(queue, known()))
        .flatten()
        .or_else(|| few.then(|| format!("it has {}", list(known(), "and"))));
    check.diagnostics.push(with_hint(refusal, hint));
}

/// Reads a map from clouds to something, with each key checked.
fn per_cloud<'a, T>(
    check: &mut Check<'a>,
    field: &Field<'a>,
    mut read: impl FnMut(&mut Check<'a>, &Field<'a>, Option<&'static BackendInfo>) -> Option<T>,
) -> BTreeMap<String, T> {
    let mut found = BTreeMap::new();
    let Some(mapping) = check.map(field) else {
        return found;
    };
    for entry in mapping.entries() {
        let value = Field::entry(&field.path, entry);
        let at_key = Field {
            span: entry.key_span.clone(),
            ..value.clone()
        };
        // An unknown cloud's values are read too: they may hold mistakes of their own.
        let backend = check.cloud(&entry.key, &at_key);
        if let Some(value) = read(check, &value, backend.flatten()) {
            found.insert(entry.key.clone(), value);
        }
    }
    found
}
