//! What each operation of Pub/Sub is worth here.

use crate::ledger::{Fidelity, LedgerRow, Source};

const fn row(operation: &'static str, fidelity: Fidelity, source: Source) -> LedgerRow {
    LedgerRow {
        service: "pubsub",
        operation,
        fidelity,
        source,
    }
}

const fn faithful(operation: &'static str) -> LedgerRow {
    row(operation, Fidelity::Faithful, Source::Doc)
}

const fn simplified(operation: &'static str, how: &'static str) -> LedgerRow {
    row(operation, Fidelity::Simplified(how), Source::Doc)
}

const fn absent(operation: &'static str) -> LedgerRow {
    row(
        operation,
        Fidelity::Absent("UNIMPLEMENTED, 501 over REST"),
        Source::Doc,
    )
}

/// The resource of Resource Manager's one call that is there.
pub(super) const PROJECTS_GET: &str = "Projects.GetProject";

/// One row per operation of the services that the port knows, and one per attribute that is not
/// what it is in the cloud.
pub(crate) static LEDGER: &[LedgerRow] = &[
    faithful("Publisher.CreateTopic"),
    faithful("Publisher.UpdateTopic"),
    faithful("Publisher.Publish"),
    faithful("Publisher.GetTopic"),
    faithful("Publisher.ListTopics"),
    simplified(
        "Publisher.ListTopicSubscriptions",
        "subscriptions of other projects are not in it",
    ),
    faithful("Publisher.ListTopicSnapshots"),
    faithful("Publisher.DeleteTopic"),
    faithful("Publisher.DetachSubscription"),
    simplified(
        "Topic.kms_key_name",
        "the form is checked; whether the key is there and may be used is not",
    ),
    simplified(
        "Topic.message_storage_policy",
        "kept and shown; whether the regions exist is not checked",
    ),
    simplified("Topic.state", "always ACTIVE"),
    absent("Topic.schema_settings"),
    absent("Topic.ingestion_data_source_settings"),
    absent("Topic.message_transforms"),
    absent("Topic.tags"),
    faithful("Subscriber.CreateSubscription"),
    faithful("Subscriber.GetSubscription"),
    faithful("Subscriber.UpdateSubscription"),
    faithful("Subscriber.ListSubscriptions"),
    faithful("Subscriber.DeleteSubscription"),
    faithful("Subscriber.ModifyAckDeadline"),
    faithful("Subscriber.Acknowledge"),
    simplified(
        "Subscriber.Pull",
        "waits up to 3 seconds of the machine's time for a first message; at most 1,000 messages or 8 MiB",
    ),
    simplified(
        "Subscriber.StreamingPull",
        "ends only when the client, the subscription or the emulator does, or after a minute without a request; \
         the service also ends streams by itself",
    ),
    absent("Subscriber.ModifyPushConfig"),
    faithful("Subscriber.GetSnapshot"),
    faithful("Subscriber.ListSnapshots"),
    faithful("Subscriber.CreateSnapshot"),
    faithful("Subscriber.UpdateSnapshot"),
    faithful("Subscriber.DeleteSnapshot"),
    simplified(
        "Subscriber.Seek",
        "takes effect at once; to a snapshot of another subscription, what that one had not acked comes back only as \
         far as this one still keeps it",
    ),
    simplified(
        "Subscription.expiration_policy",
        "kept and shown; an idle subscription does not expire",
    ),
    row(
        "Subscription.filter",
        Fidelity::Simplified(
            "!= holds for messages without the key; the attributes that a dead letter has got are not seen",
        ),
        Source::Unverified,
    ),
    simplified(
        "Subscription.topic_message_retention_duration",
        "unacked messages too can be received for as long as the topic retains them; messages from before the \
         subscription was made do not come back",
    ),
    simplified(
        "Subscription.dead_letter_policy",
        "exact: attempts are never forgotten, and the message goes at once; grants are asked for only under the quirk \
         pubsub-iam-required",
    ),
    simplified(
        "Subscription.retry_policy",
        "exact: doubled with each failure, without jitter; when there is none, a failed message comes again at once",
    ),
    simplified("Subscription.state", "always ACTIVE"),
    absent("Subscription.push_config"),
    absent("Subscription.bigquery_config"),
    absent("Subscription.cloud_storage_config"),
    absent("Subscription.bigtable_config"),
    absent("Subscription.message_transforms"),
    absent("Subscription.tags"),
    absent("SchemaService.CreateSchema"),
    absent("SchemaService.GetSchema"),
    absent("SchemaService.ListSchemas"),
    absent("SchemaService.ListSchemaRevisions"),
    absent("SchemaService.CommitSchema"),
    absent("SchemaService.RollbackSchema"),
    absent("SchemaService.DeleteSchemaRevision"),
    absent("SchemaService.DeleteSchema"),
    absent("SchemaService.ValidateSchema"),
    absent("SchemaService.ValidateMessage"),
    simplified(
        "IAMPolicy.GetIamPolicy",
        "topics and subscriptions only; POST is accepted beside GET",
    ),
    simplified(
        "IAMPolicy.SetIamPolicy",
        "topics and subscriptions only; policies are kept and decide nothing; roles are checked by their form, \
         members too, and Pub/Sub service agents by name under the quirk pubsub-iam-required",
    ),
    simplified(
        "IAMPolicy.TestIamPermissions",
        "every permission is held on a resource that is there",
    ),
    simplified(
        PROJECTS_GET,
        "every project that can be is there, all with the number of the configuration",
    ),
];

/// The ledger's row for an operation that the port knows.
pub(super) fn find(operation: &str) -> Option<&'static LedgerRow> {
    LEDGER.iter().find(|row| row.operation == operation)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_operation_of_every_service_has_one_row() {
        let count = |prefix: &str| {
            LEDGER
                .iter()
                .filter(|row| row.operation.starts_with(prefix))
                .count()
        };
        // As many as the services' clients have methods.
        assert_eq!(count("Publisher."), 9);
        assert_eq!(count("Subscriber."), 16);
        assert_eq!(count("SchemaService."), 10);
        assert_eq!(count("IAMPolicy."), 3);
        let names: BTreeSet<&str> = LEDGER.iter().map(|row| row.operation).collect();
        assert_eq!(names.len(), LEDGER.len());
        assert!(LEDGER.iter().all(|row| row.service == "pubsub"));
    }
}
