//! The properties of a `QueueDescription` in a request, in the service's order.

use std::str::FromStr;

use super::duration::TimeSpan;
use super::error::ServiceError;
use super::write::SERVICE_BUS;
use super::xml::Element;

/// The elements of a description in the order of the service's data contract. An element that
/// comes after one which belongs behind it is passed over in silence, as one of no known name is.
const ORDER: &[&str] = &[
    "LockDuration",
    "MaxSizeInMegabytes",
    "RequiresDuplicateDetection",
    "RequiresSession",
    "DefaultMessageTimeToLive",
    "DeadLetteringOnMessageExpiration",
    "DuplicateDetectionHistoryTimeWindow",
    "MaxDeliveryCount",
    "EnableBatchedOperations",
    "SizeInBytes",
    "MessageCount",
    "IsAnonymousAccessible",
    "AuthorizationRules",
    "Status",
    "CreatedAt",
    "UpdatedAt",
    "AccessedAt",
    "SupportOrdering",
    "CountDetails",
    "AutoDeleteOnIdle",
    "EnablePartitioning",
    "EntityAvailabilityStatus",
    "EnableExpress",
    "MaxMessageSizeInKilobytes",
];

/// The vendor's own clients do not agree on where these stand (.NET and JavaScript put them
/// before `AutoDeleteOnIdle`, Python behind `EnableExpress`), so they are taken anywhere.
const ANYWHERE: &[&str] = &["ForwardTo", "UserMetadata", "ForwardDeadLetteredMessagesTo"];

/// Every property that the service knows.
#[cfg(test)]
pub(super) const NAMES: [&[&str]; 2] = [ORDER, ANYWHERE];

/// What a request says of a queue; every getter gives `None` for what it does not say.
#[derive(Debug)]
pub(super) struct Properties<'a> {
    taken: Vec<&'a Element>,
}

impl<'a> Properties<'a> {
    /// Takes what the service would take from a `QueueDescription`.
    pub(super) fn of(description: &'a Element) -> Self {
        let mut taken: Vec<&Element> = Vec::new();
        let mut next = 0;
        for child in description
            .children
            .iter()
            .filter(|child| child.namespace == SERVICE_BUS)
        {
            let name = child.name.as_str();
            if let Some(index) = ORDER[next..].iter().position(|known| *known == name) {
                next += index + 1;
                taken.push(child);
            } else if ANYWHERE.contains(&name) && !taken.iter().any(|other| other.name == name) {
                taken.push(child);
            }
        }
        taken.retain(|child| !child.nil);
        Properties { taken }
    }

    /// Leaves out a property that the request's API version does not know.
    pub(super) fn forget(&mut self, name: &str) {
        self.taken.retain(|element| element.name != name);
    }

    pub(super) fn element(&self, name: &str) -> Option<&'a Element> {
        self.taken
            .iter()
            .find(|element| element.name == name)
            .copied()
    }

    pub(super) fn says(&self, name: &str) -> bool {
        self.element(name).is_some()
    }

    /// A string, without the white space around it. `None` also when it is empty.
    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        self.element(name)
            .map(|element| element.text.trim())
            .filter(|text| !text.is_empty())
    }

    pub(super) fn time_span(&self, name: &str) -> Result<Option<TimeSpan>, ServiceError> {
        self.parsed(name)
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, ServiceError> {
        self.parsed(name)
    }

    pub(super) fn boolean(&self, name: &str) -> Result<Option<bool>, ServiceError> {
        self.element(name)
            .map(|element| match element.text.trim() {
                "true" | "1" => Ok(true),
                "false" | "0" => Ok(false),
                _ => Err(ServiceError::plain_bad_request()),
            })
            .transpose()
    }

    /// The service answers every value that it cannot read with the same bare error.
    fn parsed<T: FromStr>(&self, name: &str) -> Result<Option<T>, ServiceError> {
        self.element(name)
            .map(|element| {
                element
                    .text
                    .trim()
                    .parse()
                    .map_err(|_| ServiceError::plain_bad_request())
            })
            .transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::servicebus::xml::parse;

    fn names(inner: &str) -> Vec<String> {
        let document = format!(
            "<Q xmlns=\"{SERVICE_BUS}\" xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\">{inner}</Q>"
        );
        let element = parse(document.as_bytes()).unwrap();
        Properties::of(&element)
            .taken
            .iter()
            .map(|element| element.name.clone())
            .collect()
    }

    #[test]
    fn an_element_behind_its_place_is_passed_over() {
        assert_eq!(
            names(
                "<RequiresSession>true</RequiresSession><LockDuration>PT30S</LockDuration><MaxDeliveryCount>5</MaxDeliveryCount>"
            ),
            ["RequiresSession", "MaxDeliveryCount"]
        );
    }

    #[test]
    fn a_repeated_element_counts_once() {
        assert_eq!(
            names(
                "<Status>Active</Status><Status>Disabled</Status><UserMetadata>a</UserMetadata><UserMetadata>b</UserMetadata>"
            ),
            ["Status", "UserMetadata"]
        );
    }

    #[test]
    fn unknown_and_foreign_elements_are_passed_over() {
        assert_eq!(
            names(
                "<FutureProperty>1</FutureProperty><x xmlns=\"urn:other\"/><LockDuration xmlns=\"urn:other\"/><Status>Active</Status>"
            ),
            ["Status"]
        );
    }

    #[test]
    fn a_nil_element_says_nothing_but_holds_its_place() {
        assert_eq!(
            names(
                "<LockDuration i:nil=\"true\"/><LockDuration>PT30S</LockDuration><Status>Active</Status>"
            ),
            ["Status"]
        );
    }

    #[test]
    fn forwarding_and_metadata_are_taken_where_each_vendor_client_puts_them() {
        let dotnet = "<Status>Active</Status><ForwardTo>a</ForwardTo><UserMetadata>m</UserMetadata><AutoDeleteOnIdle>PT5M</AutoDeleteOnIdle><ForwardDeadLetteredMessagesTo>b</ForwardDeadLetteredMessagesTo><EnableExpress>false</EnableExpress>";
        let python = "<Status>Active</Status><AutoDeleteOnIdle>PT5M</AutoDeleteOnIdle><EnableExpress>false</EnableExpress><ForwardTo>a</ForwardTo><UserMetadata>m</UserMetadata><ForwardDeadLetteredMessagesTo>b</ForwardDeadLetteredMessagesTo>";
        let (mut left, mut right) = (names(dotnet), names(python));
        left.sort_unstable();
        right.sort_unstable();
        assert_eq!(left, right);
        assert_eq!(left.len(), 6);
    }
}
