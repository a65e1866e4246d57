//! The shared access rules of an entity: kept and shown, not enforced.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::error::ServiceError;
use super::write::{INSTANCE, SERVICE_BUS, Writer};
use super::xml::Element;

/// No entity has more (<https://learn.microsoft.com/azure/service-bus-messaging/service-bus-quotas>).
const RULES_MAX: usize = 12;
const RIGHTS: &[&str] = &["Send", "Listen", "Manage"];

/// One `AuthorizationRule`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct AuthorizationRule {
    key_name: String,
    rights: Vec<String>,
    primary_key: String,
    secondary_key: String,
}

/// Reads an `AuthorizationRules` element. Keys that are not given are made from random bits.
///
/// # Errors
/// 400 for too many rules, a rule without a name or rights, or a name that is there twice.
pub(super) fn read(element: &Element) -> Result<Vec<AuthorizationRule>, ServiceError> {
    let mut rules: Vec<AuthorizationRule> = Vec::new();
    for child in element
        .children
        .iter()
        .filter(|child| child.is(SERVICE_BUS, "AuthorizationRule"))
    {
        let rule = read_one(child)?;
        if rules.len() == RULES_MAX || rules.iter().any(|other| other.key_name == rule.key_name) {
            return Err(ServiceError::plain_bad_request());
        }
        rules.push(rule);
    }
    Ok(rules)
}

fn read_one(element: &Element) -> Result<AuthorizationRule, ServiceError> {
    let text = |name: &str| {
        let child = element.child(SERVICE_BUS, name).filter(|child| !child.nil);
        child
            .map(|child| child.text.trim().to_owned())
            .filter(|text| !text.is_empty())
    };
    let rights: Vec<String> = element
        .child(SERVICE_BUS, "Rights")
        .map(|rights| {
            rights
                .children
                .iter()
                .map(|right| right.text.trim().to_owned())
                .collect()
        })
        .unwrap_or_default();
    if rights.is_empty() || !rights.iter().all(|right| RIGHTS.contains(&right.as_str())) {
        return Err(ServiceError::plain_bad_request());
    }
    Ok(AuthorizationRule {
        key_name: text("KeyName").ok_or_else(ServiceError::plain_bad_request)?,
        rights,
        primary_key: text("PrimaryKey").unwrap_or_else(random_key),
        secondary_key: text("SecondaryKey").unwrap_or_else(random_key),
    })
}

/// 32 random bytes, as the service makes them.
fn random_key() -> String {
    let bytes: [u8; 32] = rand::random();
    STANDARD.encode(bytes)
}

/// Writes the `AuthorizationRules` element.
pub(super) fn write(rules: &[AuthorizationRule], writer: &mut Writer) {
    writer.markup("<AuthorizationRules>");
    for rule in rules {
        writer.markup(&format!(
            "<AuthorizationRule i:type=\"SharedAccessAuthorizationRule\" xmlns:i=\"{INSTANCE}\">"
        ));
        writer.element("ClaimType", "SharedAccessKey");
        writer.element("ClaimValue", "None");
        writer.markup("<Rights>");
        for right in &rule.rights {
            writer.element("AccessRights", right);
        }
        writer.markup("</Rights>");
        writer.element("KeyName", &rule.key_name);
        writer.element("PrimaryKey", &rule.primary_key);
        writer.element("SecondaryKey", &rule.secondary_key);
        writer.markup("</AuthorizationRule>");
    }
    writer.markup("</AuthorizationRules>");
}
