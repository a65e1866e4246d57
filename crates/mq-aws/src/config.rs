//! Where the settings come from, and the clients that they make.

use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_sdk_sqs::config::{SharedCredentialsProvider, SharedHttpClient};
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use mq_core::backend::{SettingInfo, SettingKind};
use mq_core::{Access, Error, ErrorKind, Result, Target};
use url::{Host, Url};

/// The keys of an entry under `clouds`.
pub(crate) const SETTINGS: &[SettingInfo] = &[
    SettingInfo {
        name: "region",
        kind: SettingKind::Text,
        doc: "The region, such as `eu-west-1`. Left out, AWS_REGION and then the profile decide.",
    },
    SettingInfo {
        name: "account",
        kind: SettingKind::Digits,
        doc: "The 12 digits of the account. Stated, it is compared with the credentials' account \
              before any other call, and another one is refused.",
    },
    SettingInfo {
        name: "profile",
        kind: SettingKind::Text,
        doc: "The profile of the shared AWS configuration to take region and credentials from. \
              Left out, AWS_PROFILE and then `default` decide.",
    },
    SettingInfo {
        name: "endpoint",
        kind: SettingKind::Text,
        doc: "The URL of SQS, for a VPC endpoint or an emulator. Left out, \
              AWS_ENDPOINT_URL_SQS, AWS_ENDPOINT_URL, the profile, and then the region decide.",
    },
];

const ENDPOINT_SQS: &str = "AWS_ENDPOINT_URL_SQS";
const ENDPOINT_STS: &str = "AWS_ENDPOINT_URL_STS";
const ENDPOINT_ALL: &str = "AWS_ENDPOINT_URL";

/// How long a call may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TimeLimits {
    /// To connect.
    pub(crate) connect: Duration,
    /// From signing the request to the end of the answer.
    pub(crate) attempt: Duration,
}

impl Default for TimeLimits {
    fn default() -> Self {
        TimeLimits {
            connect: Duration::from_secs(5),
            attempt: Duration::from_secs(30),
        }
    }
}

/// What is known of a target before any call.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The region that the file states.
    pub(crate) region: Option<String>,
    /// The account that the credentials must be of.
    pub(crate) account: Option<String>,
    profile: Option<String>,
    endpoint: Option<String>,
    endpoint_sts: Option<String>,
    emulator: Option<EmulatorCredentials>,
}

/// What an emulator takes for credentials. Worthless elsewhere, but not printed all the same.
#[derive(Clone)]
struct EmulatorCredentials {
    access_key_id: String,
    secret_access_key: String,
}

impl std::fmt::Debug for EmulatorCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EmulatorCredentials")
    }
}

impl Settings {
    pub(crate) fn read(target: &Target, access: &Access) -> Result<Self> {
        if access.emulated() {
            Self::emulated(target, access)
        } else {
            Self::vendor(target, access)
        }
    }

    fn vendor(target: &Target, access: &Access) -> Result<Self> {
        let account = target.text("account");
        if let Some(account) = &account {
            check_account(account, target)?;
        }
        let endpoint = target.text("endpoint");
        if let Some(endpoint) = &endpoint {
            check_endpoint(endpoint, "the setting `endpoint`")?;
        }
        Ok(Settings {
            region: target.text("region"),
            account,
            profile: target.text("profile"),
            endpoint_sts: sts_beside(endpoint.as_deref(), access),
            endpoint,
            emulator: None,
        })
    }

    /// For an emulator the file's entry says nothing: its account and region are the emulator's.
    fn emulated(target: &Target, access: &Access) -> Result<Self> {
        let var = |name| {
            access.var(name).map(str::to_owned).ok_or_else(|| {
                Error::new(
                    ErrorKind::ConfigInvalid,
                    format!("the emulator does not say {name}"),
                )
                .with_hint("source what `mq emulator status --output env` prints")
            })
        };
        let endpoint = access
            .var(ENDPOINT_SQS)
            .or_else(|| access.var(ENDPOINT_ALL))
            .map_or_else(|| var(ENDPOINT_SQS), |endpoint| Ok(endpoint.to_owned()))?;
        let endpoint_sts = access.var(ENDPOINT_STS).unwrap_or(&endpoint).to_owned();
        for endpoint in [&endpoint, &endpoint_sts] {
            check_endpoint(endpoint, "the emulator's endpoint")?;
            if !is_loopback(endpoint) {
                return Err(Error::new(
                    ErrorKind::Refused,
                    format!("the emulator's endpoint {endpoint} is not on this machine"),
                )
                .with_hint("an emulator is reached on a loopback address, such as 127.0.0.1"));
            }
        }
        Ok(Settings {
            region: Some(var("AWS_REGION").or_else(|_| var("AWS_DEFAULT_REGION"))?),
            account: target
                .text("account")
                .filter(|_| access.insists_on_identity()),
            profile: None,
            endpoint: Some(endpoint),
            endpoint_sts: Some(endpoint_sts),
            emulator: Some(EmulatorCredentials {
                access_key_id: var("AWS_ACCESS_KEY_ID")?,
                secret_access_key: var("AWS_SECRET_ACCESS_KEY")?,
            }),
        })
    }
}

