//! The reference page of the file, made from [`crate::docs`] and what the backends declare.

use std::fmt::Write as _;

use mq_core::BackendInfo;
use mq_core::backend::{SettingInfo, SettingKind};

use crate::docs::{AttributeDoc, attributes, file_keys};
use crate::parse::{BYTES_MAX, COPIES_MAX, DEPTH_MAX};

/// The page, in Markdown.
#[must_use]
pub fn reference_markdown(backends: &[&'static BackendInfo]) -> String {
    let mut page = String::from("# The file\n");
    page.push_str(INTRODUCTION);
    let _ = write!(
        page,
        "A file has at most {} MiB and {DEPTH_MAX} levels; aliases may copy {},000 values.\n\n",
        BYTES_MAX >> 20,
        COPIES_MAX / 1_000
    );
    page.push_str("## Keys of the file\n\n");
    for doc in file_keys() {
        section(&mut page, doc, backends);
    }
    page.push_str("## Keys of a queue\n\n");
    overview(&mut page);
    for doc in attributes() {
        section(&mut page, doc, backends);
    }
    page.push_str("## What each cloud has of its own\n\n");
    for backend in backends {
        cloud(&mut page, backend);
    }
    page.truncate(page.trim_end().len());
    page.push('\n');
    page
}

const INTRODUCTION: &str = "
Durations are a whole number and a unit: `500ms`, `30s`, `5m`, `4h`, `14d`. Sizes are bytes, or a
number and `KiB`, `MiB` or `GiB`. Booleans are those of YAML 1.2: `true` and `false`. Unknown keys
and keys that stand twice are errors, and all errors of a file are reported at once.

`${VAR}`, `${VAR:-default}` and `${VAR:?message}` stand in values, never in keys, and are expanded
once: what a variable holds is not expanded again. `$${` is the text `${`.

Layers, each over the one before: what `mq` writes on create, `defaults`, the queue, the stage, the
queue's `overrides` for the cloud, and last those for the target. Maps merge key by key, lists
replace, and `null` takes back what the layers below say. Queues and targets are named by
`[a-z][a-z0-9_-]{0,49}`, the stack and the stages by `[a-z][a-z0-9-]{0,30}`.

";

fn overview(page: &mut String) {
    page.push_str("| key | takes | when left out | may change in place |\n|---|---|---|---|\n");
    for doc in attributes() {
        let _ = writeln!(
            page,
            "| [`{}`](#{}) | {} | {} | {} |",
            doc.path,
            anchor(doc.path),
            doc.takes.words(),
            cell(doc.default),
            cell(doc.in_place)
        );
    }
    page.push('\n');
}

fn section(page: &mut String, doc: &AttributeDoc, backends: &[&'static BackendInfo]) {
    let _ = write!(page, "### {}\n\n{}\n\n", doc.path, doc.doc);
    let _ = writeln!(page, "- takes: {}", doc.takes.words());
    let _ = if doc.required() {
        writeln!(page, "- required")
    } else {
        writeln!(page, "- left out: {}", doc.default)
    };
    let _ = writeln!(page, "- may change in place: {}", doc.in_place);
    for backend in backends {
        let native = doc.native.iter().find(|(id, _)| *id == backend.id);
        if let Some((_, names)) = native {
            let _ = writeln!(page, "- {}: {}", backend.service, code_list(names));
        }
    }
    let _ = write!(page, "\n```yaml\n{}\n```\n\n", doc.example);
}

fn cloud(page: &mut String, backend: &BackendInfo) {
    let _ = write!(page, "### {} (`{}`)\n\n", backend.service, backend.id);
    let _ = write!(
        page,
        "`names` takes {}.\n\n",
        code_list(&backend.names.join(", "))
    );
    settings(page, "Settings under `clouds`", backend.settings);
    settings(
        page,
        "Attributes under `overrides` `native`",
        backend.native,
    );
}

fn settings(page: &mut String, title: &str, known: &[SettingInfo]) {
    if known.is_empty() {
        return;
    }
    let _ = write!(
        page,
        "{title}:\n\n| key | takes | meaning |\n|---|---|---|\n"
    );
    for info in known {
        let _ = writeln!(
            page,
            "| `{}` | {} | {} |",
            info.name,
            kind(info.kind),
            cell(info.doc)
        );
    }
    page.push('\n');
}

fn kind(kind: SettingKind) -> String {
    match kind {
        SettingKind::Text => "text".to_owned(),
        SettingKind::Digits => "digits, in quotes".to_owned(),
        SettingKind::Integer => "whole number".to_owned(),
        SettingKind::Bool => "boolean".to_owned(),
        SettingKind::Duration => "duration".to_owned(),
        SettingKind::OneOf(words) => words.join(" or "),
    }
}

/// How GitHub makes a link's target of a heading.
fn anchor(path: &str) -> String {
    path.replace('.', "")
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn code_list(names: &str) -> String {
    let each: Vec<String> = names.split(", ").map(|name| format!("`{name}`")).collect();
    each.join(", ")
}
