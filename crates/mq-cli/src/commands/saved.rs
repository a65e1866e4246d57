//! A plan in a file: what `mq plan --save` writes and `mq provision FILE` takes.

use std::io::Write;
use std::path::Path;

use mq_core::plan::{PlanOptions, guard_messages};
use mq_core::{ControlPlane, Plan, Resource, Target};
use serde::{Deserialize, Serialize};

use super::planning::Planned;
use crate::emulator::private;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::render::text::count;

/// The version of the form.
const SCHEMA_VERSION: u32 = 1;
/// The largest plan that is read, in bytes: some hundred thousand queues.
const BYTES_MAX: u64 = 1 << 30;
/// How many moved resources are named.
const NAMED_MAX: usize = 5;

/// The file.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SavedPlan {
    schema_version: u32,
    /// Whether it was made against the emulator.
    pub(crate) emulated: bool,
    pub(crate) clouds: Vec<SavedCloud>,
}

/// One target, with all that is needed to reach it again.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SavedCloud {
    pub(crate) target: Target,
    pub(crate) options: PlanOptions,
    pub(crate) plan: Plan,
}

/// Writes plans, readable by their owner alone: they name accounts and keys.
pub(crate) fn write(
    file: &Path,
    planned: &[Planned],
    options: &PlanOptions,
    emulated: bool,
) -> Result<()> {
    let cloud = |one: &Planned| SavedCloud {
        target: one.opened.target.clone(),
        options: options.clone(),
        plan: one.plan.clone(),
    };
    let saved = SavedPlan {
        schema_version: SCHEMA_VERSION,
        emulated,
        clouds: planned.iter().map(cloud).collect(),
    };
    let text = serde_json::to_string(&saved).map_err(|error| {
        Failure::new(Exit::Failed, "failed to write the plan").because(error.to_string())
    })?;
    let written = private().truncate(true).open(file);
    super::written(
        file,
        written.and_then(|mut to| to.write_all(text.as_bytes())),
    )
}

/// Reads plans.
pub(crate) fn read(file: &Path) -> Result<SavedPlan> {
    let refuse = |why: String| {
        Failure::usage(format!("failed to read the plan {}", file.display()))
            .because(why)
            .with_hint("write one with `mq plan --save FILE`")
    };
    let size = std::fs::metadata(file)
        .map_err(|error| refuse(error.to_string()))?
        .len();
    if size > BYTES_MAX {
        return Err(refuse(format!("it is larger than {BYTES_MAX} bytes")));
    }
    let text = std::fs::read_to_string(file).map_err(|error| refuse(error.to_string()))?;
    let saved: SavedPlan =
        serde_json::from_str(&text).map_err(|error| refuse(format!("it is no plan: {error}")))?;
    if saved.schema_version != SCHEMA_VERSION {
        return Err(refuse(format!(
            "it has the form {}, and this mq writes the form {SCHEMA_VERSION}",
            saved.schema_version
        )));
    }
    Ok(saved)
}

/// Whether the cloud is still as the plan saw it. Only then does the plan say what will happen.
pub(crate) async fn still_holds(
    control: &dyn ControlPlane,
    plan: &mut Plan,
    options: &PlanOptions,
) -> mq_core::Result<Option<Failure>> {
    let resources: Vec<&Resource> = plan.changes.iter().map(|change| &change.resource).collect();
    let observed = if resources.is_empty() {
        Vec::new()
    } else {
        control.observe(&resources).await?
    };
    let moved: Vec<String> = plan
        .changes
        .iter()
        .zip(&observed)
        .filter(|(change, now)| change.observed.present != now.present)
        .map(|(change, _)| change.resource.id.to_string())
        .collect();
    if !moved.is_empty() {
        return Ok(Some(moved_on(&plan.target, &moved)));
    }
    for change in &mut plan.changes {
        if change.removes() && change.refusal.is_none() && change.resource.holds_messages {
            let counts = control.counts(&change.observed).await?;
            guard_messages(change, counts, options);
        }
    }
    Ok(None)
}

fn moved_on(target: &str, moved: &[String]) -> Failure {
    let named = moved[..moved.len().min(NAMED_MAX)].join(", ");
    let more = moved.len().saturating_sub(NAMED_MAX);
    let more = if more == 0 {
        String::new()
    } else {
        format!(" and {more} more")
    };
    Failure::new(
        Exit::Refused,
        format!("{target} is no longer as the plan saw it"),
    )
    .because(format!(
        "{} changed since: {named}{more}",
        count(moved.len(), "resource")
    ))
    .with_hint("plan again, and look at what is new")
}
