//! The attributes of the resources, and one verdict for each that the file states or that is
//! written on create.

use std::time::Duration;

use mq_core::capability::stated;
use mq_core::diagnostic::Diagnostic;
use mq_core::queue::{DeadLetter, DeadLetterTarget, Ordering, Origin, ResolvedQueue, Stated};
use mq_core::resource::{Authority, NativeAttribute};
use mq_core::units;
use mq_core::value::Value;
use mq_core::verdict::{Hold, Verdict};

use super::labels::{self, Sorted};
use super::names::QueueNames;
use super::overrides::native;
use crate::capability::{MAX_DELIVERIES, MESSAGE_SIZE_MAX, RETENTION, VISIBILITY_TIMEOUT, page};
use crate::config::Grants;
use crate::native::{NATIVE, TOPIC_PREFIX, attribute};

/// What is written where, and how it holds.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) topic: Vec<NativeAttribute>,
    pub(super) subscription: Vec<NativeAttribute>,
    pub(super) dead_topic: Vec<NativeAttribute>,
    pub(super) dead_subscription: Vec<NativeAttribute>,
    pub(super) verdicts: Vec<Verdict>,
    pub(super) problems: Vec<Diagnostic>,
}

/// The queue's attributes in the service's words.
pub(super) fn write(queue: &ResolvedQueue, names: &QueueNames, grants: Grants) -> Written {
    let mut written = Written::default();
    written.subscription.push(bound_to(&names.topic));
    written.dead_subscription.push(bound_to(&names.dead_topic));
    written.visibility_timeout(queue);
    written.retention(queue);
    written.never_expiring(queue);
    written.receive_wait(queue);
    written.delivery_delay(queue);
    written.max_message_size(queue);
    written.ordering(queue);
    written.deduplication(queue);
    match &queue.attributes.dead_letter {
        Some(dead_letter) => written.dead_letter(&dead_letter.value, names, grants),
        None => written.no_dead_letter(queue, names),
    }
    written.encryption(queue);
    written.labels(queue);
    written.native(queue);
    written
}

/// A subscription stays with the topic it was created on.
fn bound_to(topic: &str) -> NativeAttribute {
    NativeAttribute::new(attribute::TOPIC, Value::text(topic)).immutable()
}

impl Written {
    fn judge(&mut self, verdict: Verdict) {
        self.verdicts.push(verdict);
    }

    fn visibility_timeout(&mut self, queue: &ResolvedQueue) {
        const NAME: &str = "visibility_timeout";
        let Some(wanted) = queue.attributes.visibility_timeout else {
            return;
        };
        let whole = whole_seconds(wanted.value);
        let mut verdict = VISIBILITY_TIMEOUT.judge(NAME, &stated(whole, wanted.origin));
        verdict.value = units::duration(wanted.value);
        let fits = verdict.hold == Hold::Exact;
        if fits && whole != wanted.value {
            verdict.hold = Hold::Approximate {
                from: units::duration(wanted.value),
                to: units::duration(whole),
                why: "the service counts whole seconds".to_owned(),
            };
        }
        self.judge(verdict.with_consumer(format!(
            "a streaming client says its own lease, 60s unless it is told: set it to {} there",
            units::duration(wanted.value)
        )));
        if fits {
            let value = Value::Duration(whole);
            let lease = NativeAttribute::new(attribute::ACK_DEADLINE, value).holding(NAME);
            self.dead_subscription
                .push(lease.clone().with_authority(Authority::CreateDefault));
            self.subscription.push(lease.with_origin(wanted.origin));
        }
    }

    fn retention(&mut self, queue: &ResolvedQueue) {
        const NAME: &str = "retention";
        let Some(wanted) = queue.attributes.retention else {
            return;
        };
        let verdict = RETENTION.judge(NAME, &wanted);
        if verdict.hold == Hold::Exact {
            self.subscription
                .push(retention(NAME, wanted.value).with_origin(wanted.origin));
        }
        self.judge(verdict);
    }

    /// Left alone, Pub/Sub deletes a subscription that was idle for 31 days, with its messages.
    fn never_expiring(&mut self, queue: &ResolvedQueue) {
        let never = NativeAttribute::new(attribute::EXPIRATION, Value::Never).with_authority(
            // What someone else manages is compared with what the file says, which is nothing here.
            if queue.managed {
                Authority::File
            } else {
                Authority::CreateDefault
            },
        );
        self.subscription.push(never.clone());
        self.dead_subscription.push(never);
    }

