//! The files that a run writes: reports, and the summary of a GitHub step.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use mq_suite::{Report, report};

use crate::app::App;
use crate::args::{ReportKind, SuiteReport, VerifyArgs};
use crate::commands::{github, written};
use crate::failure::{Failure, Result};

/// Where the reports of a run go: files that can be written.
#[derive(Debug)]
pub(super) struct Reports(Vec<SuiteReport>);

impl Reports {
    /// Refuses, before anything is run, a file that cannot be written. What an earlier run wrote
    /// there goes: where this one comes to nothing, nobody shall take that for its result.
    pub(super) fn prepare(args: &VerifyArgs) -> Result<Reports> {
        for report in &args.reports {
            writable(&report.file)?;
        }
        no_file_twice(args)?;
        for report in &args.reports {
            let is_file = fs::symlink_metadata(&report.file).is_ok_and(|it| it.is_file());
            if is_file {
                written(&report.file, fs::remove_file(&report.file))?;
            }
        }
        Ok(Reports(args.reports.clone()))
    }

    /// Writes them all, and says which could not be written.
    pub(super) fn write(&self, app: &App, found: &Report) -> Vec<Failure> {
        let files = self.0.iter().map(|one| {
            let text = match one.kind {
                ReportKind::Junit => report::junit(found),
                ReportKind::Json => report::json(found),
                ReportKind::Markdown => report::markdown(found),
                ReportKind::Html => report::html(found),
            };
            written(&one.file, fs::write(&one.file, text))
        });
        let mut results: Vec<Result<()>> = files.collect();
        results.push(github::report(
            app,
            std::iter::empty(),
            &report::markdown(found),
        ));
        results.into_iter().filter_map(Result::err).collect()
    }
}

/// A report that is written over the file of queues, the baseline or another report would lose it.
fn no_file_twice(args: &VerifyArgs) -> Result<()> {
    let mut taken: Vec<(PathBuf, &str)> = vec![(real(&args.file.file), "the file of queues")];
    taken.extend(
        args.baseline
            .iter()
            .map(|file| (real(file), "the baseline")),
    );
    for report in &args.reports {
        let path = real(&report.file);
        if let Some((_, what)) = taken.iter().find(|(other, _)| *other == path) {
            let file = report.file.display();
            return Err(Failure::usage(format!("{file} is {what} too"))
                .with_hint("give each `--report` a file of its own"));
        }
        taken.push((path, "another report"));
    }
    Ok(())
}

/// The path without links and detours; of a file that is not there yet, in its folder.
fn real(file: &Path) -> PathBuf {
    let in_folder = || {
        let folder = file.parent().filter(|it| !it.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new(".")).canonicalize().ok()?;
        Some(folder.join(file.file_name()?))
    };
    file.canonicalize()
        .ok()
        .or_else(in_folder)
        .unwrap_or_else(|| file.to_owned())
}

/// Makes sure that a file can be written at the end of a run, its folder included.
pub(super) fn writable(file: &Path) -> Result<()> {
    try_writing(file).map_err(|error| {
        Failure::usage(format!(
            "{} cannot be written, and nothing was run",
            file.display()
        ))
        .because(error.to_string())
    })
}

fn try_writing(file: &Path) -> io::Result<()> {
    if let Some(folder) = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        fs::create_dir_all(folder)?;
    }
    let is_new = !file.exists();
    OpenOptions::new().append(true).create(true).open(file)?;
    if is_new {
        // Nothing has been found yet: an empty report would say otherwise.
        fs::remove_file(file)?;
    }
    Ok(())
}
