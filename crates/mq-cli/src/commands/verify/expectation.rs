//! `--baseline`: what a run is expected to find.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use mq_suite::report::baseline::{Baseline, KnownCase, known_cases};
use mq_suite::{Report, Selection};

use super::reports::writable;
use super::subjects::Prepared;
use crate::app::App;
use crate::args::VerifyArgs;
use crate::commands::written;
use crate::failure::{Failure, Result};

/// The file of what is expected, as it is before the run.
#[derive(Debug)]
pub(super) struct Expectation {
    file: PathBuf,
    baseline: Baseline,
    update: bool,
}

impl Expectation {
    /// Reads the file before anything is run; one that is to be written need not be there yet.
    pub(super) fn read(args: &VerifyArgs) -> Result<Option<Expectation>> {
        let Some(file) = args.baseline.clone() else {
            return Ok(None);
        };
        let name = file.display();
        let refuse = |why: String| Failure::usage(format!("failed to read {name}")).because(why);
        let baseline = match fs::read_to_string(&file) {
            Ok(text) => Baseline::parse(&text).map_err(|error| refuse(error.to_string()))?,
            Err(error) if error.kind() == ErrorKind::NotFound && args.update_baseline => Baseline {
                schema_version: mq_suite::report::baseline::SCHEMA_VERSION,
                targets: Default::default(),
            },
            Err(error) => {
                let failure = refuse(error.to_string());
                return Err(failure.with_hint("write it from this run with `--update-baseline`"));
            }
        };
        if args.update_baseline {
            writable(&file)?;
        }
        Ok(Some(Expectation {
            file,
            baseline,
            update: args.update_baseline,
        }))
    }

    /// Compares the run with it, and writes it anew where that was asked for.
    pub(super) fn settle(
        &self,
        app: &App,
        report: &mut Report,
        prepared: &Prepared,
        selection: &Selection,
    ) -> Result<()> {
        let left_out = prepared.input.left_out();
        let known = known_cases(&prepared.subjects, &left_out, selection);
        let name = self.file.display().to_string();
        // What could not be carried through is nothing to expect the next time.
        let stays = match (report.interrupted, report.totals.errors) {
            (true, _) => Some("the run did not come to its end"),
            (false, 1..) => Some("some cases could not be carried through"),
            (false, 0) => None,
        };
        match stays {
            None if self.update => return self.write(app, report, &known, &name),
            Some(why) if self.update => {
                let what = format!("{name} stays as it is: {why}");
                app.printer.warning(&what, None);
            }
            _ => {}
        }
        report.baseline = Some(self.baseline.compare(&name, report, &known));
        Ok(())
    }

    fn write(&self, app: &App, report: &mut Report, known: &[KnownCase], name: &str) -> Result<()> {
        let changed = self.baseline.compare(name, report, known).differences.len();
        let next = self.baseline.merge(report, known);
        report.baseline = Some(next.compare(name, report, known));
        written(&self.file, fs::write(&self.file, next.to_text()))?;
        app.printer.note(format_args!(
            "{name} is written from this run: {changed} changed"
        ));
        Ok(())
    }
}
