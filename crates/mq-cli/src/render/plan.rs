//! A plan for people. Its words are an interface: golden tests hold them.

use std::fmt::Write;

use anstyle::Style;
use mq_core::plan::{Action, AttributeChange, Change, Plan, Tally};
use mq_core::resource::{Authority, Counts};
use mq_core::{Scope, Value};

use super::text::{count, line};
use crate::palette::Palette;

/// Trailing remarks are aligned up to this column and follow the value after it.
const REMARK_COLUMN_MAX: usize = 48;

/// The plan as text, from its heading to its summary.
pub(crate) fn plan(plan: &Plan, palette: Palette) -> String {
    let mut out = String::new();
    let shown: Vec<&Change> = plan
        .changes
        .iter()
        .filter(|change| is_shown(change))
        .collect();
    let place = place(&plan.target, &plan.scope);
    if shown.is_empty() {
        let _ = writeln!(
            out,
            "{}: nothing to do, everything is as it should be.",
            line(&place)
        );
        return out;
    }
    let Palette { strong, .. } = palette;
    let heading = heading(plan, &line(&place));
    let _ = writeln!(out, "{strong}{heading}{strong:#}");
    legend(&mut out, &shown, palette);
    out.push('\n');
    for change in shown {
        self::change(&mut out, change, palette);
    }
    let _ = writeln!(out, "\n{}", summary(plan.tally()));
    out
}

/// One refused change keeps all of a target's changes from being made.
fn heading(plan: &Plan, place: &str) -> String {
    if plan.refusals().next().is_some() {
        format!("mq will do nothing in {place} as long as one of these changes is refused:")
    } else if plan.writes() {
        format!("mq will perform the following actions in {place}:")
    } else {
        format!("mq will do nothing in {place}, where this differs:")
    }
}

/// `aws (111122223333/eu-west-1)`
pub(crate) fn place(target: &str, scope: &Scope) -> String {
    if scope.label.is_empty() {
        target.to_owned()
    } else {
        format!("{target} ({})", scope.label)
    }
}

/// `Plan: 2 to add, 1 to change, 1 to destroy.`
pub(crate) fn summary(tally: Tally) -> String {
    let Tally {
        add,
        change,
        destroy,
        refused,
    } = tally;
    let refused = if refused == 0 {
        String::new()
    } else {
        format!(", {refused} refused")
    };
    format!("Plan: {add} to add, {change} to change, {destroy} to destroy{refused}.")
}

fn is_shown(change: &Change) -> bool {
    change.action != Action::NoOp || change.refusal.is_some() || change.drifts_unmanaged()
}

/// An action's sign and what will happen to the resource.
fn wording(action: Action) -> (&'static str, &'static str, &'static str) {
    match action {
        Action::Create => ("+", "will be created", "create"),
        Action::Update => ("~", "will be updated in place", "update in place"),
        Action::Replace => (
            "-/+",
            "will be destroyed and created anew",
            "destroy and create anew",
        ),
        Action::Adopt => (
            "^",
            "will be adopted",
            "adopt: it gets our marker, and what the file states",
        ),
        Action::Delete => ("-", "will be destroyed", "destroy"),
        Action::NoOp => ("!", "differs, and is not managed here", "not managed here"),
    }
}

/// What will not happen.
fn refused(change: &Change) -> &'static str {
    match (change.action, &change.observed.present) {
        (Action::Create, _) => "will not be created",
        (Action::Update, _) => "will not be updated",
        (Action::Replace, _) => "will not be created anew",
        (Action::Adopt, _) => "will not be adopted",
        (Action::Delete, _) => "will not be destroyed",
        (Action::NoOp, None) => "is missing",
        (Action::NoOp, Some(_)) => "is in the way",
    }
}

fn style(action: Action, palette: Palette) -> Style {
    match action {
        Action::Create => palette.good,
        Action::Update | Action::Adopt | Action::NoOp => palette.notice,
        Action::Replace | Action::Delete => palette.bad,
    }
}

/// Says what the signs mean, those that are used.
fn legend(out: &mut String, shown: &[&Change], palette: Palette) {
    let order = [
        Action::Create,
        Action::Update,
        Action::Adopt,
        Action::Replace,
        Action::Delete,
        Action::NoOp,
    ];
    for action in order {
        if shown.iter().any(|change| change.action == action) {
            let style = style(action, palette);
            let (sign, _, meaning) = wording(action);
            let _ = writeln!(out, "{style}{sign:>5}{style:#} {meaning}");
        }
    }
}

