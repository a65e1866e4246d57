//! Names and ARNs.

use mq_core::queue::{Ordering, QueueRef, ResolvedQueue};
use mq_core::{Diagnostic, ResourceId, Scope};

use crate::limits;

/// The kind of every resource of this backend.
pub(crate) const KIND: &str = "sqs.queue";
/// The end of every FIFO queue's name, counted in its length.
const FIFO: &str = ".fifo";
/// The end of the derived name of a dead-letter queue.
const DEAD_LETTER: &str = "-dlq";

/// Facts of a scope, by the names that this backend gives them.
pub(crate) mod facts {
    /// The 12 digits of the account.
    pub(crate) const ACCOUNT: &str = "account";
    /// The region.
    pub(crate) const REGION: &str = "region";
    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub(crate) const PARTITION: &str = "partition";
}

/// Where queues are: enough to write their ARNs before they exist.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    partition: &'a str,
    region: &'a str,
    account: &'a str,
}

impl<'a> Place<'a> {
    /// Offline, words in capitals stand for what is not known.
    pub(crate) fn of(scope: &'a Scope) -> Self {
        let fact = |name, unknown| scope.facts.get(name).map_or(unknown, String::as_str);
        Place {
            partition: fact(facts::PARTITION, "aws"),
            region: fact(facts::REGION, "REGION"),
            account: fact(facts::ACCOUNT, "ACCOUNT"),
        }
    }

    /// The ARN of the queue of this name.
    pub(crate) fn arn(&self, name: &str) -> String {
        let Place {
            partition,
            region,
            account,
        } = self;
        format!("arn:{partition}:sqs:{region}:{account}:{name}")
    }

    /// Whether a queue is in this account and region, as far as they are known.
    pub(crate) fn holds(&self, arn: &Arn<'_>) -> bool {
        (self.region == "REGION" || self.region == arn.region)
            && (self.account == "ACCOUNT" || self.account == arn.account)
    }
}

/// The parts of a queue's ARN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Arn<'a> {
    pub(crate) region: &'a str,
    pub(crate) account: &'a str,
    pub(crate) name: &'a str,
}

impl<'a> Arn<'a> {
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        let (prefix, _partition, service) = (parts.next()?, parts.next()?, parts.next()?);
        let (region, account, name) = (parts.next()?, parts.next()?, parts.next()?);
        let whole = !region.is_empty() && !account.is_empty() && !name.is_empty();
        (prefix == "arn" && service == "sqs" && whole && !name.contains(':')).then_some(Arn {
            region,
            account,
            name,
        })
    }
}

/// The identity of the queue of this name.
pub(crate) fn id(name: &str) -> ResourceId {
    ResourceId::new(KIND, name)
}

/// Whether a queue of this name is a FIFO queue.
pub(crate) fn is_fifo(name: &str) -> bool {
    name.ends_with(FIFO)
}

/// Whether a name looks like a derived dead-letter queue's.
pub(crate) fn looks_like_dead_letters(name: &str) -> bool {
    name.strip_suffix(FIFO)
        .unwrap_or(name)
        .ends_with(DEAD_LETTER)
}

/// The name of another queue of the file.
pub(crate) fn of_reference(queue: &QueueRef) -> String {
    let fifo = queue.ordering == Ordering::PerKey;
    let stated = queue.names.queue.clone();
    stated.unwrap_or_else(|| suffixed(&queue.base_name, fifo))
}

fn suffixed(base: &str, fifo: bool) -> String {
    let end = if fifo { FIFO } else { "" };
    format!("{base}{end}")
}

/// The names that a queue of the file takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct QueueNames {
    /// The queue.
    pub(crate) queue: String,
    /// Its own dead-letter queue, whether it has one or not.
    pub(crate) dead_letter: String,
    /// Whether both are FIFO queues.
    pub(crate) fifo: bool,
}

