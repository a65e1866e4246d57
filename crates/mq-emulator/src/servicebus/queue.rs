//! A queue as the service describes it: `QueueDescription`, its defaults and its engine settings.

use mq_engine::{Counts, Entity, EntityId, EntityKind, Service, Settings};
use serde::{Deserialize, Serialize};

use super::duration::TimeSpan;
use super::error::ServiceError;
use super::properties::Properties;
use super::rules::{self, AuthorizationRule};
use super::tier::Tier;
use super::write::{COUNTS, INSTANCE, SERVICE_BUS, Writer, precise};

/// A partitioned queue of the Basic and Standard tiers has this many partitions, each of the
/// size that was asked for.
const PARTITIONS: u64 = 16;

/// The properties of a queue that a client may set
/// (<https://learn.microsoft.com/rest/api/servicebus/queues>), and the spelling of its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Queue {
    /// As it was created; the service finds it under any case.
    pub(super) name: String,
    pub(super) lock_duration: TimeSpan,
    /// As it was asked for; see [`Queue::shown_size_mb`].
    pub(super) max_size_mb: u64,
    pub(super) requires_duplicate_detection: bool,
    pub(super) requires_session: bool,
    pub(super) default_message_time_to_live: TimeSpan,
    pub(super) dead_lettering_on_message_expiration: bool,
    pub(super) duplicate_detection_history_time_window: TimeSpan,
    pub(super) max_delivery_count: u64,
    pub(super) enable_batched_operations: bool,
    pub(super) authorization_rules: Vec<AuthorizationRule>,
    pub(super) status: String,
    pub(super) forward_to: Option<String>,
    pub(super) user_metadata: Option<String>,
    pub(super) auto_delete_on_idle: TimeSpan,
    pub(super) enable_partitioning: bool,
    pub(super) forward_dead_lettered_messages_to: Option<String>,
    pub(super) enable_express: bool,
    pub(super) max_message_size_kb: u64,
}

impl Queue {
    /// The queue that a request describes. What the request leaves out has its default, on
    /// create and on update alike.
    ///
    /// # Errors
    /// A value that cannot be read. Whether the values are allowed is for [`super::check`].
    pub(super) fn read(
        name: &str,
        asked: &Properties<'_>,
        tier: Tier,
    ) -> Result<Self, ServiceError> {
        Ok(Queue {
            name: name.to_owned(),
            lock_duration: asked
                .time_span("LockDuration")?
                .unwrap_or(TimeSpan::from_secs(60)),
            max_size_mb: asked.number("MaxSizeInMegabytes")?.unwrap_or(1024),
            requires_duplicate_detection: asked
                .boolean("RequiresDuplicateDetection")?
                .unwrap_or(false),
            requires_session: asked.boolean("RequiresSession")?.unwrap_or(false),
            default_message_time_to_live: asked
                .time_span("DefaultMessageTimeToLive")?
                .unwrap_or(TimeSpan::MAX),
            dead_lettering_on_message_expiration: asked
                .boolean("DeadLetteringOnMessageExpiration")?
                .unwrap_or(false),
            duplicate_detection_history_time_window: asked
                .time_span("DuplicateDetectionHistoryTimeWindow")?
                .unwrap_or(TimeSpan::from_secs(600)),
            max_delivery_count: asked.number("MaxDeliveryCount")?.unwrap_or(10),
            enable_batched_operations: asked.boolean("EnableBatchedOperations")?.unwrap_or(true),
            authorization_rules: asked
                .element("AuthorizationRules")
                .map_or(Ok(Vec::new()), rules::read)?,
            status: asked.text("Status").unwrap_or("Active").to_owned(),
            forward_to: asked.text("ForwardTo").map(str::to_owned),
            user_metadata: asked.text("UserMetadata").map(str::to_owned),
            auto_delete_on_idle: asked
                .time_span("AutoDeleteOnIdle")?
                .unwrap_or(TimeSpan::MAX),
            enable_partitioning: asked.boolean("EnablePartitioning")?.unwrap_or(false),
            forward_dead_lettered_messages_to: asked
                .text("ForwardDeadLetteredMessagesTo")
                .map(str::to_owned),
            enable_express: asked.boolean("EnableExpress")?.unwrap_or(false),
            max_message_size_kb: asked
                .number("MaxMessageSizeInKilobytes")?
                .unwrap_or(tier.message_size_kb()),
        })
    }

