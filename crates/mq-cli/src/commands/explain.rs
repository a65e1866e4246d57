//! `mq explain`: an attribute of the file, in words.

use std::fmt::Write;

use mq_config::AttributeDoc;

use crate::app::App;
use crate::args::ExplainArgs;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::palette::Palette;

pub(crate) fn run(app: &App, args: &ExplainArgs) -> Result<Exit> {
    let palette = app.printer.result_palette();
    let text = match &args.attribute {
        None => list(palette),
        Some(path) => match mq_config::explain(path) {
            Ok(doc) => explanation(doc, palette),
            Err(nearest) => {
                let failure = Failure::usage(format!("the file has no attribute `{path}`"));
                return Err(failure.with_hint(match nearest {
                    Some(meant) => format!("did you mean `mq explain {meant}`?"),
                    None => "`mq explain` lists them all".to_owned(),
                }));
            }
        },
    };
    app.printer.result(&text);
    Ok(Exit::Done)
}

/// Every attribute, one line each.
fn list(palette: Palette) -> String {
    let Palette { strong, .. } = palette;
    let mut out = String::new();
    for (heading, docs) in [
        ("Of a queue", mq_config::attributes()),
        ("Of the file", mq_config::file_keys()),
    ] {
        let width = docs.iter().map(|doc| doc.path.len()).max().unwrap_or(0);
        let _ = writeln!(out, "{strong}{heading}{strong:#}");
        for doc in docs {
            let first = doc
                .doc
                .split_inclusive(['.', ':'])
                .next()
                .unwrap_or(doc.doc);
            let _ = writeln!(
                out,
                "  {:width$}  {}",
                doc.path,
                first.trim_end_matches(['.', ':'])
            );
        }
    }
    out
}

fn explanation(doc: &AttributeDoc, palette: Palette) -> String {
    let Palette { strong, faint, .. } = palette;
    let mut out = String::new();
    let _ = writeln!(out, "{strong}{}{strong:#}\n\n  {}\n", doc.path, doc.doc);
    let mut field = |name: &str, value: &str| {
        if !value.is_empty() {
            let _ = writeln!(out, "  {faint}{name:<10}{faint:#}  {value}");
        }
    };
    field("takes", &doc.takes.words());
    field("left out", doc.default);
    field("in place", doc.in_place);
    for (backend, name) in doc.native {
        field(backend, name);
    }
    if !doc.example.is_empty() {
        let _ = writeln!(out, "\n  {}", doc.example.trim_end().replace('\n', "\n  "));
    }
    out
}
