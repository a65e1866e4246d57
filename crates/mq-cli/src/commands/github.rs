//! Files that a CI system reads: reports for people, and GitHub's outputs.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

use crate::app::App;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::render::endpoints::github;

/// The file for outputs of a step.
const OUTPUT_VARIABLE: &str = "GITHUB_OUTPUT";
/// The file for a step's summary.
const SUMMARY_VARIABLE: &str = "GITHUB_STEP_SUMMARY";

/// Writes a report to each file, and appends it to the summary of the step where there is one.
pub(crate) fn report<'a>(
    app: &App,
    files: impl Iterator<Item = &'a Path>,
    markdown: &str,
) -> Result<()> {
    for file in files {
        super::written(file, fs::write(file, markdown))?;
    }
    if let Some(summary) = app.environment.get(SUMMARY_VARIABLE) {
        append(Path::new(summary), &format!("{markdown}\n"))?;
    }
    Ok(())
}

/// Appends outputs of the step.
pub(crate) fn outputs<'a>(
    app: &App,
    outputs: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<()> {
    let file = app.environment.get(OUTPUT_VARIABLE).ok_or_else(|| {
        Failure::usage(format!(
            "`--output github` writes to the file that {OUTPUT_VARIABLE} names, which is not set"
        ))
        .with_hint("run it in a GitHub Actions step, or choose another `--output`")
    })?;
    let delimiter = format!("mq_{:032x}", rand::random::<u128>());
    append(Path::new(file), &github(outputs, &delimiter))
}

/// Tells the step how a command failed, where it can be told: the failure itself counts more.
pub(crate) fn exit_code(app: &App, exit: Exit) {
    let code = exit.code().to_string();
    if let Err(failure) = outputs(app, [("exitcode", code.as_str())]) {
        tracing::debug!(
            what = failure.what,
            "the exit code is not among the step's outputs"
        );
    }
}

fn append(file: &Path, text: &str) -> Result<()> {
    let opened = OpenOptions::new().append(true).create(true).open(file);
    super::written(
        file,
        opened.and_then(|mut to| to.write_all(text.as_bytes())),
    )
}
