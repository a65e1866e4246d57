//! The file's own queues, attribute by attribute: are these equivalent on these clouds?

use std::collections::{BTreeSet, HashMap};

use mq_core::plan::PlanOptions;
use mq_core::provisioner::{self, Request};
use mq_core::resource::Authority;
use mq_core::{Change, Plan, ResolvedQueue, Result, Value, Verdict, judge};
use tokio_util::sync::CancellationToken;

use crate::report::{AttributeCell, AttributeRow, Live, QueueComparison};
use crate::subject::Subject;

/// Compares the queues of the file on these clouds, as of `today` (`2026-11-24`: an `accept` may
/// have an end). With `live` what is there is read and compared with the file; nothing is written,
/// sent or received.
///
/// # Errors
/// Of the first read that fails.
pub async fn compare(
    subjects: &[Subject],
    live: bool,
    today: &str,
    cancel: &CancellationToken,
) -> Result<Vec<QueueComparison>> {
    let mut plans = Vec::new();
    for subject in subjects {
        plans.push(if live {
            read(subject, cancel).await?
        } else {
            None
        });
    }
    let columns: Vec<Column<'_>> = subjects
        .iter()
        .zip(&plans)
        .map(|(subject, found)| Column::new(subject, found.as_ref(), today))
        .collect();
    let queues = subjects.iter().flat_map(|subject| &subject.queues);
    let names: BTreeSet<&str> = queues.map(|queue| queue.logical.as_str()).collect();
    let compare = |name| QueueComparison {
        queue: str::to_owned(name),
        attributes: attributes(&columns, name),
    };
    Ok(names.into_iter().map(compare).collect())
}

/// What provision would do with what is there.
async fn read(subject: &Subject, cancel: &CancellationToken) -> Result<Option<Plan>> {
    let Some(first) = subject.queues.first() else {
        return Ok(None);
    };
    let request = Request {
        target: &subject.target.name,
        backend: &subject.target.backend,
        scope: &subject.scope,
        owner: &first.owner,
        queues: &subject.queues,
        whole_file: true,
    };
    let control = subject.control(cancel.clone());
    let plan = provisioner::plan(&control, &request, &PlanOptions::default()).await?;
    Ok(Some(plan))
}

/// One cloud.
struct Column<'a> {
    subject: &'a Subject,
    queues: HashMap<&'a str, Compared<'a>>,
    /// Whether what is there was looked at.
    looked: bool,
    today: &'a str,
}

/// One queue of the file there: lowered once, and its parts found once, however many attributes are
/// asked for.
struct Compared<'a> {
    queue: &'a ResolvedQueue,
    verdicts: Vec<Verdict>,
    /// What provision would do with each part, where that was looked at.
    parts: Vec<&'a Change>,
}

impl<'a> Column<'a> {
    fn new(subject: &'a Subject, found: Option<&'a Plan>, today: &'a str) -> Self {
        let control = subject.backend.control();
        let compared = |queue: &'a ResolvedQueue| Compared {
            queue,
            verdicts: control.lower(queue, &subject.scope).verdicts,
            parts: Vec::new(),
        };
        let mut queues: HashMap<&str, Compared<'_>> = subject
            .queues
            .iter()
            .map(|queue| (queue.logical.as_str(), compared(queue)))
            .collect();
        for part in found.into_iter().flat_map(|plan| &plan.changes) {
            if let Some(compared) = queues.get_mut(part.resource.queue.as_str()) {
                compared.parts.push(part);
            }
        }
        Column {
            subject,
            queues,
            looked: found.is_some(),
            today,
        }
    }

    fn verdicts(&self, name: &str) -> &[Verdict] {
        let compared = self.queues.get(name);
        compared.map_or(&[], |compared| &compared.verdicts)
    }

    fn cell(&self, name: &str, attribute: &str) -> AttributeCell {
        let compared = self.queues.get(name);
        let stated = compared.and_then(|compared| {
            let mut verdicts = compared.verdicts.iter();
            Some((compared, verdicts.find(|it| it.attribute == attribute)?))
        });
        let Some((compared, verdict)) = stated else {
            return AttributeCell {
                value: String::new(),
                verdict: "not-stated".to_owned(),
                reason: "the file does not state it on this cloud".to_owned(),
                accepted: false,
                live: Live::NotRead {
                    why: "the file does not state it on this cloud".to_owned(),
                },
            };
        };
        let target = &self.subject.target;
        AttributeCell {
            value: verdict.value.clone(),
            verdict: verdict.hold.name().to_owned(),
            reason: verdict.hold.reason().to_owned(),
            accepted: judge::is_accepted(compared.queue, target, verdict, self.today),
            live: self.live(&compared.parts, attribute),
        }
    }

    fn live(&self, parts: &[&Change], attribute: &str) -> Live {
        if !self.looked {
            return Live::NotRead {
                why: "the clouds themselves were not asked (`--live` does)".to_owned(),
            };
        }
        if parts.iter().all(|part| part.observed.present.is_none()) {
            return Live::NotThere;
        }
        let holding: Vec<&Change> = parts
            .iter()
            .copied()
            .filter(|part| holds(part, attribute))
            .collect();
        if holding.is_empty() {
            return Live::NotRead {
                why: "the service has no setting of its own for it".to_owned(),
            };
        }
        let drifted = holding.iter().find_map(|part| difference(part, attribute));
        let unstated = || holding.iter().find_map(|part| unstated(part, attribute));
        match drifted {
            Some(seen) => Live::Differs { seen },
            None => unstated().map_or(Live::AsStated, |seen| Live::Unstated { seen }),
        }
    }
}

