//! Reports for a CI job's summary.

use std::fmt::Write;

use mq_core::Plan;

use super::plan::{place, plan};
use super::text::line;
use crate::palette::Palette;

/// Plans as Markdown: a heading and the plan's own text for each target.
pub(crate) fn plans(plans: &[&Plan]) -> String {
    let mut out = String::from("## Plan\n");
    for one in plans {
        let text = plan(one, Palette::default());
        // A fence must be longer than any run of backticks in it.
        let longest = text
            .split(|character| character != '`')
            .map(str::len)
            .max()
            .unwrap_or(0);
        let fence = "`".repeat(longest.max(2) + 1);
        let place = place(&one.target, &one.scope);
        let _ = writeln!(
            out,
            "\n### {}\n\n{fence}text\n{}{fence}",
            line(&place),
            text
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use mq_core::plan::PlanOptions;

    use super::super::samples::{absent, compare, plan, queue};
    use super::*;

    #[test]
    fn a_name_cannot_end_the_fence() {
        let nasty = queue("or```ders", 30);
        let nothing = absent(&nasty);
        let text = plans(&[&plan(vec![compare(
            nasty,
            nothing,
            &PlanOptions::default(),
        )])]);
        assert!(
            text.contains("````text\n") && text.ends_with("````\n"),
            "{text}"
        );
    }
}
