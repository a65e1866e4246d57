//! Which namespace, and what proves who we are: the entry under `clouds` and the environment.

use std::net::IpAddr;

use mq_core::backend::Access;
use mq_core::error::{Error, ErrorKind, Result};
use mq_core::spec::Target;
#[cfg(test)]
use secrecy::ExposeSecret;
use secrecy::SecretString;

use crate::facts::Tier;

/// The suffixes of Service Bus hosts in Azure's clouds. An Entra ID token is sent nowhere else.
const HOST_SUFFIXES: [&str; 4] = [
    ".servicebus.windows.net",
    ".servicebus.chinacloudapi.cn",
    ".servicebus.usgovcloudapi.net",
    ".servicebus.cloudapi.de",
];

/// The variable that holds a connection string where the file names no other.
pub(crate) const CONNECTION_STRING_VARIABLE: &str = "MQ_AZURE_CONNECTION_STRING";
/// The emulator's variable for its administration port.
const EMULATOR_ADMINISTRATION_VARIABLE: &str = "SERVICEBUS_ADMIN_CONNECTION_STRING";
/// The emulator's variable for its messaging port.
const EMULATOR_MESSAGING_VARIABLE: &str = "SERVICEBUS_CONNECTION_STRING";
/// The port of the administration API of a development emulator that names none.
const EMULATOR_ADMINISTRATION_PORT: u16 = 5300;

/// One target's settings, checked as far as no environment is needed.
#[derive(Debug)]
pub(crate) struct Config {
    /// `namespace`: a short or a full host name, lower case.
    pub(crate) namespace: Option<String>,
    /// `tier`, as stated.
    pub(crate) tier: Option<Tier>,
    /// `connection_string_env`.
    connection_string_variable: Option<String>,
}

impl Config {
    /// Reads the entry under `clouds`.
    pub(crate) fn read(target: &Target) -> Result<Config> {
        let tier = match target.text("tier") {
            None => None,
            Some(text) => Some(Tier::named(&text).ok_or_else(|| {
                invalid(format!("`{text}` is not a tier of Service Bus"))
                    .with_hint("write basic, standard or premium")
            })?),
        };
        let namespace = target.text("namespace").map(|text| text.to_lowercase());
        if let Some(namespace) = &namespace {
            check_namespace(namespace)?;
        }
        Ok(Config {
            namespace,
            tier,
            connection_string_variable: target.text("connection_string_env"),
        })
    }

    /// The host and the credentials: from a connection string where there is one, else the stated
    /// namespace with Entra ID.
    pub(crate) fn site(&self, access: &Access) -> Result<Site> {
        if access.emulated() {
            return emulated_site(access);
        }
        if let Some((variable, text)) = self.connection_string(access)? {
            let connection = ConnectionString::parse(&variable, text)?;
            self.check_same_namespace(&variable, &connection)?;
            return connection.site();
        }
        let Some(namespace) = &self.namespace else {
            return Err(
                invalid("no namespace: neither the file nor a connection string names one")
                    .with_hint(format!(
                        "state `clouds: {{ azure: {{ namespace: NAME }} }}`, or set {CONNECTION_STRING_VARIABLE}"
                    )),
            );
        };
        let host = full_host(namespace);
        if short_name(&host) == host {
            return Err(invalid(format!(
                "`{host}` is not a host of Service Bus, so no Entra ID token is sent to it"
            ))
            .with_hint("state the short name, or a host under servicebus.windows.net"));
        }
        Ok(Site {
            administration: host.clone(),
            messaging: host,
            plain: false,
            credential: Credential::EntraId,
        })
    }

    fn connection_string<'a>(&self, access: &'a Access) -> Result<Option<(String, &'a str)>> {
        match &self.connection_string_variable {
            Some(variable) => match access.var(variable) {
                Some(text) => Ok(Some((variable.clone(), text))),
                None => Err(invalid(format!(
                    "the file names `{variable}` for the connection string, but it is not set"
                ))
                .with_hint(format!(
                    "set {variable}, or take `connection_string_env` out of the file to use Entra ID"
                ))),
            },
            None => Ok(access
                .var(CONNECTION_STRING_VARIABLE)
                .map(|text| (CONNECTION_STRING_VARIABLE.to_owned(), text))),
        }
    }

    fn check_same_namespace(&self, variable: &str, connection: &ConnectionString) -> Result<()> {
        let (Some(stated), false) = (&self.namespace, connection.development_emulator) else {
            return Ok(());
        };
        let same = if stated.contains('.') {
            *stated == connection.host
        } else {
            connection.host.split('.').next() == Some(stated)
        };
        if same {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Refused,
            format!(
                "the file states the namespace `{stated}`, but {variable} leads to `{}`",
                connection.host
            ),
        )
        .with_hint(format!(
            "correct `namespace` in the file, or set {variable} to a connection string of `{stated}`"
        )))
    }
}