    /// What decides the fate of the queue's messages. Without a forwarding target dead letters
    /// stay in the queue's own subqueue, which is no entity.
    pub(super) fn settings(&self, dead_letter: Option<EntityId>) -> Settings {
        Settings {
            lease: self.lock_duration.limit().unwrap_or_default(),
            retention: self.default_message_time_to_live.limit(),
            max_deliveries: Some(u32::try_from(self.max_delivery_count).unwrap_or(u32::MAX)),
            dead_letter,
            ordered: self.requires_session,
            duplicate_window: self
                .requires_duplicate_detection
                .then(|| self.duplicate_detection_history_time_window.limit())
                .flatten(),
            ..Settings::default()
        }
    }

    /// The size that reads show: that of all partitions together.
    fn shown_size_mb(&self, tier: Tier) -> u64 {
        if self.enable_partitioning && tier != Tier::Premium {
            self.max_size_mb.saturating_mul(PARTITIONS)
        } else {
            self.max_size_mb
        }
    }
}

/// A queue with what the service adds when it shows it.
pub(super) struct Shown<'a> {
    pub(super) queue: &'a Queue,
    pub(super) entity: &'a Entity,
    pub(super) tier: Tier,
    /// Reads tell them; the answer to a write does not.
    pub(super) counts: Option<Counts>,
    /// API versions before 2021-05 do not know it.
    pub(super) with_message_size: bool,
}

impl Shown<'_> {
    /// The `QueueDescription` in the service's order of elements.
    pub(super) fn write(&self, writer: &mut Writer) {
        let queue = self.queue;
        writer.markup(&format!(
            "<QueueDescription xmlns=\"{SERVICE_BUS}\" xmlns:i=\"{INSTANCE}\">"
        ));
        writer.element("LockDuration", queue.lock_duration);
        writer.element("MaxSizeInMegabytes", queue.shown_size_mb(self.tier));
        writer.element(
            "RequiresDuplicateDetection",
            queue.requires_duplicate_detection,
        );
        writer.element("RequiresSession", queue.requires_session);
        writer.element(
            "DefaultMessageTimeToLive",
            queue.default_message_time_to_live,
        );
        writer.element(
            "DeadLetteringOnMessageExpiration",
            queue.dead_lettering_on_message_expiration,
        );
        writer.element(
            "DuplicateDetectionHistoryTimeWindow",
            queue.duplicate_detection_history_time_window,
        );
        writer.element("MaxDeliveryCount", queue.max_delivery_count);
        writer.element("EnableBatchedOperations", queue.enable_batched_operations);
        // Bodies are not counted in bytes, and a queue without messages has none.
        writer.element("SizeInBytes", 0);
        writer.element("MessageCount", self.counts.map_or(0, total));
        writer.element("IsAnonymousAccessible", false);
        rules::write(&queue.authorization_rules, writer);
        writer.element("Status", &queue.status);
        self.write_optional("ForwardTo", queue.forward_to.as_deref(), writer);
        self.write_optional("UserMetadata", queue.user_metadata.as_deref(), writer);
        writer.element("CreatedAt", precise(self.entity.created));
        writer.element("UpdatedAt", precise(self.entity.updated));
        if let Some(counts) = self.counts {
            writer.element("AccessedAt", "0001-01-01T00:00:00Z");
            writer.element("SupportOrdering", !queue.enable_partitioning);
            write_counts(counts, writer);
        } else {
            writer.element("SupportOrdering", !queue.enable_partitioning);
        }
        writer.element("AutoDeleteOnIdle", queue.auto_delete_on_idle);
        writer.element("EnablePartitioning", queue.enable_partitioning);
        writer.element("EntityAvailabilityStatus", "Available");
        let dead_letter_target = queue.forward_dead_lettered_messages_to.as_deref();
        self.write_optional("ForwardDeadLetteredMessagesTo", dead_letter_target, writer);
        writer.element("EnableExpress", queue.enable_express);
        if self.with_message_size {
            writer.element("MaxMessageSizeInKilobytes", queue.max_message_size_kb);
        }
        writer.markup("</QueueDescription>");
    }

    fn write_optional(&self, name: &str, value: Option<&str>, writer: &mut Writer) {
        if let Some(value) = value {
            writer.element(name, value);
        }
    }
}

fn total(counts: Counts) -> u64 {
    counts.visible + counts.leased + counts.delayed + counts.dead
}

