//! What goes into the `Authorization` header: a shared access signature, or a token of Entra ID.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use mq_core::backend::Access;
use mq_core::error::{Error, ErrorKind, Result};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

use crate::config::{Credential, Site};
use crate::entra::Chain;

/// How long a signature is good for: longer than any call takes, clocks that differ included.
const SIGNATURE_LIFETIME: Duration = Duration::from_secs(20 * 60);

/// What stays as it is in the parts of a signature.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Makes the header's value.
#[derive(Debug)]
pub(crate) enum Authorizer {
    /// Signs for the whole namespace.
    Key {
        resource: String,
        rule: String,
        key: SecretString,
    },
    /// Has a signature already.
    Signature(SecretString),
    /// Asks Entra ID.
    EntraId(Chain),
}

impl Authorizer {
    /// For this site; the chain of Entra ID reads its settings from `access`.
    pub(crate) fn new(site: &Site, access: &Access, http: &reqwest::Client) -> Authorizer {
        match &site.credential {
            Credential::Key { rule, key } => Authorizer::Key {
                resource: format!(
                    "{}://{}/",
                    if site.plain { "http" } else { "https" },
                    site.administration
                ),
                rule: rule.clone(),
                key: key.clone(),
            },
            Credential::Signature(token) => Authorizer::Signature(token.clone()),
            Credential::EntraId => Authorizer::EntraId(Chain::new(access, http)),
        }
    }

    /// The header's value, good at this moment.
    pub(crate) async fn header(&self) -> Result<SecretString> {
        match self {
            Authorizer::Key {
                resource,
                rule,
                key,
            } => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH);
                let expires = now.unwrap_or_default() + SIGNATURE_LIFETIME;
                sign(resource, rule, key, expires.as_secs())
            }
            Authorizer::Signature(token) => Ok(token.clone()),
            Authorizer::EntraId(chain) => {
                let token = chain.token().await?;
                Ok(format!("Bearer {}", token.secret()).into())
            }
        }
    }

    /// What to do when the service does not accept it; `namespace` is the short name.
    pub(crate) fn hint(&self, namespace: &str) -> String {
        match self {
            Authorizer::Key { rule, .. } => format!(
                "the rule `{rule}` of the connection string needs the right Manage on the namespace, and its present key: `az servicebus namespace authorization-rule keys list --namespace-name {namespace} --name {rule} --resource-group GROUP`"
            ),
            Authorizer::Signature(_) => {
                "the signature in the connection string must be for the namespace, with the right Manage, and not have expired".to_owned()
            }
            Authorizer::EntraId(_) => format!(
                "it needs the role Azure Service Bus Data Owner (Contributor is not enough): `az role assignment create --role \"Azure Service Bus Data Owner\" --assignee PRINCIPAL --scope /subscriptions/SUBSCRIPTION/resourceGroups/GROUP/providers/Microsoft.ServiceBus/namespaces/{namespace}`; it takes effect within 5 minutes"
            ),
        }
    }
}

/// A shared access signature, good until `expires` (seconds since 1970).
///
/// <https://learn.microsoft.com/azure/service-bus-messaging/service-bus-sas>; the key's characters
/// are the key, it is not Base64 to be decoded.
fn sign(resource: &str, rule: &str, key: &SecretString, expires: u64) -> Result<SecretString> {
    let resource = utf8_percent_encode(resource, ENCODED).to_string();
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose_secret().as_bytes()).map_err(|_| {
        Error::new(
            ErrorKind::ConfigInvalid,
            "the connection string's key cannot sign",
        )
    })?;
    mac.update(format!("{resource}\n{expires}").as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    Ok(format!(
        "SharedAccessSignature sr={resource}&sig={}&se={expires}&skn={}",
        utf8_percent_encode(&signature, ENCODED),
        utf8_percent_encode(rule, ENCODED)
    )
    .into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_what_the_vendors_recipe_gives() {
        // Computed with Python's hmac, hashlib and urllib by the recipe of the page above.
        let token = sign(
            "https://acme-prod.servicebus.windows.net/",
            "RootManageSharedAccessKey",
            &SecretString::from("c2VjcmV0LXNlY3JldA=="),
            1_700_003_600,
        )
        .expect("signs");
        assert_eq!(
            token.expose_secret(),
            "SharedAccessSignature sr=https%3A%2F%2Facme-prod.servicebus.windows.net%2F&sig=gfcUnyFb%2BU3LVGy9wHPc%2FOdR1rgoRK%2FDpjDVdGgQnMs%3D&se=1700003600&skn=RootManageSharedAccessKey"
        );
    }

    #[test]
    fn nothing_shows_the_key() {
        let authorizer = Authorizer::Key {
            resource: "https://acme.servicebus.windows.net/".to_owned(),
            rule: "Root".to_owned(),
            key: SecretString::from("s3cr3t"),
        };
        let shown = format!("{authorizer:?} {}", authorizer.hint("acme"));
        assert!(!shown.contains("s3cr3t"), "{shown}");
        let signature = Authorizer::Signature(SecretString::from("sig=s3cr3t"));
        assert!(
            !format!("{signature:?}").contains("s3cr3t"),
            "{signature:?}"
        );
    }
}
