//! What each operation of the administration API is worth here.

use crate::ledger::{Fidelity, LedgerRow, Source};
use Fidelity::{Absent, Faithful, Simplified};
use Source::{Doc, Recorded, SdkSource, Unverified};

const fn row(operation: &'static str, fidelity: Fidelity, source: Source) -> LedgerRow {
    LedgerRow {
        service: "servicebus-admin",
        operation,
        fidelity,
        source,
    }
}

/// Service Bus's part of docs/emulator-fidelity.md.
pub(crate) static LEDGER: &[LedgerRow] = &[
    row("CreateQueue", Faithful, Recorded),
    row("UpdateQueue", Faithful, Doc),
    row("GetQueue", Faithful, Recorded),
    row("DeleteQueue", Faithful, SdkSource),
    row(
        "ListQueues",
        Simplified("ordered by name; `$filter` is answered 501"),
        SdkSource,
    ),
    row(
        "GetNamespaceProperties",
        Simplified("a Premium namespace has one messaging unit, and no namespace an alias"),
        SdkSource,
    ),
    row(
        "ListTopics",
        Simplified("an empty page, since no topic can be created"),
        SdkSource,
    ),
    row(
        "GetTopic",
        Simplified("the empty feed of a path that is free, since no topic can be created"),
        Recorded,
    ),
    row("CreateTopic, UpdateTopic", Absent("501"), Doc),
    row("Subscriptions and rules", Absent("501"), Doc),
    row("Sending and receiving over HTTP", Absent("501"), Doc),
    row(
        "Element order",
        Simplified(
            "a misplaced element is ignored in silence; ForwardTo, UserMetadata and ForwardDeadLetteredMessagesTo are taken anywhere, since the vendor's own clients place them differently",
        ),
        Unverified,
    ),
    row(
        "Namespace prefixes",
        Simplified("taken in any form; the service is said to refuse a prefixed description"),
        SdkSource,
    ),
    row(
        "Authorization",
        Simplified(
            "a token must be well-formed, unexpired and of the namespace's rule; its signature and audience are not verified, and any Bearer token is taken",
        ),
        Doc,
    ),
    row(
        "ServiceBusSupplementaryAuthorization, ServiceBusDlqSupplementaryAuthorization",
        Simplified("required when a queue forwards; checked as Authorization is"),
        SdkSource,
    ),
    row(
        "AuthorizationRules",
        Simplified("kept and shown, at most twelve; tokens of a queue's own rules are not taken"),
        Doc,
    ),
    row("LockDuration", Faithful, SdkSource),
    row(
        "MaxSizeInMegabytes",
        Simplified(
            "kept and shown, times 16 on a partitioned queue; nothing is counted against it",
        ),
        Doc,
    ),
    row(
        "RequiresSession, RequiresDuplicateDetection, EnablePartitioning",
        Faithful,
        Doc,
    ),
    row("DefaultMessageTimeToLive", Faithful, Doc),
    row(
        "DefaultMessageTimeToLive on Basic",
        Simplified(
            "shown as never when it is left out; from 1 s to 14 d when it is written, by the service's own message, where its documentation says that it cannot be set",
        ),
        Recorded,
    ),
    row(
        "DuplicateDetectionHistoryTimeWindow",
        Simplified("may be changed after creation"),
        Unverified,
    ),
    row(
        "MaxDeliveryCount",
        Simplified("1 to 2147483647"),
        Unverified,
    ),
    row(
        "Status",
        Simplified("kept and shown; the states that a client may set only"),
        Doc,
    ),
    row(
        "ForwardTo, ForwardDeadLetteredMessagesTo",
        Simplified("the target must be a queue that exists; chains are not measured"),
        Doc,
    ),
    row("UserMetadata", Faithful, SdkSource),
    row(
        "AutoDeleteOnIdle",
        Simplified("kept and shown; an idle queue is not deleted"),
        Doc,
    ),
    row(
        "EnableExpress, EnableBatchedOperations",
        Simplified("kept and shown"),
        Doc,
    ),
    row(
        "MaxMessageSizeInKilobytes",
        Simplified("below Premium 256 may be written back, and nothing else"),
        Unverified,
    ),
    row("SizeInBytes", Simplified("0"), Unverified),
    row("CountDetails, MessageCount", Faithful, Recorded),
    row("AccessedAt", Simplified("never"), Recorded),
    row(
        "API versions 2017-04, 2021-05, 2024-05",
        Simplified("an omitted version is the first; any other is answered 400"),
        Unverified,
    ),
    row("40901 (quirk servicebus-40901)", Faithful, Unverified),
    row(
        "Tiers (quirks servicebus-basic-tier, servicebus-premium-tier)",
        Faithful,
        Doc,
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_of_the_administration_clients_has_a_row() {
        for operation in [
            "CreateQueue",
            "UpdateQueue",
            "GetQueue",
            "DeleteQueue",
            "ListQueues",
            "GetNamespaceProperties",
            "CreateTopic",
            "UpdateTopic",
            "GetTopic",
            "ListTopics",
            "Subscriptions and rules",
        ] {
            let there = LEDGER
                .iter()
                .any(|row| row.operation.split(", ").any(|name| name == operation));
            assert!(there, "{operation}");
        }
    }

    #[test]
    fn every_property_that_is_shown_has_a_row() {
        let constant = [
            "IsAnonymousAccessible",
            "DeadLetteringOnMessageExpiration",
            "SupportOrdering",
            "EntityAvailabilityStatus",
            "CreatedAt",
            "UpdatedAt",
        ];
        for property in super::super::properties::NAMES
            .iter()
            .flat_map(|names| names.iter())
        {
            let there = LEDGER
                .iter()
                .any(|row| row.operation.split(", ").any(|name| name == *property));
            assert!(there || constant.contains(property), "{property}");
        }
    }

    #[test]
    fn no_row_is_there_twice_and_what_differs_is_said() {
        for (index, row) in LEDGER.iter().enumerate() {
            assert!(
                LEDGER[..index]
                    .iter()
                    .all(|other| other.operation != row.operation),
                "{}",
                row.operation
            );
            if let Simplified(text) | Absent(text) = row.fidelity {
                assert!(
                    !text.is_empty() && !text.ends_with('.'),
                    "{}",
                    row.operation
                );
            }
        }
    }
}
