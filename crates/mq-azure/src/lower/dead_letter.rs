//! Dead letters: every queue has a subqueue for them that cannot be left out. They are forwarded
//! to a real queue only where the file asks for what the subqueue cannot do.

use mq_core::queue::{DeadLetter, DeadLetterTarget, Ordering, Origin, Stated};
use mq_core::resource::{Authority, NativeAttribute};
use mq_core::units;
use mq_core::value::Value;
use mq_core::verdict::{Hold, Verdict};

use super::attributes::{time_to_live, unsupported};
use super::{Written, id, names};
use crate::elements::{FORWARD_DEAD_LETTERS_TO, LOCK_DURATION, MAX_DELIVERY_COUNT, entity_path};
use crate::facts::{self, DEAD_LETTERS, FORWARDING, MAX_DELIVERIES, MAX_DELIVERIES_ENDLESS};

const MAX_DELIVERIES_NAME: &str = "dead_letter.max_deliveries";
const RETENTION_NAME: &str = "dead_letter.retention";
const QUEUE_NAME: &str = "dead_letter.queue";

impl Written<'_> {
    /// `dead_letter` and all in it, or what happens without it.
    pub(super) fn dead_letters(&mut self) {
        match self.queue.attributes.dead_letter.clone() {
            None => self.no_dead_letter(),
            Some(wanted) => {
                self.max_deliveries(wanted.value.max_deliveries);
                self.dead_letter_queue(&wanted.value);
                self.dead_letter_retention(&wanted.value);
                self.forwarding(Authority::File);
                let own = wanted.value.target == DeadLetterTarget::Own;
                if own && self.forwards_to.is_none() {
                    self.subqueue(wanted.origin);
                }
            }
        }
    }

    /// Dead letters stay in the queue's own subqueue.
    fn subqueue(&mut self, origin: Origin) {
        let path = format!("{}/$DeadLetterQueue", self.names.queue);
        self.judge(
            Verdict::new(QUEUE_NAME, path, origin, Hold::Exact)
                .with_consumer("dead letters there never expire, and count in the queue's size")
                .with_source(DEAD_LETTERS),
        );
    }

    /// The service dead-letters always; the largest count is as good as never.
    fn no_dead_letter(&mut self) {
        let hold = Hold::Approximate {
            from: "none".to_owned(),
            to: format!("after {MAX_DELIVERIES_ENDLESS} deliveries"),
            why: "every queue has a dead-letter subqueue, and a message goes there once it was delivered too often; what is there never expires".to_owned(),
        };
        self.judge(
            Verdict::new("dead_letter", "none", Origin::CreateDefault, hold)
                .with_source(DEAD_LETTERS),
        );
        if !self.queue.managed {
            return;
        }
        self.attributes
            .push(endless_deliveries().holding("dead_letter"));
        let ours = Value::text(entity_path(&self.names.dead_letter));
        self.forwarding(Authority::Unlink(ours));
    }

    fn max_deliveries(&mut self, wanted: u32) {
        let stated = Stated::file(wanted);
        self.judge(MAX_DELIVERIES.judge(MAX_DELIVERIES_NAME, &stated));
        if MAX_DELIVERIES.contains(wanted) {
            self.attributes.push(
                NativeAttribute::new(MAX_DELIVERY_COUNT, Value::Integer(i64::from(wanted)))
                    .holding(MAX_DELIVERIES_NAME),
            );
        }
    }

    /// Dead letters go to another queue of the file, or to one that somebody else made.
    fn dead_letter_queue(&mut self, wanted: &DeadLetter) {
        let (name, sessions) = match &wanted.target {
            DeadLetterTarget::Own => return,
            DeadLetterTarget::Shared(shared) => (
                names::of_reference(shared),
                shared.ordering == Ordering::PerKey,
            ),
            DeadLetterTarget::External(name) => (entity_path(name), false),
        };
        let hold = match self.no_forwarding() {
            Some(why) => unsupported(format!(
                "{why}; accepted, dead letters stay in the queue's own subqueue"
            )),
            None if sessions => unsupported(format!(
                "`{name}` takes only messages with a SessionId, which these dead letters lack"
            )),
            None => Hold::Exact,
        };
        if hold == Hold::Exact {
            self.forwards_to = Some(id(&name));
        }
        self.judge(Verdict::new(QUEUE_NAME, name, Origin::File, hold).with_source(FORWARDING));
    }

    /// The subqueue keeps what it has for ever: a retention takes a real queue.
    fn dead_letter_retention(&mut self, wanted: &DeadLetter) {
        let Some(retention) = wanted.retention else {
            return;
        };
        let mut verdict = facts::TIME_TO_LIVE.judge(RETENTION_NAME, &Stated::file(retention));
        verdict.hold = match (&wanted.target, self.no_forwarding(), verdict.hold) {
            (DeadLetterTarget::Shared(shared), ..) => unsupported(format!(
                "the dead letters wait in the queue `{}`: state its `retention`",
                shared.logical
            )),
            (DeadLetterTarget::External(_), ..) => unsupported(
                "the dead letters go to a queue of someone else's, which has its own retention",
            ),
            (DeadLetterTarget::Own, Some(why), _) => unsupported(format!(
                "dead letters in the subqueue never expire, and {why}; accepted, they stay until they are received"
            )),
            (DeadLetterTarget::Own, None, Hold::Exact) => {
                self.own_queue(retention);
                Hold::Approximate {
                    from: units::duration(retention),
                    to: format!("{} in `{}`", units::duration(retention), self.names.dead_letter),
                    why: "dead letters in the subqueue never expire: they are forwarded to a queue with this retention, where a shorter time to live of a message's own still counts".to_owned(),
                }
            }
            (DeadLetterTarget::Own, None, other) => other,
        };
        self.judge(verdict.with_source(FORWARDING));
    }

    /// A real queue for the dead letters, in which they wait as long as stated and are never
    /// dead-lettered again.
    fn own_queue(&mut self, retention: std::time::Duration) {
        let lock = self
            .attributes
            .iter()
            .find(|attribute| attribute.name == LOCK_DURATION)
            .map(|lock| NativeAttribute {
                attribute: None,
                authority: Authority::CreateDefault,
                ..lock.clone()
            });
        let mut attributes = vec![time_to_live(RETENTION_NAME, retention)];
        attributes.extend(lock);
        if self.queue.managed {
            attributes.push(endless_deliveries());
        } else {
            attributes.retain(|attribute| attribute.authority == Authority::File);
        }
        self.dead_letter = Some(attributes);
        self.forwards_to = Some(id(&self.names.dead_letter));
    }

    /// Where dead letters go, or that they stay: a queue whose dead letters went elsewhere would
    /// not be what the file says.
    fn forwarding(&mut self, unless_forwarded: Authority) {
        if self.basic() {
            return;
        }
        let attribute = match &self.forwards_to {
            Some(target) => {
                NativeAttribute::new(FORWARD_DEAD_LETTERS_TO, Value::text(&target.name))
            }
            None => NativeAttribute::new(FORWARD_DEAD_LETTERS_TO, Value::Absent)
                .with_authority(unless_forwarded),
        };
        self.attributes.push(
            attribute
                .holding("dead_letter")
                .with_warning("dead letters that are elsewhere stay there"),
        );
    }

    /// Why dead letters cannot be forwarded, where they cannot.
    fn no_forwarding(&self) -> Option<&'static str> {
        if self.basic() {
            Some("the Basic tier cannot forward them")
        } else if self.queue.attributes.ordering.value == Ordering::PerKey {
            Some("forwarding them from a queue with sessions is not documented to work")
        } else {
            None
        }
    }
}

fn endless_deliveries() -> NativeAttribute {
    let endless = i64::from(MAX_DELIVERIES_ENDLESS);
    NativeAttribute::new(MAX_DELIVERY_COUNT, Value::Integer(endless))
        .with_authority(Authority::CreateDefault)
}