/// Where to talk to, and as whom.
#[derive(Debug)]
pub(crate) struct Site {
    /// The administration API's host, with its port where it is not the scheme's own.
    pub(crate) administration: String,
    /// The host that applications connect to, with its port where it is not the usual one.
    pub(crate) messaging: String,
    /// Plain http, which only a development emulator on this machine gets.
    pub(crate) plain: bool,
    /// As whom.
    pub(crate) credential: Credential,
}

/// What proves who we are.
#[derive(Debug)]
pub(crate) enum Credential {
    /// A rule of a shared access policy and its key.
    Key {
        /// The rule's name.
        rule: String,
        /// The key, as it is written: its characters are the key, they are not decoded.
        key: SecretString,
    },
    /// A token that someone else signed.
    Signature(SecretString),
    /// Microsoft Entra ID.
    EntraId,
}

fn emulated_site(access: &Access) -> Result<Site> {
    let variable = EMULATOR_ADMINISTRATION_VARIABLE;
    let text = access.var(variable).ok_or_else(|| {
        invalid(format!("the emulator's environment has no {variable}"))
            .with_hint("look at what `mq emulator status --output env` prints")
    })?;
    let connection = ConnectionString::parse(variable, text)?;
    if !connection.development_emulator || !is_loopback(&connection.host) {
        return Err(Error::new(
            ErrorKind::Refused,
            format!(
                "{variable} leads to `{}`, which is not an emulator on this machine",
                connection.host
            ),
        )
        .with_hint("run without `--emulator` to use the cloud"));
    }
    let mut site = connection.site()?;
    site.messaging = site.administration.clone();
    if let Some(text) = access.var(EMULATOR_MESSAGING_VARIABLE) {
        site.messaging = ConnectionString::parse(EMULATOR_MESSAGING_VARIABLE, text)?.authority();
    }
    Ok(site)
}

/// A Service Bus connection string, taken apart. No error quotes any of it but the host.
#[derive(Debug)]
struct ConnectionString {
    host: String,
    port: Option<u16>,
    credential: Credential,
    development_emulator: bool,
}

impl ConnectionString {
    fn parse(variable: &str, text: &str) -> Result<ConnectionString> {
        let malformed = |what: &str| {
            invalid(format!("{variable} is not a connection string: {what}")).with_hint(
                "it has the form Endpoint=sb://NAMESPACE.servicebus.windows.net/;SharedAccessKeyName=RULE;SharedAccessKey=KEY",
            )
        };
        let mut endpoint = None;
        let (mut rule, mut key, mut signature) = (None, None, None);
        let mut development_emulator = false;
        for part in text
            .split(';')
            .map(str::trim)
            .filter(|part| !part.is_empty())
        {
            let (name, value) = part
                .split_once('=')
                .ok_or_else(|| malformed("a part has no `=`"))?;
            match name.trim().to_lowercase().as_str() {
                "endpoint" => endpoint = Some(value.trim()),
                "sharedaccesskeyname" => rule = Some(value.to_owned()),
                "sharedaccesskey" => key = Some(SecretString::from(value)),
                "sharedaccesssignature" => signature = Some(SecretString::from(value)),
                "usedevelopmentemulator" => {
                    development_emulator = value.trim().eq_ignore_ascii_case("true");
                }
                "entitypath" => {
                    return Err(malformed(
                        "it has an EntityPath, so its key is for one queue and not for the namespace",
                    ));
                }
                // Names that are only for other clients (TransportType, OperationTimeout).
                _ => {}
            }
        }
        let url = endpoint.ok_or_else(|| malformed("it has no Endpoint"))?;
        let url = url::Url::parse(url).map_err(|_| malformed("its Endpoint is no URL"))?;
        let host = match url.host() {
            Some(host) => host.to_string().to_lowercase(),
            None => return Err(malformed("its Endpoint has no host")),
        };
        let credential = match (rule, key, signature) {
            (Some(rule), Some(key), None) => Credential::Key { rule, key },
            (None, None, Some(signature)) => Credential::Signature(signature),
            _ => {
                return Err(malformed(
                    "it needs SharedAccessKeyName and SharedAccessKey, or a SharedAccessSignature",
                ));
            }
        };
        Ok(ConnectionString {
            host,
            port: url.port(),
            credential,
            development_emulator,
        })
    }

    fn authority(&self) -> String {
        match self.port {
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.clone(),
        }
    }