/// A locked message is an active one to this service.
fn write_counts(counts: Counts, writer: &mut Writer) {
    writer.markup(&format!("<CountDetails xmlns:d2p1=\"{COUNTS}\">"));
    writer.element("d2p1:ActiveMessageCount", counts.visible + counts.leased);
    writer.element("d2p1:DeadLetterMessageCount", counts.dead);
    writer.element("d2p1:ScheduledMessageCount", counts.delayed);
    writer.element("d2p1:TransferMessageCount", 0);
    writer.element("d2p1:TransferDeadLetterMessageCount", 0);
    writer.markup("</CountDetails>");
}

/// Where the engine keeps the queue of that name in that namespace: names are found under any case.
pub(super) fn id(namespace: &str, name: &str) -> EntityId {
    EntityId {
        service: Service::ServiceBus,
        kind: EntityKind::Queue,
        scope: namespace.to_ascii_lowercase(),
        name: name.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::xml;
    use super::*;
    use mq_engine::Timestamp;
    use proptest::prelude::*;

    fn any_span() -> impl Strategy<Value = TimeSpan> {
        prop_oneof![
            Just(TimeSpan::MAX),
            (0_u64..=1_000_000_000).prop_map(TimeSpan::from_secs)
        ]
    }

    /// What a text can be and still come back: not blank, no white space around it.
    fn any_text() -> impl Strategy<Value = Option<String>> {
        prop::option::of("[!-~é€🦀]([ -~é€🦀\r\n\t]{0,20}[!-~é€🦀])?")
    }

    prop_compose! {
        fn any_queue()(
            spans in (any_span(), any_span(), any_span(), any_span()),
            numbers in (any::<u64>(), any::<u64>(), any::<u64>()),
            flags in any::<[bool; 6]>(),
            texts in (any_text(), any_text(), any_text()),
            status in "[A-Za-z]{1,12}",
        ) -> Queue {
            Queue {
                name: "q".to_owned(),
                lock_duration: spans.0,
                max_size_mb: numbers.0,
                requires_duplicate_detection: flags[0],
                requires_session: flags[1],
                default_message_time_to_live: spans.1,
                dead_lettering_on_message_expiration: flags[2],
                duplicate_detection_history_time_window: spans.2,
                max_delivery_count: numbers.1,
                enable_batched_operations: flags[3],
                authorization_rules: Vec::new(),
                status,
                forward_to: texts.0,
                user_metadata: texts.1,
                auto_delete_on_idle: spans.3,
                enable_partitioning: flags[4],
                forward_dead_lettered_messages_to: texts.2,
                enable_express: flags[5],
                max_message_size_kb: numbers.2,
            }
        }
    }

    fn written(queue: &Queue, counts: Option<Counts>) -> String {
        let entity = Entity {
            id: id("ns", &queue.name),
            settings: queue.settings(None),
            document: serde_json::Value::Null,
            created: Timestamp(0),
            updated: Timestamp(1),
            revision: 1,
        };
        let shown = Shown {
            queue,
            entity: &entity,
            // Below Premium a partitioned queue shows another size than it was given.
            tier: Tier::Premium,
            counts,
            with_message_size: true,
        };
        let mut writer = Writer::default();
        shown.write(&mut writer);
        writer.into_string()
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_as_what_it_was(queue in any_queue(), whole in any::<bool>()) {
            let text = written(&queue, whole.then(Counts::default));
            let element = xml::parse(text.as_bytes()).unwrap();
            let read = Queue::read("q", &Properties::of(&element), Tier::Premium);
            prop_assert_eq!(read.as_ref(), Ok(&queue));
            let document = serde_json::to_value(&queue).unwrap();
            prop_assert_eq!(serde_json::from_value::<Queue>(document).unwrap(), queue);
        }
    }

    #[test]
    fn a_leased_message_counts_as_active_and_all_kinds_as_messages() {
        let counts = Counts {
            visible: 1,
            leased: 2,
            delayed: 4,
            dead: 8,
        };
        let asked = xml::Element::default();
        let queue = Queue::read("q", &Properties::of(&asked), Tier::Standard).unwrap();
        let text = written(&queue, Some(counts));
        for part in [
            "<MessageCount>15</MessageCount>",
            "<d2p1:ActiveMessageCount>3</d2p1:ActiveMessageCount>",
            "<d2p1:DeadLetterMessageCount>8</d2p1:DeadLetterMessageCount>",
            "<d2p1:ScheduledMessageCount>4</d2p1:ScheduledMessageCount>",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
}