    /// Nothing is written for it, so only a stated one has a verdict.
    fn receive_wait(&mut self, queue: &ResolvedQueue) {
        let Some(wanted) = stated_in_file(queue.attributes.receive_wait) else {
            return;
        };
        let how = "a receiver says itself how long it waits: a subscription has no such setting";
        self.judge(
            Verdict::new(
                "receive_wait",
                units::duration(wanted),
                Origin::File,
                Hold::ClientSide {
                    how: how.to_owned(),
                },
            )
            .with_source(page::PULL),
        );
    }

    fn delivery_delay(&mut self, queue: &ResolvedQueue) {
        let Some(wanted) = queue.attributes.delivery_delay else {
            return;
        };
        let hold = if wanted.value.is_zero() {
            Hold::Exact
        } else {
            Hold::Unsupported {
                why: "Pub/Sub delivers at once: hold the message back in the sender, or send it through Cloud Tasks".to_owned(),
            }
        };
        self.judge(
            Verdict::new(
                "delivery_delay",
                units::duration(wanted.value),
                wanted.origin,
                hold,
            )
            .with_source(page::SUBSCRIPTION),
        );
    }

    fn max_message_size(&mut self, queue: &ResolvedQueue) {
        let Some(wanted) = queue.attributes.max_message_size else {
            return;
        };
        let fixed = units::size(MESSAGE_SIZE_MAX);
        let hold = match wanted.value.cmp(&MESSAGE_SIZE_MAX) {
            std::cmp::Ordering::Equal => Hold::Exact,
            std::cmp::Ordering::Less => Hold::ClientSide {
                how: format!(
                    "only the sender can refuse what is larger: the service takes up to {fixed}, whatever is set"
                ),
            },
            std::cmp::Ordering::Greater => Hold::Unsupported {
                why: format!("a publish request is {fixed} at most"),
            },
        };
        self.judge(
            Verdict::new(
                "max_message_size",
                units::size(wanted.value),
                wanted.origin,
                hold,
            )
            .with_source(page::QUOTAS),
        );
    }

    fn ordering(&mut self, queue: &ResolvedQueue) {
        let wanted = queue.attributes.ordering;
        let per_key = wanted.value == Ordering::PerKey;
        self.subscription.push(
            NativeAttribute::new(attribute::ORDERING, Value::Bool(per_key))
                .holding("ordering")
                .with_origin(wanted.origin)
                .immutable(),
        );
        let value = if per_key { "per-key" } else { "none" };
        let hold = if per_key {
            Hold::Approximate {
                from: value.to_owned(),
                to: value.to_owned(),
                why: "messages of one ordering key keep their order when they are published in one region; a message that is delivered again brings every later one of its key again, and a dead letter leaves the order".to_owned(),
            }
        } else {
            Hold::Exact
        };
        let verdict =
            Verdict::new("ordering", value, wanted.origin, hold).with_source(page::ORDERING);
        self.judge(if per_key {
            verdict.with_consumer(
                "publish with an ordering key, all messages of a key in one region (a locational endpoint)",
            )
        } else {
            verdict
        });
    }

    fn deduplication(&mut self, queue: &ResolvedQueue) {
        let Some(wanted) = &queue.attributes.deduplication else {
            return;
        };
        self.judge(
            Verdict::new(
                "deduplication",
                units::duration(wanted.value.window),
                wanted.origin,
                Hold::Unsupported {
                    why: "what a publisher sends twice is delivered twice, with exactly-once delivery too: make the consumer idempotent".to_owned(),
                },
            )
            .with_source(page::EXACTLY_ONCE),
        );
    }

    fn dead_letter(&mut self, wanted: &DeadLetter, names: &QueueNames, grants: Grants) {
        self.max_deliveries(wanted, names);
        self.dead_letter_retention(wanted);
        let (value, hold) = (
            match &wanted.target {
                DeadLetterTarget::Own => names.dead_topic.clone(),
                DeadLetterTarget::Shared(shared) => shared.logical.clone(),
                DeadLetterTarget::External(topic) => topic.clone(),
            },
            if grants == Grants::Skip {
                Hold::Approximate {
                    from: names.dead_topic.clone(),
                    to: names.dead_topic.clone(),
                    why: "`grants: skip` leaves two rights of the Pub/Sub service agent unproved, without which nothing is ever dead-lettered and no delivery counted".to_owned(),
                }
            } else {
                Hold::Exact
            },
        );
        self.judge(
            Verdict::new("dead_letter.queue", value, Origin::File, hold)
                .with_source(page::DEAD_LETTER),
        );
    }