fn check_account(account: &str, target: &Target) -> Result<()> {
    if account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::ConfigInvalid,
        format!(
            "`clouds.{}.account` is not an AWS account: it has 12 digits",
            target.name
        ),
    )
    .with_hint(
        "write it in quotes, as in `account: \"011122223333\"`: bare, YAML drops leading zeros",
    ))
}

fn check_endpoint(endpoint: &str, what: &str) -> Result<()> {
    let url = Url::parse(endpoint).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
    });
    match url {
        Some(_) => Ok(()),
        // The text is not repeated: a URL with a password in it must not be printed.
        None => Err(Error::new(
            ErrorKind::ConfigInvalid,
            format!("{what} is not an http or https URL without user name and password"),
        )),
    }
}

fn is_loopback(endpoint: &str) -> bool {
    let Ok(url) = Url::parse(endpoint) else {
        return false;
    };
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

/// Where STS is, when SQS is an emulator on this machine and nobody says where STS is: in the same
/// place. AWS itself does not know an emulator's keys, and its account is not the emulator's.
fn sts_beside(endpoint: Option<&str>, access: &Access) -> Option<String> {
    let ignored = access
        .var("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
        .is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let stated = |name| access.var(name).filter(|_| !ignored);
    if stated(ENDPOINT_STS).is_some() || stated(ENDPOINT_ALL).is_some() {
        return None;
    }
    endpoint
        .or_else(|| stated(ENDPOINT_SQS))
        .filter(|endpoint| is_loopback(endpoint))
        .map(str::to_owned)
}

/// The vendor's clients for one target.
#[derive(Debug, Clone)]
pub(crate) struct Clients {
    /// The queue service.
    pub(crate) sqs: aws_sdk_sqs::Client,
    /// Says whose credentials they are.
    pub(crate) sts: aws_sdk_sts::Client,
    /// The region that the settings or the vendor's chain give.
    pub(crate) region: Option<String>,
}

impl Clients {
    /// Reads what the vendor's chain reads; makes no call to SQS or STS.
    pub(crate) async fn load(settings: &Settings, limits: TimeLimits) -> Self {
        let config = match &settings.emulator {
            Some(credentials) => emulator_config(settings, credentials, limits),
            None => vendor_config(settings, limits).await,
        };
        let mut sqs = aws_sdk_sqs::config::Builder::from(&config);
        if let Some(endpoint) = &settings.endpoint {
            sqs = sqs.endpoint_url(endpoint);
        }
        let mut sts = aws_sdk_sts::config::Builder::from(&config);
        if let Some(endpoint) = &settings.endpoint_sts {
            sts = sts.endpoint_url(endpoint);
        }
        Clients {
            sqs: aws_sdk_sqs::Client::from_conf(sqs.build()),
            sts: aws_sdk_sts::Client::from_conf(sts.build()),
            region: config.region().map(ToString::to_string),
        }
    }
}

/// The vendor's own chain for region, credentials and endpoints.
async fn vendor_config(settings: &Settings, limits: TimeLimits) -> SdkConfig {
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        // As the vendor's default client does, honour HTTPS_PROXY and NO_PROXY.
        .http_client(http_client(ProxyConfig::from_env()))
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts(limits));
    if let Some(region) = &settings.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(profile) = &settings.profile {
        loader = loader.profile_name(profile);
    }
    loader.load().await
}

/// Nothing but what the emulator says: no file, no environment, no metadata service, no proxy.
fn emulator_config(
    settings: &Settings,
    credentials: &EmulatorCredentials,
    limits: TimeLimits,
) -> SdkConfig {
    let credentials = Credentials::new(
        &credentials.access_key_id,
        &credentials.secret_access_key,
        None,
        None,
        "emulator",
    );
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(http_client(ProxyConfig::disabled()))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts(limits));
    config.set_region(settings.region.clone().map(Region::new));
    config.build()
}

fn timeouts(limits: TimeLimits) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(limits.connect)
        .operation_attempt_timeout(limits.attempt)
        .build()
}

