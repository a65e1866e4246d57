//! Each attribute's verdict, and the element that holds it. The numbers are those of the vendor
//! pages in [`crate::facts`].

use std::time::Duration;

use mq_core::diagnostic::Diagnostic;
use mq_core::queue::{DeduplicateBy, Ordering, Origin, Stated};
use mq_core::resource::NativeAttribute;
use mq_core::units;
use mq_core::value::Value;
use mq_core::verdict::{Hold, Verdict};

use super::Written;
use crate::elements::{
    DUPLICATE_WINDOW, LOCK_DURATION, MAX_MESSAGE_SIZE, REQUIRES_DUPLICATE_DETECTION,
    REQUIRES_SESSION, TIME_TO_LIVE, USER_METADATA,
};
use crate::facts::{
    self, DUPLICATES, ENCRYPTION, EXPIRATION, FIXED_MESSAGE_SIZE, LOCK, LOCK_RENEWED_MAX, LOCKS,
    METADATA, METADATA_LENGTH_MAX, PREMIUM_MESSAGE_SIZE, QUOTAS, RECEIVING, SCHEDULING, SESSIONS,
    TIERS, Tier,
};
use crate::metadata::{self, Metadata};
use crate::native;

/// Sizes are set in whole KiB.
const KIB: u64 = 1024;

pub(super) fn unsupported(why: impl Into<String>) -> Hold {
    Hold::Unsupported { why: why.into() }
}

