//! The names of a queue's resources, and which of them the service refuses.

use mq_core::diagnostic::Diagnostic;
use mq_core::queue::{DeadLetterTarget, QueueRef, ResolvedQueue};

use crate::facts::NAME;

/// The end of the derived name of a dead-letter queue.
const DEAD_LETTER: &str = "-dlq";

/// The names that a queue of the file takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct QueueNames {
    /// The queue.
    pub(super) queue: String,
    /// A dead-letter queue of its own, whether it has one or not.
    pub(super) dead_letter: String,
}

impl QueueNames {
    pub(super) fn of(queue: &ResolvedQueue) -> QueueNames {
        let name = of_reference(&queue.reference());
        let stated = queue.names.dead_letter.clone();
        QueueNames {
            dead_letter: stated.unwrap_or_else(|| format!("{name}{DEAD_LETTER}")),
            queue: name,
        }
    }

    /// Names that the service refuses. The dead-letter queue's counts where it would be made.
    pub(super) fn problems(&self, queue: &ResolvedQueue) -> Vec<Diagnostic> {
        let dead_letter = queue.attributes.dead_letter.as_ref();
        let own = dead_letter.is_some_and(|stated| {
            stated.value.target == DeadLetterTarget::Own && stated.value.retention.is_some()
        });
        let mut checked = vec![self.queue.as_str()];
        match dead_letter.map(|stated| &stated.value.target) {
            Some(DeadLetterTarget::External(name)) => checked.push(name),
            _ if own => checked.push(&self.dead_letter),
            _ => {}
        }
        let mut problems: Vec<Diagnostic> = checked
            .into_iter()
            .filter_map(|name| refused(queue, name))
            .collect();
        if own && self.dead_letter.eq_ignore_ascii_case(&self.queue) {
            problems.push(
                Diagnostic::error("name/refused", "dead letters would come back")
                    .with_detail(format!(
                        "queue `{}`: the queue `{}` is its own dead-letter queue",
                        queue.logical, self.queue
                    ))
                    .with_path(format!("queues.{}.names", queue.logical))
                    .with_hint("give the dead-letter queue another name"),
            );
        }
        problems
    }
}

/// The name of another queue of the file.
pub(super) fn of_reference(queue: &QueueRef) -> String {
    let stated = queue.names.queue.clone();
    stated.unwrap_or_else(|| queue.base_name.clone())
}

fn refused(queue: &ResolvedQueue, name: &str) -> Option<Diagnostic> {
    let why = why_refused(name)?;
    Some(
        Diagnostic::error("name/refused", "the service takes no such name")
            .with_detail(format!(
                "queue `{}`: Service Bus takes no queue named `{name}`: {why} ({})",
                queue.logical, NAME.source
            ))
            .with_path(format!("queues.{}", queue.logical))
            .with_hint(
                "rename the queue or change the stage's template, or give it a name under `names`",
            ),
    )
}

fn why_refused(name: &str) -> Option<String> {
    let length = name.chars().count();
    if !(NAME.min..=NAME.max).contains(&length) {
        return Some(format!(
            "it has {length} characters, {} to {} are allowed",
            NAME.min, NAME.max
        ));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/');
    if let Some(other) = name.chars().find(|c| !allowed(*c)) {
        return Some(format!("`{other}` is not one of {}", NAME.alphabet));
    }
    let outer = [name.chars().next(), name.chars().next_back()];
    if !outer
        .into_iter()
        .flatten()
        .all(|c| c.is_ascii_alphanumeric())
    {
        return Some("it does not start and end with a letter or digit".to_owned());
    }
    // They would be folded away on the way, and name another queue.
    if name.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Some("a part between two `/` is empty or only dots".to_owned());
    }
    None
}
