//! Plans that are shown and not applied: what `mq plan` and `mq status` have in common.

use mq_core::Plan;

use super::github;
use super::planning::Planned;
use crate::app::App;
use crate::args::PlanOutput;
use crate::exit::Exit;
use crate::failure::{Findings, Result};
use crate::palette::Palette;
use crate::render::document::{CloudDocument, CloudOutcome, RunDocument, SCHEMA_VERSION};

/// Plans to be shown.
pub(crate) struct Shown<'a> {
    pub(crate) command: &'static str,
    pub(crate) output: PlanOutput,
    pub(crate) detailed_exitcode: bool,
    /// Whether the clouds are otherwise than the file says.
    pub(crate) differs: bool,
    pub(crate) planned: &'a [Planned],
    pub(crate) findings: &'a Findings,
}

impl Shown<'_> {
    /// Shows them in the chosen form, as text through `render`.
    pub(crate) fn show(&self, app: &App, render: fn(&Plan, Palette) -> String) -> Result<Exit> {
        let detailed = if self.differs {
            Exit::ChangesPending
        } else {
            Exit::Done
        };
        let exit = match self.output {
            // The step goes on, and reads `changes` and `exitcode`.
            PlanOutput::Github => Exit::Done,
            PlanOutput::Text | PlanOutput::Json if self.detailed_exitcode => detailed,
            PlanOutput::Text | PlanOutput::Json => Exit::Done,
        };
        if self.output == PlanOutput::Json {
            app.printer.document(&RunDocument {
                schema_version: SCHEMA_VERSION,
                command: Some(self.command),
                exit_code: exit.code(),
                error: None,
                diagnostics: self.findings.documents(),
                clouds: self.planned.iter().map(document).collect(),
            });
            return Ok(exit);
        }
        let palette = app.printer.result_palette();
        let texts: Vec<String> = self
            .planned
            .iter()
            .map(|one| render(&one.plan, palette))
            .collect();
        app.printer.result(&texts.join("\n"));
        if self.output == PlanOutput::Github {
            let code = detailed.code().to_string();
            let changes = if self.differs { "true" } else { "false" };
            github::outputs(app, [("changes", changes), ("exitcode", &code)])?;
        }
        Ok(exit)
    }
}

/// A plan as a cloud's part of the document.
pub(crate) fn document(planned: &Planned) -> CloudDocument<'_> {
    let outcome = if planned.plan.pending() {
        CloudOutcome::Pending
    } else {
        CloudOutcome::Unchanged
    };
    CloudDocument {
        cloud: &planned.plan.target,
        backend: &planned.plan.backend,
        scope: Some(&planned.plan.scope),
        outcome,
        exit_code: Exit::Done.code(),
        error: None,
        plan: Some((&planned.plan).into()),
        results: None,
        findings: None,
        endpoints: None,
    }
}