    fn max_deliveries(&mut self, wanted: &DeadLetter, names: &QueueNames) {
        const NAME: &str = "dead_letter.max_deliveries";
        let asked = wanted.max_deliveries;
        let becomes = if (1..MAX_DELIVERIES.min).contains(&asked) {
            MAX_DELIVERIES.min
        } else {
            asked
        };
        let mut verdict = MAX_DELIVERIES.judge(NAME, &Stated::file(becomes));
        verdict.value = asked.to_string();
        let fits = verdict.hold == Hold::Exact;
        if fits {
            let why = if becomes == asked {
                "the service counts deliveries as well as it can and may hand a message out more often"
                    .to_owned()
            } else {
                format!(
                    "the service takes {} to {}, and counts as well as it can",
                    MAX_DELIVERIES.min, MAX_DELIVERIES.max
                )
            };
            verdict.hold = Hold::Approximate {
                from: asked.to_string(),
                to: becomes.to_string(),
                why,
            };
        }
        self.judge(verdict);
        if fits {
            self.subscription.extend([
                NativeAttribute::new(attribute::DEAD_LETTER_TOPIC, Value::text(&names.dead_topic))
                    .holding("dead_letter.queue"),
                NativeAttribute::new(attribute::MAX_ATTEMPTS, Value::Integer(i64::from(becomes)))
                    .holding(NAME),
            ]);
        }
    }

    fn dead_letter_retention(&mut self, wanted: &DeadLetter) {
        const NAME: &str = "dead_letter.retention";
        let Some(value) = wanted.retention else {
            return;
        };
        let mut verdict = RETENTION.judge(NAME, &Stated::file(value));
        match &wanted.target {
            DeadLetterTarget::Own => {
                if verdict.hold == Hold::Exact {
                    self.dead_subscription.push(retention(NAME, value));
                }
            }
            DeadLetterTarget::Shared(shared) => {
                verdict.hold = Hold::Unsupported {
                    why: format!(
                        "the dead letters wait in the queue `{}`: state its `retention`",
                        shared.logical
                    ),
                };
            }
            DeadLetterTarget::External(_) => {
                verdict.hold = Hold::Unsupported {
                    why: "the dead letters go to a topic of someone else's, whose subscriptions have their own retention".to_owned(),
                };
            }
        }
        self.judge(verdict);
    }

    fn no_dead_letter(&mut self, queue: &ResolvedQueue, names: &QueueNames) {
        let until = queue.attributes.retention.map_or_else(
            || "its retention ends".to_owned(),
            |retention| format!("its retention of {} ends", units::duration(retention.value)),
        );
        self.judge(
            Verdict::new("dead_letter", "none", Origin::CreateDefault, Hold::Exact)
                .with_consumer(format!(
                    "a message that always fails is delivered again until {until}, and is then dropped"
                ))
                .with_source(page::DEAD_LETTER),
        );
        if queue.managed {
            let ours = Value::text(&names.own_dead_topic);
            self.subscription.push(
                NativeAttribute::new(attribute::DEAD_LETTER_TOPIC, Value::Absent)
                    .holding("dead_letter")
                    .with_authority(Authority::Unlink(ours))
                    .with_warning("messages that always fail are no longer moved aside"),
            );
        }
    }

