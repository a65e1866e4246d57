//! Dead letters: a queue of the same kind, named by its source, which it must let in.

use mq_core::queue::{DeadLetter, DeadLetterTarget, Origin, QueueRef, Stated};
use mq_core::resource::{Authority, Lifecycle, Part};
use mq_core::verdict::Hold;
use mq_core::{Diagnostic, NativeAttribute, Resource, Value, Verdict, units};

use super::{
    DeadLetters, Lowering, as_retention, fifo_queue, in_place, judge_seconds, remedy, silent,
    whole_seconds,
};
use crate::attribute::key;
use crate::limits::{self, page};
use crate::name::{self, Arn};
use crate::redrive;

impl Lowering<'_> {
    pub(super) fn dead_letter(&mut self) -> Option<DeadLetters> {
        let Some(stated) = self.queue.attributes.dead_letter.clone() else {
            self.no_dead_letter();
            return None;
        };
        let (arn, dead_letters) = match &stated.value.target {
            DeadLetterTarget::Own => self.own(&stated.value),
            DeadLetterTarget::Shared(shared) => self.shared(shared),
            DeadLetterTarget::External(arn) => self.external(arn)?,
        };
        let goes_to = dead_letters.id.name.clone();
        self.verdicts.push(
            Verdict::new("dead_letter.queue", goes_to, stated.origin, Hold::Exact)
                .with_source(page::DEAD_LETTERS),
        );
        self.redrive_policy(&stated, arn);
        self.dead_letter_retention(&stated);
        Some(dead_letters)
    }

    /// Takes back a link that `mq` made, and says what happens without one.
    fn no_dead_letter(&mut self) {
        let own = self.place.arn(&self.names.dead_letter);
        self.attributes.push(
            in_place(key::REDRIVE_TARGET, Value::Absent)
                .holding("dead_letter.queue")
                .with_authority(Authority::Unlink(Value::Text(own))),
        );
        if self.queue.managed {
            self.verdicts.push(
                silent("dead_letter", "none")
                    .with_consumer(
                        "a message that always fails is handed out again until its retention \
                         ends, and is then lost",
                    )
                    .with_source(page::DEAD_LETTERS),
            );
        }
    }

    fn redrive_policy(&mut self, stated: &Stated<DeadLetter>, arn: String) {
        let deliveries = Stated {
            value: stated.value.max_deliveries,
            origin: stated.origin,
        };
        let verdict = limits::MAX_DELIVERIES.judge("dead_letter.max_deliveries", &deliveries);
        let taken = verdict.hold == Hold::Exact;
        self.verdicts.push(if taken && self.names.fifo {
            verdict.with_consumer(
                "a dead letter leaves its group, whose later messages are then handed out \
                 without it",
            )
        } else {
            verdict
        });
        // A RedrivePolicy is both parts or none.
        if taken {
            self.attributes.push(
                in_place(key::REDRIVE_TARGET, Value::Text(arn))
                    .holding("dead_letter.queue")
                    .with_origin(stated.origin),
            );
            self.attributes.push(
                in_place(
                    key::REDRIVE_COUNT,
                    Value::Integer(i64::from(deliveries.value)),
                )
                .holding("dead_letter.max_deliveries")
                .with_origin(stated.origin),
            );
        }
    }

    fn own(&mut self, dead_letter: &DeadLetter) -> (String, DeadLetters) {
        let name = self.names.dead_letter.clone();
        let path = self.path_of_name(self.queue.names.dead_letter.is_some());
        self.problems
            .extend(name::problem(&name, self.names.fifo, &path));
        if name == self.names.queue {
            self.problems.push(own_dead_letters(&path, &name));
        }
        let mut resource = self.resource(name.clone(), Part::DeadLetter);
        if self.names.fifo && self.queue.managed {
            resource.attributes.push(fifo_queue());
        }
        resource.attributes.extend(self.own_retention(dead_letter));
        if self.queue.managed {
            let source = self.place.arn(&self.names.queue);
            resource.attributes.push(allowing([source]));
        }
        resource.attributes.extend(self.encrypting());
        resource.attributes.extend(self.tags());
        let dead_letters = DeadLetters {
            id: resource.id.clone(),
            resource: Some(resource),
        };
        (self.place.arn(&name), dead_letters)
    }

    /// Left out, a dead letter waits as long as the service lets it: a standard queue counts from
    /// when the message was first sent, so anything shorter loses some to the time that they spent
    /// in the source.
    fn own_retention(&self, dead_letter: &DeadLetter) -> Option<NativeAttribute> {
        let (value, origin) = match dead_letter.retention {
            Some(stated) => (stated, Origin::File),
            None if self.queue.managed => (limits::RETENTION.max, Origin::CreateDefault),
            None => return None,
        };
        limits::RETENTION.contains(value).then(|| {
            as_retention(in_place(
                key::RETENTION,
                Value::Duration(whole_seconds(value)),
            ))
            .holding("dead_letter.retention")
            .with_origin(origin)
        })
    }

    fn dead_letter_retention(&mut self, stated: &Stated<DeadLetter>) {
        const PATH: &str = "dead_letter.retention";
        const FROM_FIRST_SEND: &str = "counted from when a message was first sent";
        let dead_letter = &stated.value;
        let own = dead_letter.target == DeadLetterTarget::Own;
        let Some(retention) = dead_letter.retention else {
            if own && self.queue.managed {
                let value = units::duration(limits::RETENTION.max);
                let verdict = silent(PATH, &value).with_source(page::DEAD_LETTER_RETENTION);
                self.verdicts.push(if self.names.fifo {
                    verdict
                } else {
                    verdict.with_consumer(FROM_FIRST_SEND)
                });
            }
            return;
        };
        let asked = units::duration(retention);
        if !own {
            let why = "the dead-letter queue has a life of its own: its retention is stated where \
                       it is"
                .to_owned();
            let hold = Hold::Unsupported { why };
            self.verdicts.push(
                Verdict::new(PATH, asked, stated.origin, hold)
                    .with_source(page::DEAD_LETTER_RETENTION),
            );
            return;
        }
        let verdict = judge_seconds(PATH, &Stated::file(retention), limits::RETENTION);
        let source = self.queue.attributes.retention.map(|source| source.value);
        let why = match source {
            Some(source) if retention < source => format!(
                "a standard queue counts it from when the message was first sent, not from when \
                 it failed, and it is shorter than `retention` ({}): a message that fails late is \
                 deleted at once",
                units::duration(source)
            ),
            _ => "a standard queue counts it from when the message was first sent, not from when \
                  it failed"
                .to_owned(),
        };
        self.verdicts
            .push(if self.names.fifo || verdict.hold != Hold::Exact {
                verdict
            } else {
                let hold = Hold::Approximate {
                    from: asked.clone(),
                    to: asked.clone(),
                    why,
                };
                Verdict::new(PATH, asked, stated.origin, hold)
                    .with_source(page::DEAD_LETTER_RETENTION)
            });
    }

    fn shared(&mut self, shared: &QueueRef) -> (String, DeadLetters) {
        let name = name::of_reference(shared);
        let path = format!("queues.{}.dead_letter.queue", self.queue.logical);
        if shared.logical == self.queue.logical {
            self.problems.push(own_dead_letters(&path, &name));
        } else {
            self.same_kind(&name, &path);
        }
        let dead_letters = DeadLetters {
            id: name::id(&name),
            resource: None,
        };
        (self.place.arn(&name), dead_letters)
    }

    /// Someone else's queue: looked at, so that a missing one is said before anything is written.
    fn external(&mut self, arn: &str) -> Option<(String, DeadLetters)> {
        let path = format!("queues.{}.dead_letter.queue", self.queue.logical);
        let problem = |summary: &str, detail: String, hint: &str| {
            Diagnostic::error("dead-letter/target", summary)
                .with_detail(detail)
                .with_path(path.clone())
                .with_hint(hint)
        };
        let Some(parsed) = Arn::parse(arn) else {
            self.problems.push(problem(
                "a dead-letter queue that is no queue",
                format!("\"{arn}\" is not the ARN of an SQS queue"),
                "write it as in `aws: arn:aws:sqs:eu-west-1:111122223333:failures`",
            ));
            return None;
        };
        if !self.place.holds(&parsed) {
            self.problems.push(problem(
                "a dead-letter queue in another place",
                format!("\"{arn}\" is not in this account and region, as SQS wants it"),
                "name a queue of the same account and region",
            ));
        }
        self.same_kind(parsed.name, &path);
        let resource = Resource {
            lifecycle: Lifecycle::External,
            marker: None,
            remedy: Some(remedy(parsed.name)),
            ..self.resource(parsed.name.to_owned(), Part::DeadLetter)
        };
        let dead_letters = DeadLetters {
            id: resource.id.clone(),
            resource: Some(resource),
        };
        Some((arn.to_owned(), dead_letters))
    }

    /// A FIFO queue's dead letters go to a FIFO queue, a standard queue's to a standard queue.
    fn same_kind(&mut self, name: &str, path: &str) {
        if name::is_fifo(name) == self.names.fifo {
            return;
        }
        let kind = |fifo| if fifo { "FIFO" } else { "standard" };
        self.problems.push(
            Diagnostic::error("dead-letter/kind", "a dead-letter queue of the wrong kind")
                .with_detail(format!(
                    "\"{name}\" is a {} queue, and \"{}\" is a {} queue; SQS wants both of one kind",
                    kind(name::is_fifo(name)),
                    self.names.queue,
                    kind(self.names.fifo),
                ))
                .with_path(path)
                .with_hint("give both queues the same `ordering`"),
        );
    }

    /// Lets in the queues of this file whose dead letters come here.
    pub(super) fn sources(&mut self) {
        if self.queue.dead_letter_for.is_empty() || !self.queue.managed {
            return;
        }
        let sources = self.queue.dead_letter_for.iter();
        let arns = sources.map(|source| self.place.arn(&name::of_reference(source)));
        self.attributes.push(allowing(arns.collect::<Vec<_>>()));
    }
}

/// That these sources may use a queue. Without it SQS lets every queue in, so this keeps others
/// out, and undoes what would keep these out.
fn allowing(sources: impl IntoIterator<Item = String>) -> NativeAttribute {
    in_place(key::REDRIVE_ALLOW, redrive::allow(sources)).holding("dead_letter.queue")
}

fn own_dead_letters(path: &str, name: &str) -> Diagnostic {
    Diagnostic::error(
        "dead-letter/itself",
        "a queue that is its own dead-letter queue",
    )
    .with_detail(format!(
        "the dead letters of \"{name}\" would come back to it"
    ))
    .with_path(path)
    .with_hint("name another queue, or leave `queue` out for one of its own")
}