impl Written<'_> {
    /// The attributes that stand alone.
    pub(super) fn portable(&mut self) {
        self.visibility_timeout();
        self.retention();
        self.receive_wait();
        self.delivery_delay();
        self.max_message_size();
        self.ordering();
        self.deduplication();
    }

    pub(super) fn judge(&mut self, verdict: Verdict) {
        self.verdicts.push(verdict);
    }

    pub(super) fn basic(&self) -> bool {
        self.tier == Tier::Basic
    }

    fn visibility_timeout(&mut self) {
        const NAME: &str = "visibility_timeout";
        let Some(wanted) = self.queue.attributes.visibility_timeout else {
            return;
        };
        let lock = wanted.value.clamp(LOCK.min, LOCK.max);
        let mut verdict = LOCK.judge(NAME, &wanted);
        if verdict.hold != Hold::Exact {
            let (asked, kept) = (units::duration(wanted.value), units::duration(lock));
            if wanted.value > LOCK.max && wanted.value <= LOCK_RENEWED_MAX {
                verdict.hold = Hold::Approximate {
                    from: asked,
                    to: kept,
                    why: "a lock lasts 5m at most; it can be renewed".to_owned(),
                };
                verdict.consumer =
                    Some("renew the lock before 5m have passed, and again until done".into());
            } else {
                verdict.hold = unsupported(format!(
                    "the service takes {} to {}; accepted, it is created with {kept}",
                    units::duration(LOCK.min),
                    units::duration(LOCK.max)
                ));
            }
        }
        self.judge(verdict.with_source(LOCKS));
        self.attributes.push(
            NativeAttribute::new(LOCK_DURATION, Value::Duration(lock))
                .holding(NAME)
                .with_origin(wanted.origin),
        );
    }

    fn retention(&mut self) {
        const NAME: &str = "retention";
        let Some(wanted) = self.queue.attributes.retention else {
            return;
        };
        let mut verdict = facts::TIME_TO_LIVE.judge(NAME, &wanted);
        if self.basic() {
            verdict.hold = match wanted.origin {
                Origin::File => unsupported("the Basic tier decides itself how long messages wait"),
                Origin::CreateDefault => Hold::Approximate {
                    from: units::duration(wanted.value),
                    to: "what the Basic tier gives".to_owned(),
                    why: "the Basic tier decides itself how long messages wait".to_owned(),
                },
            };
        }
        let exact = verdict.hold == Hold::Exact;
        self.judge(verdict.with_source(if self.basic() { TIERS } else { EXPIRATION }));
        if exact {
            self.attributes
                .push(time_to_live(NAME, wanted.value).with_origin(wanted.origin));
        }
    }

    /// Nothing is written for it, so only a stated one has a verdict.
    fn receive_wait(&mut self) {
        let Some(wanted) = self.queue.attributes.receive_wait else {
            return;
        };
        if wanted.origin == Origin::CreateDefault {
            return;
        }
        let how = "a receiver says itself how long it waits: a queue has no such setting";
        self.judge(
            Verdict::new(
                "receive_wait",
                units::duration(wanted.value),
                wanted.origin,
                Hold::ClientSide {
                    how: how.to_owned(),
                },
            )
            .with_source(RECEIVING),
        );
    }

    fn delivery_delay(&mut self) {
        let Some(wanted) = self.queue.attributes.delivery_delay else {
            return;
        };
        let hold = if wanted.value.is_zero() {
            Hold::Exact
        } else {
            Hold::ClientSide {
                how: "a queue has no delay of its own: `mq` stamps each message that it sends with the time from which it is delivered".to_owned(),
            }
        };
        let mut verdict = Verdict::new(
            "delivery_delay",
            units::duration(wanted.value),
            wanted.origin,
            hold,
        );
        if !wanted.value.is_zero() {
            verdict = verdict
                .with_consumer("other senders must set ScheduledEnqueueTimeUtc on each message");
        }
        self.judge(verdict.with_source(SCHEDULING));
    }

    fn max_message_size(&mut self) {
        const NAME: &str = "max_message_size";
        let Some(wanted) = self.queue.attributes.max_message_size else {
            return;
        };
        let asked = wanted.value;
        let (hold, size) = if self.tier == Tier::Premium {
            premium_size(asked)
        } else {
            (fixed_size(asked, self.tier), None)
        };
        let mut verdict = Verdict::new(NAME, units::size(asked), wanted.origin, hold);
        if size.is_some_and(|size| size > PREMIUM_MESSAGE_SIZE.min) {
            verdict = verdict.with_consumer(
                "messages beyond 1MiB go over AMQP only, and not more than 1MiB in a batch",
            );
        }
        self.judge(verdict.with_source(if size.is_some() { TIERS } else { QUOTAS }));
        self.attributes.extend(size.map(|size| {
            NativeAttribute::new(MAX_MESSAGE_SIZE, Value::Bytes(size))
                .holding(NAME)
                .with_origin(wanted.origin)
        }));
    }

    fn ordering(&mut self) {
        const NAME: &str = "ordering";
        let wanted = self.queue.attributes.ordering;
        let ordered = wanted.value == Ordering::PerKey;
        let (value, hold) = match (ordered, self.basic()) {
            (false, _) => ("none", Hold::Exact),
            (true, true) => ("per-key", unsupported("the Basic tier has no sessions")),
            (true, false) => (
                "per-key",
                Hold::Approximate {
                    from: "per-key".to_owned(),
                    to: "sessions".to_owned(),
                    why: "order is kept within a session, which one receiver holds at a time; ordinary receivers are turned away".to_owned(),
                },
            ),
        };
        let mut verdict = Verdict::new(NAME, value, wanted.origin, hold).with_source(SESSIONS);
        if ordered && !self.basic() {
            verdict =
                verdict.with_consumer("send with a SessionId, and receive with a session receiver");
        }
        self.judge(verdict);
        if !self.basic() {
            self.attributes.push(
                NativeAttribute::new(REQUIRES_SESSION, Value::Bool(ordered))
                    .holding(NAME)
                    .with_origin(wanted.origin)
                    .immutable(),
            );
        }
    }

    fn deduplication(&mut self) {
        const NAME: &str = "deduplication";
        let Some(wanted) = self.queue.attributes.deduplication.clone() else {
            return;
        };
        let window = Stated {
            value: wanted.value.window,
            origin: wanted.origin,
        };
        let by_content = wanted.value.by == DeduplicateBy::Content;
        let mut verdict = facts::DUPLICATE_WINDOW.judge(NAME, &window);
        let by = if by_content { "content" } else { "id" };
        verdict.value = format!("{} by {by}", units::duration(window.value));
        if self.basic() {
            verdict.hold = unsupported("the Basic tier has no duplicate detection");
        } else if by_content && verdict.hold == Hold::Exact {
            verdict.hold = Hold::ClientSide {
                how: "the service compares ids only: `mq` sends each message with the SHA-256 of its body as its id".to_owned(),
            };
            verdict.consumer =
                Some("other senders must set MessageId to the SHA-256 of the body".into());
        }
        let holds = !matches!(verdict.hold, Hold::Unsupported { .. });
        self.judge(verdict.with_source(DUPLICATES));
        if holds {
            let attribute = |name, value| {
                NativeAttribute::new(name, value)
                    .holding(NAME)
                    .with_origin(wanted.origin)
            };
            self.attributes.extend([
                attribute(REQUIRES_DUPLICATE_DETECTION, Value::Bool(true)).immutable(),
                attribute(DUPLICATE_WINDOW, Value::Duration(window.value)),
            ]);
        }
    }

    pub(super) fn encryption(&mut self, namespace: &str) {
        let Some(wanted) = &self.queue.attributes.encryption else {
            return;
        };
        let (value, hold) = match &wanted.value {
            None => ("Microsoft's key".to_owned(), Hold::Exact),
            Some(key) => (
                key.clone(),
                unsupported(format!(
                    "a key of your own is set for a whole namespace, and needs Premium: `az servicebus namespace encryption add --namespace-name {namespace} --resource-group GROUP --encryption-config key-name=KEY key-vault-uri=URI`"
                )),
            ),
        };
        let verdict =
            Verdict::new("encryption", value, wanted.origin, hold).with_source(ENCRYPTION);
        self.judge(verdict);
    }

    pub(super) fn labels(&mut self) {
        let labels = &self.queue.attributes.labels;
        self.problems.extend(self.metadata_problem());
        if labels.is_empty() {
            return;
        }
        self.problems.extend(
            labels
                .keys()
                .filter(|key| metadata::is_marker(key))
                .map(|key| {
                    Diagnostic::error("labels/reserved", "the label is one of `mq`'s own")
                        .with_detail(format!("queue `{}`: `{key}`", self.queue.logical))
                        .with_path(format!("queues.{}.labels", self.queue.logical))
                        .with_hint("labels that start with `mq-` mark what `mq` owns: rename it")
                }),
        );
        let value = Value::Map(labels.clone());
        let hold = Hold::Approximate {
            from: "labels".to_owned(),
            to: "JSON in UserMetadata".to_owned(),
            why: "a queue has no tags: cost reports and policies do not see them".to_owned(),
        };
        let verdict = Verdict::new("labels", value.to_string(), Origin::File, hold);
        let attribute = NativeAttribute::new(USER_METADATA, value).holding("labels");
        self.dead_letter
            .iter_mut()
            .for_each(|part| part.push(attribute.clone()));
        self.attributes.push(attribute);
        self.judge(verdict.with_source(METADATA));
    }

    /// The marker and the labels share one text of bounded length.
    fn metadata_problem(&self) -> Option<Diagnostic> {
        if !self.queue.managed {
            return None;
        }
        let mut metadata = Metadata::default();
        metadata.set(self.queue.attributes.labels.clone());
        metadata.set(self.queue.marker().entries());
        let length = metadata::length(&metadata.text());
        (length > METADATA_LENGTH_MAX).then(|| {
            Diagnostic::error("labels/too-long", "the labels do not fit")
                .with_detail(format!(
                    "queue `{}`: labels and marker take {length} characters of UserMetadata, which has room for {METADATA_LENGTH_MAX} ({METADATA})",
                    self.queue.logical
                ))
                .with_path(format!("queues.{}.labels", self.queue.logical))
                .with_hint("shorten or remove labels, for this cloud through `overrides`")
        })
    }

    pub(super) fn native(&mut self) {
        let queue = self.queue;
        for (name, json) in &queue.attributes.native {
            match native::read(name, json, self.tier, queue.attributes.ordering.value) {
                Ok(native) => {
                    self.attributes.extend(native.attribute);
                    self.judge(native.verdict);
                }
                Err(why) => {
                    let known: Vec<String> = native::NATIVE
                        .iter()
                        .map(|info| format!("`{}`", info.name))
                        .collect();
                    self.problems.push(
                        Diagnostic::error(
                            "native/refused",
                            "not a native attribute of Service Bus",
                        )
                        .with_detail(format!("queue `{}`: `{name}`: {why}", queue.logical))
                        .with_path(format!("queues.{}.overrides", queue.logical))
                        .with_hint(format!("there are {}", known.join(", "))),
                    );
                }
            }
        }
    }
}

