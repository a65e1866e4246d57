//! Where a cloud differs from the file.

use std::collections::BTreeMap;
use std::fmt::Write;

use mq_core::plan::{Action, Change, Plan};
use mq_core::value::Value;

use super::plan::place;
use super::text::line;
use crate::palette::Palette;

/// The state of one target: each queue, each of its resources, each attribute that differs.
pub(crate) fn status(plan: &Plan, palette: Palette) -> String {
    let Palette { strong, .. } = palette;
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{strong}{}{strong:#}",
        line(&place(&plan.target, &plan.scope))
    );
    let mut queues: BTreeMap<&str, Vec<&Change>> = BTreeMap::new();
    for change in &plan.changes {
        queues
            .entry(&change.resource.queue)
            .or_default()
            .push(change);
    }
    for (queue, changes) in queues {
        let _ = writeln!(out, "  {}", line(queue));
        for change in changes {
            resource(&mut out, change, palette);
        }
    }
    out
}

fn resource(out: &mut String, change: &Change, palette: Palette) {
    let Palette {
        good,
        notice,
        faint,
        ..
    } = palette;
    let word = word(change);
    let style = if word == AS_WRITTEN { good } else { notice };
    let id = change.resource.id.to_string();
    let _ = writeln!(out, "    {} {style}{word}{style:#}", line(&id));
    if change.observed.present.is_some() {
        for attribute in &change.attributes {
            let name = attribute.attribute.as_deref().unwrap_or(&attribute.name);
            let seen = attribute
                .from
                .as_ref()
                .unwrap_or(&Value::Absent)
                .to_string();
            let _ = writeln!(
                out,
                "      {} = {}, and the file says {}  {faint}# {}{faint:#}",
                line(name),
                line(&seen),
                line(&attribute.to.to_string()),
                line(&attribute.name)
            );
        }
    }
    if let Some(refusal) = &change.refusal {
        let _ = writeln!(out, "      {faint}# {}{faint:#}", line(&refusal.why));
    }
    if !change.unmanaged.is_empty() {
        let pairs = change
            .unmanaged
            .iter()
            .map(|(name, value)| format!("{name} = {value}"));
        let pairs = pairs.collect::<Vec<_>>().join(", ");
        let _ = writeln!(
            out,
            "      {faint}# not in the file: {}{faint:#}",
            line(&pairs)
        );
    }
}

const AS_WRITTEN: &str = "is as the file says";

fn word(change: &Change) -> &'static str {
    match (&change.observed.present, change.action) {
        (None, Action::Delete) => "is gone",
        (None, _) => "is missing",
        (Some(_), Action::Adopt) => "is there, and is not ours",
        (Some(_), Action::NoOp) if change.attributes.is_empty() && change.refusal.is_none() => {
            AS_WRITTEN
        }
        (Some(_), Action::Delete) => "is ours, and not in the file",
        (Some(_), _) => "differs",
    }
}

#[cfg(test)]
mod tests {
    use mq_core::plan::PlanOptions;

    use super::super::samples::{absent, compare, observed, plan, queue, seconds};
    use super::*;

    #[test]
    fn each_resource_says_how_it_is() {
        let options = PlanOptions::default();
        let [well, differs, missing, foreign] = ["a", "b", "c", "d"].map(|name| queue(name, 60));
        let mut theirs = observed(&foreign, &[]);
        if let Some(present) = &mut theirs.present {
            present.marker = None;
        }
        let seen = observed(&well, &[("KmsMasterKeyId", Value::text("alias/x"))]);
        let old = observed(&differs, &[("VisibilityTimeout", seconds(30))]);
        let none = absent(&missing);
        let text = status(
            &plan(vec![
                compare(well, seen, &options),
                compare(differs, old, &options),
                compare(missing, none, &options),
                compare(foreign, theirs, &options),
            ]),
            Palette::default(),
        );
        insta::assert_snapshot!(text, @r#"
        aws (111122223333/eu-west-1)
          a
            sqs.queue "a" is as the file says
              # not in the file: KmsMasterKeyId = "alias/x", ReceiveMessageWaitTimeSeconds = 20s
          b
            sqs.queue "b" differs
              visibility_timeout = 30s, and the file says 1m  # VisibilityTimeout
              # not in the file: ReceiveMessageWaitTimeSeconds = 20s
          c
            sqs.queue "c" is missing
          d
            sqs.queue "d" is there, and is not ours
              # it is there already and `mq` did not make it
              # not in the file: ReceiveMessageWaitTimeSeconds = 20s
        "#);
    }
}
