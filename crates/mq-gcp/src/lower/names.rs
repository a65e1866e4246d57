//! The names of a queue's resources, and which of them the service refuses.

use mq_core::diagnostic::Diagnostic;
use mq_core::queue::{DeadLetterTarget, ResolvedQueue};

use crate::capability::NAME;
use crate::native::{Collection, short};

/// Names as [`short`] writes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct QueueNames {
    pub(super) topic: String,
    pub(super) subscription: String,
    /// Where dead letters go: a topic of the queue's own, of another queue, or of someone else.
    pub(super) dead_topic: String,
    /// Where dead letters of the queue's own wait.
    pub(super) dead_subscription: String,
    /// What a dead-letter topic of the queue's own is called, whether it has one or not.
    pub(super) own_dead_topic: String,
}

impl QueueNames {
    pub(super) fn of(queue: &ResolvedQueue, project: Option<&str>) -> Self {
        let base = &queue.base_name;
        let names = &queue.names;
        let own_dead_topic = names
            .dead_letter
            .clone()
            .unwrap_or_else(|| format!("{base}-dlq"));
        let target = queue
            .attributes
            .dead_letter
            .as_ref()
            .map(|stated| &stated.value.target);
        let dead_topic = match target {
            None | Some(DeadLetterTarget::Own) => own_dead_topic.clone(),
            Some(DeadLetterTarget::Shared(shared)) => shared
                .names
                .topic
                .clone()
                .unwrap_or_else(|| shared.base_name.clone()),
            Some(DeadLetterTarget::External(name)) => short(project, Collection::Topics, name),
        };
        QueueNames {
            topic: names.topic.clone().unwrap_or_else(|| base.clone()),
            subscription: names
                .subscription
                .clone()
                .unwrap_or_else(|| format!("{base}-sub")),
            dead_topic,
            dead_subscription: format!("{own_dead_topic}-sub"),
            own_dead_topic,
        }
    }

    /// Names that the service refuses.
    pub(super) fn problems(&self, queue: &ResolvedQueue) -> Vec<Diagnostic> {
        let mut checked = vec![
            ("topic", self.topic.as_str()),
            ("subscription", self.subscription.as_str()),
        ];
        let target = queue
            .attributes
            .dead_letter
            .as_ref()
            .map(|stated| &stated.value.target);
        let mut problems = Vec::new();
        match target {
            Some(DeadLetterTarget::Own) => checked.extend([
                ("topic", self.dead_topic.as_str()),
                ("subscription", self.dead_subscription.as_str()),
            ]),
            Some(DeadLetterTarget::External(stated)) if external(stated).is_none() => {
                problems.push(
                    Diagnostic::error("name/dead-letter-topic", "not the name of a topic")
                        .with_detail(format!(
                            "queue `{}`: the dead-letter topic `{stated}` is no topic's name",
                            queue.logical
                        ))
                        .with_path(format!("queues.{}.dead_letter.queue", queue.logical))
                        .with_hint("write it as `projects/PROJECT/topics/TOPIC`"),
                );
            }
            _ => {}
        }
        if target.is_some() && self.dead_topic == self.topic {
            problems.push(
                Diagnostic::error("name/dead-letter-topic", "dead letters would come back")
                    .with_detail(format!(
                        "queue `{}`: the topic `{}` is its own dead-letter topic",
                        queue.logical, self.topic
                    ))
                    .with_path(format!("queues.{}.dead_letter", queue.logical))
                    .with_hint("give the dead-letter topic another name"),
            );
        }
        problems.extend(
            checked
                .into_iter()
                .filter_map(|(kind, name)| refused(queue, kind, name)),
        );
        problems
    }
}

/// The short name inside a topic's name as the file gives it.
fn external(name: &str) -> Option<&str> {
    let short = match name.strip_prefix("projects/") {
        Some(rest) => {
            rest.split_once("/topics/")
                .filter(|(project, _)| !project.is_empty() && !project.contains('/'))?
                .1
        }
        None => name,
    };
    why_refused(short).is_none().then_some(short)
}

fn refused(queue: &ResolvedQueue, kind: &str, name: &str) -> Option<Diagnostic> {
    let why = why_refused(name)?;
    Some(
        Diagnostic::error("name/refused", "the service takes no such name")
            .with_detail(format!(
                "queue `{}`: Pub/Sub takes no {kind} named `{name}`: {why} ({})",
                queue.logical, NAME.source
            ))
            .with_path(format!("queues.{}", queue.logical))
            .with_hint(format!(
                "rename the queue or change the stage's template, or give the {kind} a name under `names`"
            )),
    )
}

/// Why the service takes no topic or subscription of this name.
pub(super) fn why_refused(name: &str) -> Option<String> {
    let length = name.chars().count();
    if !(NAME.min..=NAME.max).contains(&length) {
        return Some(format!(
            "it is {length} characters long, and {} to {} are taken",
            NAME.min, NAME.max
        ));
    }
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "-_.~+%".contains(letter);
    let begins = name.starts_with(|letter: char| letter.is_ascii_alphabetic());
    if !begins || !name.chars().all(fits) {
        return Some(format!("the alphabet is {}", NAME.alphabet));
    }
    if name.starts_with("goog") {
        return Some("names beginning with `goog` are Google's own".to_owned());
    }
    // The API takes it, but its official client puts it into an address as it is.
    name.contains('%')
        .then(|| "Google's client cannot address a name with a `%`".to_owned())
}