/// Whether a setting holds the attribute, a part of it, or a whole that it is part of: one setting
/// of a service may hold `dead_letter.queue` and `dead_letter.max_deliveries` together.
fn is_about(setting: Option<&str>, attribute: &str) -> bool {
    setting.is_some_and(|setting| {
        judge::covers(attribute, setting) || judge::covers(setting, attribute)
    })
}

/// Whether this resource has a setting for the attribute.
fn holds(part: &Change, attribute: &str) -> bool {
    let mut settings = part.resource.attributes.iter();
    settings.any(|setting| is_about(setting.attribute.as_deref(), attribute))
}

/// What is there instead, where it is not as the file says.
fn difference(part: &Change, attribute: &str) -> Option<String> {
    if part.observed.present.is_none() {
        return Some(format!("{} is not there", part.resource.id));
    }
    let mut changes = part.attributes.iter();
    let change = changes.find(|change| is_about(change.attribute.as_deref(), attribute))?;
    Some(named(&change.name, change.from.as_ref()))
}

/// What is there where the file says nothing and `mq` would have made it otherwise.
fn unstated(part: &Change, attribute: &str) -> Option<String> {
    let present = part.observed.present.as_ref()?;
    part.resource
        .attributes
        .iter()
        .filter(|setting| {
            is_about(setting.attribute.as_deref(), attribute)
                && setting.authority == Authority::CreateDefault
        })
        .find_map(|setting| {
            let seen = present.attributes.get(&setting.name);
            let as_made = setting.value.holds_in(seen);
            (!as_made).then(|| named(&setting.name, seen))
        })
}

fn named(name: &str, seen: Option<&Value>) -> String {
    match seen {
        Some(seen) => format!("{name} = {seen}"),
        None => format!("no {name}"),
    }
}

/// Every attribute that any of the clouds has a verdict on, in the order of the first that has.
fn attributes(columns: &[Column<'_>], name: &str) -> Vec<AttributeRow> {
    let mut paths: Vec<&str> = Vec::new();
    for verdict in columns.iter().flat_map(|column| column.verdicts(name)) {
        if !paths.contains(&verdict.attribute.as_str()) {
            paths.push(&verdict.attribute);
        }
    }
    paths
        .into_iter()
        .map(|attribute| {
            let cells: Vec<AttributeCell> = columns
                .iter()
                .map(|column| column.cell(name, attribute))
                .collect();
            AttributeRow {
                equal: equal(attribute, &cells),
                attribute: attribute.to_owned(),
                cells,
            }
        })
        .collect()
}

/// An attribute whose value is each service's own name for something.
const NAMING: &str = "dead_letter.queue";

fn equal(attribute: &str, cells: &[AttributeCell]) -> bool {
    let held = |cell: &AttributeCell| {
        let value = if attribute == NAMING { "" } else { &cell.value };
        (cell.verdict.clone(), value.to_owned())
    };
    let mut pairs = cells.iter().map(held);
    let first = pairs.next();
    pairs.all(|pair| Some(pair) == first)
        && !cells
            .iter()
            .any(|cell| matches!(cell.live, Live::Differs { .. } | Live::Unstated { .. }))
}
