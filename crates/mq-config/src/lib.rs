//! `mq.yaml`: text to [`mq_core::Spec`], with every mistake at its place.
//!
//! ```text
//! text ─parse→ tree ─interpolate→ tree ─validate→ Spec
//! ```
//!
//! All layers of the file stay apart here; [`mq_core::Spec::resolve`] merges them for one stage
//! and one target. [`load`] never fails: it returns what it found wrong, all of it at once.

mod check;
mod docs;
mod docs_tables;
mod interpolate;
mod parse;
mod reference;
mod render;
mod schema;
mod secret;
mod source_map;
mod suggest;
mod template;
mod tree;
mod validate;

use std::collections::HashSet;

use mq_core::{BackendInfo, Diagnostic, Severity, Spec};

pub use docs::{AttributeDoc, Takes, attributes, explain, file_keys};
pub use parse::{BYTES_MAX, COPIES_MAX, DEPTH_MAX};
pub use reference::reference_markdown;
pub use render::render;
pub use schema::schema;
pub use source_map::{Position, SourceMap};
pub use template::template;

use check::{NameRule, list, with_hint};

/// What a file holds and what is wrong with it.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The file; `None` when one of the diagnostics is an error.
    pub spec: Option<Spec>,
    /// Everything that was found, in the order of the file.
    pub diagnostics: Vec<Diagnostic>,
    /// Where everything stands.
    pub source: SourceMap,
}

/// Reads a file. `environment` looks up the variables that it names; `backends` declare the
/// settings and native attributes that it may state.
#[must_use]
pub fn load(
    text: &str,
    environment: &dyn Fn(&str) -> Option<String>,
    backends: &[&'static BackendInfo],
) -> Loaded {
    let (mut root, mut diagnostics) = parse::parse(text);
    if let Some(root) = &mut root {
        diagnostics.extend(interpolate::interpolate(root, text, environment));
        diagnostics.extend(secret::warnings(root));
    }
    let source = SourceMap::new(text, root);
    let (spec, found) = validate::validate(&source, backends);
    diagnostics.extend(found);
    in_order(&mut diagnostics);
    let failed = diagnostics
        .iter()
        .any(|diagnostic| diagnostic.severity == Severity::Error);
    Loaded {
        spec: (!failed).then_some(spec),
        diagnostics,
        source,
    }
}

/// Sorts by place. A value that aliases repeat is wrong in one place, and said once.
fn in_order(diagnostics: &mut Vec<Diagnostic>) {
    let start = |diagnostic: &Diagnostic| diagnostic.span.as_ref().map_or(0, |span| span.start);
    diagnostics.sort_by_key(start);
    let mut seen = HashSet::new();
    diagnostics.retain(|found| seen.insert((found.id, found.span.clone(), found.detail.clone())));
}

/// The stage that a command runs on. `stages` in the file is a closed list; without it any name
/// is taken, and so is none.
///
/// # Errors
/// When the file has stages and none or an unknown one is given, or the name is not allowed.
#[expect(
    clippy::result_large_err,
    reason = "asked once per command, and the caller shows the diagnostic as it is"
)]
pub fn select_stage(spec: &Spec, stage: Option<&str>) -> Result<Option<String>, Diagnostic> {
    let Some(stages) = &spec.stages else {
        return match stage {
            Some(name) if !NameRule::Owner.allows(name) => Err(NameRule::Owner
                .refusal(&format!("`{}`", check::excerpt(name)))
                .with_hint("choose another `--stage`")),
            chosen => Ok(chosen.map(str::to_owned)),
        };
    };
    let known = || stages.keys().map(String::as_str);
    let Some(name) = stage else {
        return Err(
            Diagnostic::error("file/stage-required", "a stage must be chosen")
                .with_detail(format!("the file has the stages {}", list(known(), "and")))
                .with_path("stages")
                .with_hint("add `--stage NAME`, or set MQ_STAGE"),
        );
    };
    if stages.contains_key(name) {
        return Ok(Some(name.to_owned()));
    }
    let refusal = Diagnostic::error("file/unknown-stage", "unknown stage")
        .with_detail(format!(
            "`{}` is not a stage of this file, which has {}",
            check::excerpt(name),
            list(known(), "and")
        ))
        .with_path("stages");
    Err(with_hint(refusal, suggest::did_you_mean(name, known())))
}