/// The element for a retention, of the queue or of its dead letters.
pub(super) fn time_to_live(holding: &'static str, value: Duration) -> NativeAttribute {
    NativeAttribute::new(TIME_TO_LIVE, Value::Duration(value))
        .holding(holding)
        .with_warning("a shorter retention drops messages that have waited longer")
}

/// Below Premium the size is fixed: smaller is not enforced, larger is not taken.
fn fixed_size(asked: u64, tier: Tier) -> Hold {
    let fixed = units::size(FIXED_MESSAGE_SIZE);
    match asked.cmp(&FIXED_MESSAGE_SIZE) {
        std::cmp::Ordering::Equal => Hold::Exact,
        std::cmp::Ordering::Less => Hold::Approximate {
            from: units::size(asked),
            to: fixed,
            why: format!("the {} tier takes messages up to a fixed size", tier.name()),
        },
        std::cmp::Ordering::Greater => unsupported(format!(
            "the {} tier takes messages up to {fixed}; Premium takes up to {}",
            tier.name(),
            units::size(PREMIUM_MESSAGE_SIZE.max)
        )),
    }
}

/// On Premium the size is set in whole KiB, from 1 MiB on.
fn premium_size(asked: u64) -> (Hold, Option<u64>) {
    if asked > PREMIUM_MESSAGE_SIZE.max {
        let most = units::size(PREMIUM_MESSAGE_SIZE.max);
        return (
            unsupported(format!("the service takes messages up to {most}")),
            None,
        );
    }
    let size = asked.max(PREMIUM_MESSAGE_SIZE.min).div_ceil(KIB) * KIB;
    let hold = if size == asked {
        Hold::Exact
    } else {
        Hold::Approximate {
            from: units::size(asked),
            to: units::size(size),
            why: "the cap is set in whole KiB, from 1MiB on".to_owned(),
        }
    };
    (hold, Some(size))
}
