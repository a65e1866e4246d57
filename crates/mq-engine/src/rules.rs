//! In what the three services differ.
//!
//! Everything that depends on the service is decided here, so that the rest of the engine asks
//! for a rule and never for a name.

use std::time::Duration;

use crate::entity::{Backoff, Entity, Part, Service, Settings, Timestamp};

/// How the messages of one place are kept in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Mode {
    /// Not by group.
    #[default]
    Plain,
    /// SQS FIFO: while messages of a group are in flight, nobody gets more of it.
    Fifo,
    /// Pub/Sub ordering keys: a key with messages in flight goes on to the same consumer only,
    /// and when one fails the later ones of its key come again after it.
    Keys,
    /// Service Bus sessions: a group is locked by its consumer, and nobody gets a message
    /// without the lock.
    Sessions,
}

impl Mode {
    /// The mode of this part of this entity.
    pub(crate) fn of(entity: &Entity, part: Part) -> Mode {
        match (entity.settings.ordered, part, entity.id.service) {
            (false, ..) | (_, Part::Dead, _) => Mode::Plain,
            (true, Part::Main, Service::Sqs) => Mode::Fifo,
            (true, Part::Main, Service::PubSub) => Mode::Keys,
            (true, Part::Main, Service::ServiceBus) => Mode::Sessions,
        }
    }
}

/// What to do with a receipt that is not that of a running lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Stale {
    /// Tell so.
    #[default]
    Refuse,
    /// Do nothing and say that all is well.
    Ignore,
}

/// The rules of one place.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Rules {
    /// How long one delivery is hidden.
    pub(crate) lease: Duration,
    /// How long a message waits.
    pub(crate) retention: Option<Duration>,
    /// How often a message is handed out before it is a dead letter; `None` also where no dead
    /// letter can go anywhere.
    pub(crate) max_deliveries: Option<u32>,
    /// Whether the delivery count grows with each receive and a message over the limit goes at
    /// the next one (SQS). Otherwise it grows with each failure, and the message goes at once.
    ///
    /// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html>,
    /// <https://learn.microsoft.com/azure/service-bus-messaging/service-bus-dead-letter-queues>
    pub(crate) counts_receives: bool,
    /// Whether a message whose lease ran out can still be acked by its newest receipt.
    pub(crate) late_ack: bool,
    /// A receipt that cannot ack.
    pub(crate) stale_ack: Stale,
    /// A receipt that cannot extend, nack, defer or dead-letter.
    pub(crate) stale_other: Stale,
    /// How long a failed message is held back.
    pub(crate) retry: Option<Backoff>,
    /// Whether a message can expire under the hands of its consumer. Service Bus lets it finish:
    /// <https://learn.microsoft.com/azure/service-bus-messaging/message-expiration>.
    pub(crate) leased_expire: bool,
    /// Whether an expired message is a dead letter.
    pub(crate) dead_letter_expired: bool,
    /// Whether a failed message goes back before those that came after it. Otherwise it queues
    /// again by the time at which it is ready, so that poison does not starve the rest.
    pub(crate) front: bool,
    /// Whether acked messages are kept.
    pub(crate) retain_acked: bool,
}

impl Rules {
    /// The rules of this part of this entity. `dead_letters_go` says whether its dead letters
    /// have somewhere to go.
    pub(crate) fn of(entity: &Entity, part: Part, dead_letters_go: bool) -> Rules {
        let settings = &entity.settings;
        let service = entity.id.service;
        let fifo = service == Service::Sqs && settings.ordered;
        let main = part == Part::Main;
        let max = settings.max_deliveries.filter(|_| dead_letters_go && main);
        let refuse_ack = match service {
            Service::Sqs => fifo,
            Service::PubSub => settings.exactly_once,
            Service::ServiceBus => true,
        };
        let refuse_other = service != Service::PubSub || settings.exactly_once;
        Rules {
            lease: settings.lease,
            retention: settings.retention.filter(|_| main),
            max_deliveries: planted!(
                DeadLetterLate,
                max.map(|max| max + 1),
                planted!(DeadLetterEarly, max.map(|max| (max - 1).max(1)), max)
            ),
            counts_receives: service == Service::Sqs,
            late_ack: !refuse_ack,
            stale_ack: Stale::refuse_if(refuse_ack),
            stale_other: Stale::refuse_if(refuse_other),
            retry: planted!(BackoffIgnored, None, settings.retry),
            leased_expire: service != Service::ServiceBus,
            dead_letter_expired: settings.dead_letter_expired && main && dead_letters_go,
            front: service == Service::ServiceBus,
            retain_acked: settings.retain_acked,
        }
    }

    /// The rank of a message that becomes ready now.
    pub(crate) fn rank(&self, now: Timestamp) -> u64 {
        if self.front { 0 } else { now.0 }
    }

    /// When a message that was sent then ends.
    pub(crate) fn expires(&self, sent: Timestamp, ttl: Option<Duration>) -> Timestamp {
        let life = self.retention.into_iter().chain(ttl).min();
        life.map_or(Timestamp::FOREVER, |life| {
            // Never at once: two entities that bury in each other must not go on for ever within
            // one moment.
            sent.after(life.max(Duration::from_millis(1)))
        })
    }
}

impl Stale {
    fn refuse_if(refuse: bool) -> Stale {
        if refuse { Stale::Refuse } else { Stale::Ignore }
    }
}

/// Whether a queue holds its messages back from the time when they were first sent, rather than
/// from when they came as dead letters.
///
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/setting-up-dead-letter-queue-retention.html>
pub(crate) fn dead_letter_keeps_age(service: Service, target: &Settings) -> bool {
    service == Service::Sqs && !target.ordered
}