    fn site(self) -> Result<Site> {
        if self.development_emulator && !is_loopback(&self.host) {
            return Err(Error::new(
                ErrorKind::Refused,
                format!(
                    "the connection string says UseDevelopmentEmulator=true but leads to `{}`: \
                     plain http goes to this machine only",
                    self.host
                ),
            )
            .with_hint("use localhost, or a connection string of a real namespace"));
        }
        let plain = self.development_emulator;
        let authority = self.authority();
        let administration = match (plain, self.port) {
            (true, None) => format!("{}:{EMULATOR_ADMINISTRATION_PORT}", self.host),
            _ => authority,
        };
        // A development emulator's connection string names its administration port; applications
        // find the other one by themselves.
        Ok(Site {
            administration,
            messaging: self.host,
            plain,
            credential: self.credential,
        })
    }
}

#[cfg(test)]
impl Credential {
    /// Whether a text holds any secret of this credential.
    pub(crate) fn is_in(&self, text: &str) -> bool {
        match self {
            Credential::Key { key, .. } => text.contains(key.expose_secret()),
            Credential::Signature(token) => text.contains(token.expose_secret()),
            Credential::EntraId => false,
        }
    }
}

/// A short name's host in the public cloud; a full host name as it is.
fn full_host(namespace: &str) -> String {
    if namespace.contains('.') {
        namespace.to_owned()
    } else {
        format!("{namespace}{}", HOST_SUFFIXES[0])
    }
}

/// A host's namespace; the host itself where it is not one of Service Bus.
pub(crate) fn short_name(host: &str) -> &str {
    HOST_SUFFIXES
        .iter()
        .find_map(|suffix| host.strip_suffix(suffix))
        .filter(|name| !name.is_empty() && !name.contains('.'))
        .unwrap_or(host)
}

