//! `stages`: a closed list of places that one file is provisioned to.

use std::collections::BTreeMap;

use mq_core::Diagnostic;
use mq_core::spec::Stage;
use serde_json::{Map, Value};

use crate::check::{Check, Field, Least, NameRule, excerpt};

use super::{clouds, per_cloud, queue};

/// What a stage's names look like when it does not say.
const NAME_DEFAULT: &str = "{stage}-{name}";

/// Reads the stages.
pub(super) fn stages<'a>(check: &mut Check<'a>, field: &Field<'a>) -> BTreeMap<String, Stage> {
    let mut stages = BTreeMap::new();
    let Some(mapping) = check.map(field) else {
        return stages;
    };
    if mapping.entries().is_empty() {
        check.report(
            field,
            Diagnostic::error("file/bad-value", "the value is not allowed")
                .with_detail("a file with `stages` needs at least one")
                .with_hint("remove the key: then any `--stage` is taken"),
        );
    }
    for entry in mapping.entries() {
        let value = Field::entry(&field.path, entry);
        if !NameRule::Owner.allows(&entry.key) {
            let at_key = Field {
                span: entry.key_span.clone(),
                ..value.clone()
            };
            let said = format!("`{}`", excerpt(&entry.key));
            check.report(&at_key, NameRule::Owner.refusal(&said));
        }
        stages.insert(entry.key.clone(), stage(check, &value));
    }
    stages
}

fn stage<'a>(check: &mut Check<'a>, field: &Field<'a>) -> Stage {
    let mut stage = Stage {
        name: NAME_DEFAULT.to_owned(),
        ..Stage::default()
    };
    if field.node.is_null() {
        return stage;
    }
    let Some(mut fields) = check.fields(field, "a stage") else {
        return stage;
    };
    if let Some(field) = fields.get("name")
        && let Some(template) = template(check, &field)
    {
        template.clone_into(&mut stage.name);
    }
    if let Some(field) = fields.get("clouds") {
        let words = per_cloud(check, &field, |check, field, backend| {
            let mut fields = check.fields(field, "this cloud in a stage")?;
            let verify = clouds::verify_forbidden(check, &mut fields);
            let Some(backend) = backend else {
                return Some((Map::<String, Value>::new(), verify));
            };
            let settings = clouds::settings(check, &mut fields, backend.settings);
            check.finish(fields);
            Some((settings, verify))
        });
        for (name, (settings, verify)) in words {
            let forbidden = verify.map(|forbidden| (name.clone(), forbidden));
            stage.verify_forbidden.extend(forbidden);
            stage.clouds.insert(name, settings);
        }
    }
    if let Some(field) = fields.get("queues")
        && let Some(mapping) = check.map(&field)
    {
        for entry in mapping.entries() {
            let value = Field::entry(&field.path, entry);
            if let Some(mut fields) = check.fields(&value, "a queue in a stage") {
                let patch = queue::patch(check, &mut fields);
                stage.queues.insert(entry.key.clone(), patch);
                check.finish(fields);
            }
        }
    }
    if let Some(field) = fields.get("protect") {
        stage.protect = check.bool(&field).unwrap_or_default();
    }
    if let Some(field) = fields.get("expires") {
        stage.expires = check.duration(&field, Least::AboveZero);
    }
    check.finish(fields);
    stage
}

/// A template of names: text around `{name}`, and `{stage}` where wanted.
fn template<'a>(check: &mut Check<'a>, field: &Field<'a>) -> Option<&'a str> {
    let template = check.text(field)?;
    let fixed = template.replace("{name}", "").replace("{stage}", "");
    let odd = fixed
        .chars()
        .find(|&character| !(character.is_ascii_alphanumeric() || matches!(character, '-' | '_')));
    let detail = if !template.contains("{name}") {
        "without `{name}` all queues of the stage would have one name".to_owned()
    } else if let Some(odd) = odd {
        format!(
            "`{odd}` cannot stand in it: letters, digits, `-`, `_`, `{{name}}` and `{{stage}}` can"
        )
    } else {
        return Some(template);
    };
    check.report(
        field,
        Diagnostic::error("file/bad-value", "the value is not allowed")
            .with_detail(detail)
            .with_hint("write it as in `dev-{name}` or `{stage}-{name}`"),
    );
    None
}