fn change(out: &mut String, change: &Change, palette: Palette) {
    let Palette { bad, faint, .. } = palette;
    let style = style(change.action, palette);
    let (sign, verb, _) = wording(change.action);
    let verb = match &change.refusal {
        Some(_) => refused(change),
        None => verb,
    };
    let id = change.resource.id.to_string();
    let _ = writeln!(out, "{style}{sign:>3}{style:#} {} {verb}", line(&id));
    for row in rows(change) {
        row.write(out, palette);
    }
    for remark in remarks(change) {
        let _ = writeln!(out, "      {faint}# {}{faint:#}", line(&remark));
    }
    if let Some(refusal) = &change.refusal {
        let _ = writeln!(out, "      {bad}# refused: {}{bad:#}", line(&refusal.why));
        let _ = writeln!(out, "      {faint}# {}{faint:#}", line(&refusal.hint));
    }
}

/// One attribute: `name = value   # remark`.
struct Row {
    name: String,
    name_width: usize,
    value: String,
    value_width: usize,
    remark: Option<String>,
}

impl Row {
    fn write(&self, out: &mut String, palette: Palette) {
        let Palette { faint, .. } = palette;
        let value = line(&self.value);
        let _ = write!(
            out,
            "      {:name_width$} = {value}",
            self.name,
            name_width = self.name_width
        );
        if let Some(remark) = &self.remark {
            let padding = self.value_width.saturating_sub(value.chars().count());
            let _ = write!(out, "{:padding$}  {faint}# {}{faint:#}", "", line(remark));
        }
        out.push('\n');
    }
}

/// The rows of a change. A removal shows none: what goes is the whole resource.
fn rows(change: &Change) -> Vec<Row> {
    if change.action == Action::Delete {
        return Vec::new();
    }
    let creates = change.action == Action::Create;
    let mut rows: Vec<Row> = change
        .attributes
        .iter()
        .map(|attribute| row(attribute, creates))
        .collect();
    let name_width = rows
        .iter()
        .map(|row| row.name.chars().count())
        .max()
        .unwrap_or(0);
    let value_width = rows
        .iter()
        .map(|row| row.value.chars().count())
        .filter(|width| *width <= REMARK_COLUMN_MAX)
        .max()
        .unwrap_or(0);
    for row in &mut rows {
        row.name_width = name_width;
        row.value_width = value_width;
    }
    rows
}

fn row(attribute: &AttributeChange, creates: bool) -> Row {
    // The file's own word is on the left, and the service's beside it where it is another.
    let (name, native) = match &attribute.attribute {
        Some(path) => (path.to_string(), Some(attribute.name.clone())),
        None => (attribute.name.clone(), None),
    };
    let native = native.filter(|native| *native != name);
    let value = if creates {
        attribute.to.to_string()
    } else {
        let from = attribute.from.as_ref().unwrap_or(&Value::Absent);
        format!("{from} -> {}", attribute.to)
    };
    let fixed = attribute
        .forces_replacement
        .then(|| "is fixed at creation".to_owned());
    let warning = Some(attribute.warning.to_string()).filter(|warning| !warning.is_empty());
    let parts: Vec<String> = native.into_iter().chain(fixed).chain(warning).collect();
    let remark = (!parts.is_empty()).then(|| parts.join("; "));
    Row {
        name: line(&name).into_owned(),
        name_width: 0,
        value,
        value_width: 0,
        remark,
    }
}

/// What else is to be known: what stays hidden, what is left as it is, what is lost.
fn remarks(change: &Change) -> Vec<String> {
    let mut remarks = Vec::new();
    if matches!(change.action, Action::Update | Action::Replace) {
        let compared = change
            .resource
            .attributes
            .iter()
            .filter(|wanted| wanted.authority == Authority::File);
        let unchanged = compared.count().saturating_sub(change.attributes.len());
        if unchanged > 0 {
            remarks.push(format!(
                "{} hidden",
                count(unchanged, "unchanged attribute")
            ));
        }
    }
    match change.action {
        Action::Adopt => {
            let left = change.unmanaged.iter();
            remarks.extend(left.map(|(name, value)| format!("stays as it is: {name} = {value}")));
        }
        Action::Update if !change.unmanaged.is_empty() => {
            let left = count(change.unmanaged.len(), "attribute");
            remarks.push(format!(
                "{left} that the file does not state, left as they are"
            ));
        }
        _ => {}
    }
    if let Some(loss) = change
        .counts
        .as_ref()
        .filter(|_| change.refusal.is_none())
        .and_then(loss)
    {
        remarks.push(loss);
    }
    remarks
}

fn loss(counts: &Counts) -> Option<String> {
    match counts.total() {
        Some(0) => None,
        Some(total) => {
            let total = usize::try_from(total).unwrap_or(usize::MAX);
            Some(format!("{} will be lost", count(total, "message")))
        }
        None => {
            let why = counts
                .unknown_because
                .as_deref()
                .unwrap_or("the service does not tell");
            Some(format!("messages may be lost: {why}"))
        }
    }
}

#[cfg(test)]
mod tests;
