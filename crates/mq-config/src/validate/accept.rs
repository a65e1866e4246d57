//! `accept`: verdicts that the file's author knows about.

use jiff::civil::Date;
use mq_core::Diagnostic;
use mq_core::queue::Accept;

use crate::check::{Check, Field, list};
use crate::docs;
use crate::suggest::did_you_mean;
use crate::tree::NodeKind;

/// Reads the list.
pub(super) fn accepts<'a>(check: &mut Check<'a>, field: &Field<'a>) -> Vec<Accept> {
    let NodeKind::Sequence(items) = &field.node.kind else {
        check.wrong_type(field, "a list, as in `[ordering@azure]`");
        return Vec::new();
    };
    items
        .iter()
        .enumerate()
        .filter_map(|(index, item)| accept(check, &Field::item(&field.path, index, item)))
        .collect()
}

fn accept<'a>(check: &mut Check<'a>, field: &Field<'a>) -> Option<Accept> {
    if let NodeKind::Scalar(_) = field.node.kind {
        let (attribute, on) = what(check, field)?;
        return Some(Accept {
            attribute,
            on,
            because: None,
            until: None,
        });
    }
    let mut fields = check.fields(field, "`accept`")?;
    let named = check
        .required(
            &mut fields,
            "what",
            "name the verdict, as in `what: ordering@azure`",
        )
        .and_then(|field| what(check, &field));
    let because = fields
        .get("because")
        .and_then(|field| check.text(&field))
        .map(str::to_owned);
    let until = fields
        .get("until")
        .and_then(|field| date(check, &field))
        .map(str::to_owned);
    check.finish(fields);
    let (attribute, on) = named?;
    Some(Accept {
        attribute,
        on,
        because,
        until,
    })
}

/// `attribute` or `attribute@cloud`.
fn what<'a>(check: &mut Check<'a>, field: &Field<'a>) -> Option<(String, Option<String>)> {
    let text = check.text(field)?;
    let (attribute, on) = match text.split_once('@') {
        Some((attribute, on)) => (attribute, Some(on)),
        None => (text, None),
    };
    let known_cloud = on.is_none_or(|on| check.cloud(on, field).is_some());
    let native_or_label = ["native.", "labels."]
        .iter()
        .any(|prefix| attribute.len() > prefix.len() && attribute.starts_with(prefix));
    if !native_or_label && !docs::acceptable().any(|known| known == attribute) {
        let hint = did_you_mean(attribute, docs::acceptable())
            .unwrap_or_else(|| format!("it takes {}", list(docs::acceptable(), "and")));
        let quoted = check.quoted(attribute, &field.span);
        check.report(
            field,
            Diagnostic::error("file/unknown-attribute", "unknown attribute")
                .with_detail(format!("{quoted} is no attribute of a queue"))
                .with_hint(hint),
        );
        return None;
    }
    known_cloud.then(|| (attribute.to_owned(), on.map(str::to_owned)))
}

/// A day, as `2027-06-01`.
fn date<'a>(check: &mut Check<'a>, field: &Field<'a>) -> Option<&'a str> {
    const LENGTH: usize = "2027-06-01".len();
    let text = check.text(field)?;
    if text.len() == LENGTH && text.parse::<Date>().is_ok() {
        return Some(text);
    }
    let said = check.said(field);
    check.bad_value(field, format!("{said} is no day, as in `2027-06-01`"));
    None
}