/// Names of namespaces: 6 to 50 letters, digits and hyphens, a letter first, none but a letter or
/// digit last. Of a full host name only the form is checked.
fn check_namespace(namespace: &str) -> Result<()> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(allowed)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let fits = if namespace.contains('.') {
        namespace.split('.').all(label)
    } else {
        label(namespace)
            && (6..=50).contains(&namespace.len())
            && namespace.starts_with(|first: char| first.is_ascii_alphabetic())
    };
    if fits {
        return Ok(());
    }
    Err(invalid(format!("`{namespace}` cannot be the name of a namespace")).with_hint(
        "a name has 6 to 50 letters, digits and hyphens and starts with a letter; a full host name has the form NAME.servicebus.windows.net",
    ))
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::ConfigInvalid, message)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const REAL: &str = "Endpoint=sb://acme-prod.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey=c2VjcmV0LXNlY3JldA==";

    fn config(settings: &serde_json::Value) -> Result<Config> {
        Config::read(&Target {
            settings: settings.as_object().cloned().expect("an object"),
            ..Target::implied("azure")
        })
    }

    fn vendor(pairs: &[(&str, &str)]) -> Access {
        Access::vendor(
            pairs
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned())),
        )
    }

    fn emulator(pairs: &[(&str, &str)]) -> Access {
        Access::emulator(
            pairs
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned())),
        )
    }

    #[test]
    fn a_short_name_and_a_full_host_name_are_one_namespace() {
        for namespace in ["acme-prod", "Acme-Prod.servicebus.windows.net"] {
            let config = config(&json!({ "namespace": namespace })).expect("valid");
            let site = config.site(&vendor(&[])).expect("a site");
            assert_eq!(site.administration, "acme-prod.servicebus.windows.net");
            assert!(matches!(site.credential, Credential::EntraId));
            let site = config
                .site(&vendor(&[(CONNECTION_STRING_VARIABLE, REAL)]))
                .expect("the same namespace");
            assert!(matches!(site.credential, Credential::Key { .. }));
        }
    }

    #[test]
    fn another_namespace_than_stated_is_refused() {
        let config = config(&json!({ "namespace": "acme-dev" })).expect("valid");
        let error = config
            .site(&vendor(&[(CONNECTION_STRING_VARIABLE, REAL)]))
            .expect_err("another namespace");
        assert_eq!(error.kind(), ErrorKind::Refused);
        let text = error.to_string();
        assert!(
            text.contains("acme-dev") && text.contains("acme-prod"),
            "{text}"
        );
        assert!(!format!("{error:?}").contains("c2VjcmV0"), "{error:?}");
    }

    #[test]
    fn a_token_goes_to_no_host_that_is_not_service_bus() {
        for host in ["evil.example.com", "servicebus.windows.net.evil.example"] {
            let config = config(&json!({ "namespace": host })).expect("a host name");
            let error = config.site(&vendor(&[])).expect_err(host);
            assert_eq!(error.kind(), ErrorKind::ConfigInvalid, "{host}");
        }
    }

    #[test]
    fn plain_http_only_for_an_emulator_on_this_machine() {
        let string = |endpoint: &str| {
            format!(
                "Endpoint={endpoint};SharedAccessKeyName=R;SharedAccessKey=K;UseDevelopmentEmulator=true;"
            )
        };
        let config = config(&json!({ "namespace": "acme-prod" })).expect("valid");
        for (endpoint, administration) in [
            ("sb://localhost", "localhost:5300"),
            ("sb://127.0.0.1:41234", "127.0.0.1:41234"),
            ("sb://[::1]:41234/", "[::1]:41234"),
        ] {
            let site = config
                .site(&vendor(&[(CONNECTION_STRING_VARIABLE, &string(endpoint))]))
                .expect(endpoint);
            assert_eq!(
                (site.administration.as_str(), site.plain),
                (administration, true)
            );
        }
        let far = string("sb://emulator.example.com:5300");
        let error = config
            .site(&vendor(&[(CONNECTION_STRING_VARIABLE, &far)]))
            .expect_err("not this machine");
        assert_eq!(error.kind(), ErrorKind::Refused);
        assert!(
            !config
                .site(&vendor(&[(CONNECTION_STRING_VARIABLE, REAL)]))
                .expect("real")
                .plain
        );
    }

    #[test]
    fn the_emulator_is_found_by_its_variables_and_must_be_on_this_machine() {
        let config = config(&json!({ "namespace": "acme-prod" })).expect("valid");
        let string = |port: u16| {
            format!(
                "Endpoint=sb://127.0.0.1:{port};SharedAccessKeyName=R;SharedAccessKey=K;UseDevelopmentEmulator=true;"
            )
        };
        let site = config
            .site(&emulator(&[
                (EMULATOR_ADMINISTRATION_VARIABLE, &string(1001)),
                (EMULATOR_MESSAGING_VARIABLE, &string(1002)),
                (CONNECTION_STRING_VARIABLE, REAL),
            ]))
            .expect("the emulator");
        assert_eq!(site.administration, "127.0.0.1:1001");
        assert_eq!(site.messaging, "127.0.0.1:1002");
        let error = config
            .site(&emulator(&[(EMULATOR_ADMINISTRATION_VARIABLE, REAL)]))
            .expect_err("a real namespace");
        assert_eq!(error.kind(), ErrorKind::Refused);
    }

    #[test]
    fn malformed_connection_strings_say_what_is_missing_and_quote_nothing() {
        let secret = "c2VjcmV0LXNlY3JldA==";
        for text in [
            format!("SharedAccessKeyName=R;SharedAccessKey={secret}"),
            format!("Endpoint=;SharedAccessKeyName=R;SharedAccessKey={secret}"),
            format!("Endpoint=sb://h.example/;SharedAccessKey={secret}"),
            format!(
                "Endpoint=sb://h.example/;SharedAccessKeyName=R;SharedAccessKey={secret};EntityPath=q"
            ),
            format!("Endpoint=sb://h.example/;{secret}x"),
            secret.trim_end_matches('=').to_owned(),
        ] {
            let error = ConnectionString::parse("VAR", &text).expect_err(&text);
            assert_eq!(error.kind(), ErrorKind::ConfigInvalid);
            let shown = format!("{error} {error:?} {:?}", error.hint());
            assert!(!shown.contains("c2VjcmV0"), "{shown}");
            assert!(shown.contains("VAR"), "{shown}");
        }
    }

    #[test]
    fn nothing_shows_the_key() {
        let config = config(&json!({})).expect("valid");
        let access = vendor(&[(CONNECTION_STRING_VARIABLE, REAL)]);
        let site = config.site(&access).expect("a site");
        let shown = format!("{config:?} {access:?} {site:?}");
        assert!(!site.credential.is_in(&shown), "{shown}");
        assert!(site.credential.is_in(REAL));
    }

    #[test]
    fn settings_that_cannot_be() {
        for settings in [
            json!({ "tier": "gold" }),
            json!({ "namespace": "a" }),
            json!({ "namespace": "acme_prod" }),
            json!({ "namespace": "acme/prod" }),
            json!({ "namespace": "https://acme-prod.servicebus.windows.net" }),
        ] {
            let error = config(&settings).expect_err("invalid");
            assert_eq!(error.kind(), ErrorKind::ConfigInvalid, "{settings}");
            assert!(error.hint().is_some(), "{settings}");
        }
        let named = config(&json!({ "connection_string_env": "ACME_SB" })).expect("valid");
        let error = named.site(&vendor(&[])).expect_err("not set");
        assert!(error.to_string().contains("ACME_SB"), "{error}");
    }
}