impl QueueNames {
    pub(crate) fn of(queue: &ResolvedQueue) -> Self {
        let ordered = queue.attributes.ordering.value == Ordering::PerKey;
        let name = of_reference(&queue.reference());
        // Nothing is asked of the kind of a queue that someone else made, unless the file says it.
        let fifo = ordered || (!queue.managed && is_fifo(&name));
        let base = name.strip_suffix(FIFO).unwrap_or(&name);
        let dead_letter = queue.names.dead_letter.clone();
        QueueNames {
            dead_letter: dead_letter
                .unwrap_or_else(|| suffixed(&format!("{base}{DEAD_LETTER}"), fifo)),
            queue: name,
            fifo,
        }
    }
}

/// What is wrong with a name, if anything is.
pub(crate) fn problem(name: &str, fifo: bool, path: &str) -> Option<Diagnostic> {
    let rule = limits::NAME;
    let base = name.strip_suffix(FIFO).unwrap_or(name);
    let length = name.chars().count();
    let taken = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let found = |id, summary: &str, detail, hint: String| {
        Diagnostic::error(id, summary)
            .with_detail(detail)
            .with_path(path)
            .with_hint(hint)
    };
    if length > rule.max || base.is_empty() {
        return Some(found(
            "name/length",
            "a name that the service does not take",
            format!(
                "\"{name}\" has {length} characters; SQS takes {} to {}, `.fifo` included",
                rule.min, rule.max
            ),
            "shorten the queue's key or the stage's template, or give it a name under `names`"
                .to_owned(),
        ));
    }
    if !base.chars().all(taken) {
        return Some(found(
            "name/alphabet",
            "a name that the service does not take",
            format!("\"{name}\": SQS takes {}", rule.alphabet),
            "give it another name under `names`".to_owned(),
        ));
    }
    if is_fifo(name) == fifo {
        return None;
    }
    Some(if fifo {
        found(
            "name/fifo",
            "a name of the wrong kind of queue",
            format!("\"{name}\" is to keep order, and SQS takes only names in `.fifo` for that"),
            format!("write `{name}{FIFO}`"),
        )
    } else {
        found(
            "name/fifo",
            "a name of the wrong kind of queue",
            format!("\"{name}\" is the name of a FIFO queue, and this queue does not keep order"),
            "write `ordering: per-key`, or take `.fifo` off the name".to_owned(),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_is_taken_apart_and_nothing_else_is() {
        assert_eq!(
            Arn::parse("arn:aws-cn:sqs:cn-north-1:111122223333:orders.fifo"),
            Some(Arn {
                region: "cn-north-1",
                account: "111122223333",
                name: "orders.fifo"
            })
        );
        for text in [
            "",
            "orders",
            "arn:aws:sns:eu-west-1:111122223333:orders",
            "arn:aws:sqs:eu-west-1:111122223333:",
            "arn:aws:sqs::111122223333:orders",
            "arn:aws:sqs:eu-west-1:111122223333:a:b",
            "https://sqs.eu-west-1.amazonaws.com/111122223333/orders",
        ] {
            assert_eq!(Arn::parse(text), None, "{text}");
        }
    }

    #[test]
    fn names_are_checked_with_their_suffix() {
        let id = |name: &str, fifo| problem(name, fifo, "queues.x").map(|found| found.id);
        assert_eq!(id(&"a".repeat(80), false), None);
        assert_eq!(id(&"a".repeat(81), false), Some("name/length"));
        assert_eq!(id(&format!("{}.fifo", "a".repeat(75)), true), None);
        assert_eq!(
            id(&format!("{}.fifo", "a".repeat(76)), true),
            Some("name/length")
        );
        assert_eq!(id(".fifo", true), Some("name/length"));
        assert_eq!(id("", false), Some("name/length"));
        for name in ["a.b", "a b", "käse", "a/b", "a.fifo.fifo"] {
            let fifo = name.ends_with(FIFO);
            assert_eq!(id(name, fifo), Some("name/alphabet"), "{name}");
        }
        assert_eq!(id("orders", true), Some("name/fifo"));
        assert_eq!(id("orders.fifo", false), Some("name/fifo"));
        assert_eq!(id("Prod-Order_Events", false), None);
    }
}
