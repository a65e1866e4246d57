//! The report as Markdown, for the job summary of a CI system.

mod page;
mod tables;

use self::page::Page;
use super::Report;

/// What GitHub takes of one step is a mebibyte
/// (<https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>); what
/// else the step writes fits into the rest.
const BYTES_MAX: usize = 1_000_000;

/// The report as Markdown with GitHub's tables: the totals, then what differs and what failed, then
/// everything, folded.
///
/// It stays under GitHub's limit of a mebibyte; what is left out is counted at its place, and the
/// JSON report has it.
#[must_use]
pub fn markdown(report: &Report) -> String {
    let mut page = Page::new(BYTES_MAX);
    tables::summary(&mut page, report);
    tables::unexpected(&mut page, report);
    tables::leftovers(&mut page, report);
    tables::queues(&mut page, report);
    tables::differences(&mut page, report);
    tables::failures(&mut page, report);
    tables::everything(&mut page, report);
    page.into_text()
}