/// TLS by rustls with ring, like everywhere in `mq`.
fn http_client(proxy: ProxyConfig) -> SharedHttpClient {
    Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder().proxy_config(proxy.clone());
        connector.set_connector_settings(settings.cloned());
        if let Some(components) = components {
            connector.set_sleep_impl(components.sleep_impl());
        }
        connector
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn target(settings: serde_json::Value) -> Target {
        Target {
            settings: settings.as_object().cloned().unwrap_or_default(),
            ..Target::implied("aws")
        }
    }

    fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn emulator(endpoint: &str) -> Access {
        Access::emulator(variables(&[
            (ENDPOINT_SQS, endpoint),
            ("AWS_ACCESS_KEY_ID", "id-of-the-emulator"),
            ("AWS_SECRET_ACCESS_KEY", "secret-of-the-emulator"),
            ("AWS_REGION", "us-east-1"),
        ]))
    }

    #[test]
    fn an_account_has_twelve_digits() {
        let read =
            |account| Settings::read(&target(json!({ "account": account })), &Access::default());
        for account in [json!("011122223333"), json!(111_122_223_333_u64)] {
            assert!(read(account.clone()).is_ok(), "{account}");
        }
        for account in [
            json!("1234"),
            json!(11_122_223_333_u64),
            json!("11112222333x"),
            json!(""),
        ] {
            let error = read(account.clone()).expect_err("not an account");
            assert_eq!(error.kind(), ErrorKind::ConfigInvalid, "{account}");
            assert!(error.hint().is_some_and(|hint| hint.contains("quotes")));
        }
    }

    #[test]
    fn an_endpoint_is_a_url_and_its_password_is_not_repeated() {
        for endpoint in [
            "sqs.eu-west-1.amazonaws.com",
            "ftp://host",
            "http://user:hunter2@host",
            "http://",
        ] {
            let error =
                Settings::read(&target(json!({ "endpoint": endpoint })), &Access::default())
                    .expect_err(endpoint);
            assert_eq!(error.kind(), ErrorKind::ConfigInvalid);
            assert!(!format!("{error} {error:?}").contains("hunter2"));
        }
    }

    #[test]
    fn an_emulator_off_this_machine_is_refused() {
        for endpoint in [
            "http://192.0.2.1:9324",
            "https://sqs.eu-west-1.amazonaws.com",
            "http://localhost.example.com",
            "http://[2001:db8::1]:9324",
        ] {
            let error =
                Settings::read(&target(json!({})), &emulator(endpoint)).expect_err(endpoint);
            assert_eq!(error.kind(), ErrorKind::Refused, "{endpoint}");
        }
        for endpoint in [
            "http://127.0.0.1:9324",
            "http://[::1]:9324",
            "http://localhost:9324",
        ] {
            assert!(
                Settings::read(&target(json!({})), &emulator(endpoint)).is_ok(),
                "{endpoint}"
            );
        }
    }

    #[test]
    fn an_emulator_has_its_own_account_and_region_and_its_keys_do_not_print() {
        let file = target(
            json!({ "region": "eu-west-1", "account": "111122223333", "endpoint": "https://other" }),
        );
        let settings = Settings::read(&file, &emulator("http://127.0.0.1:1")).expect("settings");
        assert_eq!(settings.region.as_deref(), Some("us-east-1"));
        assert_eq!(settings.account, None);
        assert_eq!(settings.endpoint_sts.as_deref(), Some("http://127.0.0.1:1"));
        let printed = format!("{settings:?}");
        assert!(!printed.contains("-of-the-emulator"), "{printed}");
    }

    #[test]
    fn sts_is_beside_an_sqs_on_this_machine_unless_someone_says_where_it_is() {
        let local = "http://127.0.0.1:9324";
        let beside = |pairs: &[(&str, &str)]| sts_beside(None, &Access::vendor(variables(pairs)));
        assert_eq!(beside(&[(ENDPOINT_SQS, local)]).as_deref(), Some(local));
        assert_eq!(beside(&[]), None);
        assert_eq!(
            beside(&[(
                ENDPOINT_SQS,
                "https://vpce-1.sqs.eu-west-1.vpce.amazonaws.com"
            )]),
            None
        );
        assert_eq!(
            beside(&[(ENDPOINT_SQS, local), (ENDPOINT_STS, "http://127.0.0.1:2")]),
            None
        );
        assert_eq!(
            beside(&[
                (ENDPOINT_SQS, local),
                ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
            ]),
            None
        );
        assert_eq!(
            sts_beside(Some(local), &Access::default()).as_deref(),
            Some(local)
        );
    }
}
