//! `clouds`: where each cloud is, with settings that each backend declares.

use std::collections::BTreeMap;

use mq_core::backend::{SettingInfo, SettingKind};
use mq_core::spec::Target;
use mq_core::{BackendInfo, Diagnostic};
use serde_json::{Map, Value};

use crate::check::{Check, Field, Fields, Least, NameRule, by_service, excerpt, list, with_hint};
use crate::suggest::did_you_mean;
use crate::tree::NodeKind;

/// Reads the entries and makes them known to the rest of the reading.
pub(super) fn targets<'a>(check: &mut Check<'a>, field: &Field<'a>) -> BTreeMap<String, Target> {
    let mut targets = BTreeMap::new();
    let Some(mapping) = check.map(field) else {
        return targets;
    };
    for entry in mapping.entries() {
        let value = Field::entry(&field.path, entry);
        let at_key = Field {
            span: entry.key_span.clone(),
            ..value.clone()
        };
        if entry.key == "all" {
            check.report(
                &at_key,
                Diagnostic::error("file/bad-name", "the name is not allowed")
                    .with_detail("`all` stands for every cloud: `--cloud all`"),
            );
        } else if !NameRule::Logical.allows(&entry.key) {
            let said = format!("`{}`", excerpt(&entry.key));
            check.report(&at_key, NameRule::Logical.refusal(&said));
        }
        let (backend, target) = target(check, &entry.key, &value, &at_key);
        check.targets.insert(&entry.key, backend);
        targets.insert(entry.key.clone(), target);
    }
    targets
}

fn target<'a>(
    check: &mut Check<'a>,
    name: &str,
    field: &Field<'a>,
    at_key: &Field<'a>,
) -> (Option<&'static BackendInfo>, Target) {
    let mut target = Target::implied(name);
    // `aws:` with nothing below it: the entry exists and says nothing.
    let fields = if field.node.is_null() {
        None
    } else {
        check.fields(field, "this cloud")
    };
    let Some(mut fields) = fields else {
        return (backend_of(check, name, None, at_key), target);
    };
    let cloud = fields.get("cloud");
    let backend = backend_of(check, name, cloud, at_key);
    target.verify_forbidden = verify_forbidden(check, &mut fields).unwrap_or_default();
    if let Some(backend) = backend {
        backend.id.clone_into(&mut target.backend);
        target.settings = settings(check, &mut fields, backend.settings);
        check.finish(fields);
    }
    (backend, target)
}

/// The backend that an entry goes to: the one it names under `cloud`, or the one it is named after.
fn backend_of<'a>(
    check: &mut Check<'a>,
    name: &str,
    cloud: Option<Field<'a>>,
    at_key: &Field<'a>,
) -> Option<&'static BackendInfo> {
    let backends = check.backends;
    let find = |id: &str| backends.iter().copied().find(|backend| backend.id == id);
    let ids = || backends.iter().map(|backend| backend.id);
    let Some(field) = cloud else {
        let backend = find(name);
        if backend.is_none() {
            let refusal =
                Diagnostic::error("file/unknown-cloud", "unknown cloud").with_detail(format!(
                    "`{}` is none of {}, and the entry does not say which one it is",
                    excerpt(name),
                    list(ids(), "and")
                ));
            let hint = did_you_mean(name, ids())
                .or_else(|| by_service(name, backends))
                .unwrap_or_else(|| {
                    "say it with `cloud:`, as in `{ cloud: aws, region: eu-west-1 }`".to_owned()
                });
            check.report(at_key, refusal.with_hint(hint));
        }
        return backend;
    };
    let said = check.text(&field)?;
    let backend = find(said);
    if backend.is_none() {
        let quoted = check.said(&field);
        let refusal = Diagnostic::error("file/unknown-cloud", "unknown cloud")
            .with_detail(format!("{quoted} is none of {}", list(ids(), "and")));
        let hint = did_you_mean(said, ids()).or_else(|| by_service(said, backends));
        check.report(&field, with_hint(refusal, hint));
    } else if find(name).is_some() && name != said {
        check.bad_value(
            &field,
            format!("an entry named `{name}` cannot go to another cloud: give it another name"),
        );
    }
    backend
}

/// Reads `verify`, from an entry under `clouds` or a stage's word on it.
pub(super) fn verify_forbidden<'a>(check: &mut Check<'a>, fields: &mut Fields<'a>) -> Option<bool> {
    let words = [("allowed", false), ("forbidden", true)];
    check.one_of(&fields.get("verify")?, &words)
}

/// Reads what a backend declares, from an entry under `clouds` or a stage's word on it.
pub(super) fn settings<'a>(
    check: &mut Check<'a>,
    fields: &mut Fields<'a>,
    known: &'static [SettingInfo],
) -> Map<String, Value> {
    let mut settings = Map::new();
    for info in known {
        if let Some(field) = fields.get(info.name) {
            if field.node.is_null() {
                settings.insert(info.name.to_owned(), Value::Null);
            } else if let Some(value) = setting(check, &field, info.kind) {
                settings.insert(info.name.to_owned(), value);
            }
        }
    }
    settings
}

/// Reads one value of a kind that a backend declares.
pub(super) fn setting<'a>(
    check: &mut Check<'a>,
    field: &Field<'a>,
    kind: SettingKind,
) -> Option<Value> {
    match kind {
        SettingKind::Text => check.text(field).map(Value::from),
        SettingKind::Digits => digits(check, field).map(Value::from),
        SettingKind::Integer => check.integer(field).map(Value::from),
        SettingKind::Bool => check.bool(field).map(Value::from),
        SettingKind::Duration => {
            check.duration(field, Least::Zero)?;
            // As written: the backend reads the units itself.
            scalar_text(field).map(Value::from)
        }
        SettingKind::OneOf(words) => {
            let words: Vec<(&'static str, &'static str)> =
                words.iter().map(|word| (*word, *word)).collect();
            check.one_of(field, &words).map(Value::from)
        }
    }
}

fn scalar_text<'a>(field: &Field<'a>) -> Option<&'a str> {
    match &field.node.kind {
        NodeKind::Scalar(scalar) => Some(&scalar.text),
        _ => None,
    }
}

fn digits<'a>(check: &mut Check<'a>, field: &Field<'a>) -> Option<&'a str> {
    let text = check.text(field)?;
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(text);
    }
    let said = check.said(field);
    check.bad_value(field, format!("{said} is not made of digits alone"));
    None
}