    fn encryption(&mut self, queue: &ResolvedQueue) {
        let Some(wanted) = &queue.attributes.encryption else {
            return;
        };
        let own = queue
            .attributes
            .dead_letter
            .as_ref()
            .is_none_or(|dead_letter| dead_letter.value.target == DeadLetterTarget::Own);
        let Some(key) = &wanted.value else {
            self.key(Value::Absent);
            self.judge(
                Verdict::new("encryption", "Google's key", wanted.origin, Hold::Exact)
                    .with_source(page::ENCRYPTION),
            );
            return;
        };
        if !is_key(key) {
            self.problems.push(
                Diagnostic::error("encryption/key", "not the name of a Cloud KMS key")
                    .with_detail(format!(
                        "queue `{}`: Pub/Sub takes no key named `{key}`",
                        queue.logical
                    ))
                    .with_path(format!("queues.{}.encryption.key", queue.logical))
                    .with_hint(
                        "write it as `projects/PROJECT/locations/LOCATION/keyRings/RING/cryptoKeys/KEY`",
                    ),
            );
        }
        self.key(Value::text(key));
        let hold = if own {
            Hold::Exact
        } else {
            Hold::Approximate {
                from: key.clone(),
                to: key.clone(),
                why:
                    "the topic has the key; dead letters are encrypted as the topic they go to says"
                        .to_owned(),
            }
        };
        self.judge(
            Verdict::new("encryption", key, wanted.origin, hold)
                .with_consumer(
                    "the project's Pub/Sub service agent needs `roles/cloudkms.cryptoKeyEncrypterDecrypter` on the key: without it nothing can be published",
                )
                .with_source(page::ENCRYPTION),
        );
    }

    fn key(&mut self, value: Value) {
        let key = NativeAttribute::new(attribute::KMS_KEY, value).holding("encryption");
        self.topic.push(key.clone());
        self.dead_topic.push(key);
    }

    fn labels(&mut self, queue: &ResolvedQueue) {
        let labels = &queue.attributes.labels;
        if labels.is_empty() {
            return;
        }
        let Sorted { fitting, refused } = labels::sort(labels, queue.marker().entries().len());
        let hold = if refused.is_empty() {
            Hold::Exact
        } else {
            Hold::Unsupported {
                why: format!("{}; accepted, the others are set", refused.join("; ")),
            }
        };
        let value = Value::Map(labels.clone()).to_string();
        self.judge(Verdict::new("labels", value, Origin::File, hold).with_source(page::LABELS));
        if !fitting.is_empty() {
            let labels =
                NativeAttribute::new(attribute::LABELS, Value::Map(fitting)).holding("labels");
            self.topic.push(labels.clone());
            self.subscription.push(labels.clone());
            self.dead_topic.push(labels.clone());
            self.dead_subscription.push(labels);
        }
    }

    fn native(&mut self, queue: &ResolvedQueue) {
        for (key, value) in &queue.attributes.native {
            match native(key, value) {
                Ok(attribute) => {
                    let of_topic = key.strip_prefix(TOPIC_PREFIX);
                    let target = if of_topic.is_some() {
                        &mut self.topic
                    } else {
                        &mut self.subscription
                    };
                    // Where messages may be stored holds for dead letters too.
                    if matches!(
                        of_topic,
                        Some(attribute::REGIONS | attribute::ENFORCE_IN_TRANSIT)
                    ) {
                        self.dead_topic.push(attribute.clone());
                    }
                    target.push(attribute);
                }
                Err(why) => self.problems.push(
                    Diagnostic::error("native/refused", "not a native attribute of Pub/Sub")
                        .with_detail(format!("queue `{}`: `{key}`: {why}", queue.logical))
                        .with_path(format!("queues.{}.overrides", queue.logical))
                        .with_hint(format!(
                            "there are {}",
                            NATIVE
                                .iter()
                                .map(|known| format!("`{}`", known.name))
                                .collect::<Vec<_>>()
                                .join(", ")
                        )),
                ),
            }
        }
    }
}

fn retention(holding: &'static str, value: Duration) -> NativeAttribute {
    NativeAttribute::new(attribute::RETENTION, Value::Duration(value))
        .holding(holding)
        .with_warning("a shorter retention deletes the messages that are older")
}

fn stated_in_file<T>(wanted: Option<Stated<T>>) -> Option<T> {
    wanted
        .filter(|wanted| wanted.origin == Origin::File)
        .map(|wanted| wanted.value)
}

fn whole_seconds(value: Duration) -> Duration {
    let up = u64::from(value.subsec_nanos() > 0);
    Duration::from_secs(value.as_secs().saturating_add(up))
}

fn is_key(name: &str) -> bool {
    let parts: Vec<&str> = name.split('/').collect();
    let [
        projects,
        project,
        locations,
        location,
        rings,
        ring,
        keys,
        key,
    ] = parts[..]
    else {
        return false;
    };
    [projects, locations, rings, keys] == ["projects", "locations", "keyRings", "cryptoKeys"]
        && [project, location, ring, key]
            .iter()
            .all(|part| !part.is_empty())
}
