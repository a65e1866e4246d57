//! Tokens of Microsoft Entra ID: the first of the places that the vendor's SDKs document, in their
//! order, that is configured here.
//!
//! The vendor's Rust SDK has the single credentials but no chain over them. What is configured and
//! fails ends the chain: going on could act as somebody else than the settings say.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use azure_core::credentials::{AccessToken, Secret, TokenCredential};
use azure_core::http::{ClientMethodOptions, ClientOptions, RetryOptions, Transport};
use azure_identity::{
    AzureCliCredential, AzureDeveloperCliCredential, ClientAssertion, ClientAssertionCredential,
    ClientAssertionCredentialOptions, ClientSecretCredential, ClientSecretCredentialOptions,
    ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId,
    WorkloadIdentityCredential, WorkloadIdentityCredentialOptions,
};
use mq_core::backend::Access;
use mq_core::error::{Effect, Error, ErrorKind, Result, Retry};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::OnceCell;
use url::Url;

/// What a token is asked for.
const SCOPE: &str = "https://servicebus.azure.net/.default";
/// How long a machine without a managed identity may keep us waiting.
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);
/// How long the command lines may take: they start slowly.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);
/// How long everything else may take.
const TOKEN_TIMEOUT: Duration = Duration::from_secs(30);
/// Who a GitHub token must be for, so that Entra ID exchanges it.
const EXCHANGE_AUDIENCE: &str = "api://AzureADTokenExchange";
/// The longest answer of GitHub that is read.
const GITHUB_ANSWER_BYTES_MAX: usize = 64 * 1024;
/// The longest text of another program or service that is shown.
const REASON_CHARS_MAX: usize = 240;

/// The places to look in, and the one that gave a token before.
pub(crate) struct Chain {
    places: Vec<Place>,
    settled: OnceCell<usize>,
    /// What must not be in any message.
    secrets: Vec<SecretString>,
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.places.iter().map(|place| place.name).collect();
        f.debug_struct("Chain")
            .field("places", &names)
            .finish_non_exhaustive()
    }
}

/// One place that a token may come from.
struct Place {
    name: &'static str,
    /// Or why it is not to be asked.
    credential: std::result::Result<Arc<dyn TokenCredential>, String>,
    timeout: Duration,
    /// Whether somebody set it up, so that its failure ends the chain.
    configured: bool,
}

impl Chain {
    /// The chain as the environment sets it up. Nothing is asked yet.
    pub(crate) fn new(access: &Access, http: &reqwest::Client) -> Chain {
        let settings = Settings::read(access);
        let secrets = [
            access.var("AZURE_CLIENT_SECRET"),
            access.var("ACTIONS_ID_TOKEN_REQUEST_TOKEN"),
        ];
        Chain {
            places: vec![
                settings.client_secret(http),
                settings.workload_identity(http),
                settings.github_actions(http),
                settings.managed_identity(),
                settings.azure_cli(),
                settings.developer_cli(),
            ],
            settled: OnceCell::new(),
            secrets: secrets
                .into_iter()
                .flatten()
                .map(SecretString::from)
                .collect(),
        }
    }

    /// A token that is good at this moment: from the place that gave one before, which keeps it and
    /// renews it, else from the first that gives one.
    pub(crate) async fn token(&self) -> Result<Secret> {
        let mut found = None;
        let settled = self
            .settled
            .get_or_try_init(|| async {
                let (index, token) = self.search().await?;
                found = Some(token);
                Ok::<_, Error>(index)
            })
            .await?;
        if let Some(token) = found {
            return Ok(token.token);
        }
        let place = &self.places[*settled];
        match place.ask().await {
            Ok(token) => Ok(token.token),
            Err(reason) => Err(self.failure(&[format!("{}: {reason}", place.name)])),
        }
    }

    async fn search(&self) -> Result<(usize, AccessToken)> {
        let mut tried = Vec::new();
        for (index, place) in self.places.iter().enumerate() {
            match place.ask().await {
                Ok(token) => return Ok((index, token)),
                Err(reason) => tried.push(format!("{}: {reason}", place.name)),
            }
            if place.configured {
                tried.push("the chain ends there, since that is set up".to_owned());
                break;
            }
        }
        Err(self.failure(&tried))
    }

    fn failure(&self, tried: &[String]) -> Error {
        let mut tried = tried.join("; ");
        for secret in &self.secrets {
            tried = tried.replace(secret.expose_secret(), "[secret]");
        }
        Error::new(
            ErrorKind::Unauthenticated,
            format!("no token of Entra ID; tried {tried}"),
        )
        .with_retry(Retry::Never)
        .with_effect(Effect::None)
        .with_hint(format!(
            "run `az login`, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, or a connection string in {}",
            crate::config::CONNECTION_STRING_VARIABLE
        ))
    }
}

impl Place {
    async fn ask(&self) -> std::result::Result<AccessToken, String> {
        let credential = self.credential.as_ref().map_err(Clone::clone)?;
        match tokio::time::timeout(self.timeout, credential.get_token(&[SCOPE], None)).await {
            Ok(Ok(token)) => Ok(token),
            Ok(Err(error)) => Err(one_line(&error.to_string())),
            Err(_) => Err(format!("no answer within {} s", self.timeout.as_secs())),
        }
    }

    fn absent(name: &'static str, why: impl Into<String>) -> Place {
        Place {
            name,
            credential: Err(why.into()),
            timeout: TOKEN_TIMEOUT,
            configured: false,
        }
    }

    fn configured<C: TokenCredential + 'static>(
        name: &'static str,
        credential: azure_core::Result<Arc<C>>,
    ) -> Place {
        Place {
            name,
            credential: erase(credential),
            timeout: TOKEN_TIMEOUT,
            configured: true,
        }
    }
}

fn erase<C: TokenCredential + 'static>(
    credential: azure_core::Result<Arc<C>>,
) -> std::result::Result<Arc<dyn TokenCredential>, String> {
    credential
        .map(|credential| credential as Arc<dyn TokenCredential>)
        .map_err(|error| one_line(&error.to_string()))
}

/// What the environment says.
struct Settings {
    tenant: Option<String>,
    client: Option<String>,
    client_secret: Option<SecretString>,
    certificate: bool,
    token_file: Option<PathBuf>,
    github: Option<(String, SecretString)>,
    app_service: bool,
}

impl Settings {
    fn read(access: &Access) -> Settings {
        let text = |name| access.var(name).map(str::to_owned);
        let secret = |name| access.var(name).map(SecretString::from);
        Settings {
            tenant: text("AZURE_TENANT_ID"),
            client: text("AZURE_CLIENT_ID"),
            client_secret: secret("AZURE_CLIENT_SECRET"),
            certificate: access.var("AZURE_CLIENT_CERTIFICATE_PATH").is_some(),
            token_file: access.var("AZURE_FEDERATED_TOKEN_FILE").map(PathBuf::from),
            github: text("ACTIONS_ID_TOKEN_REQUEST_URL")
                .zip(secret("ACTIONS_ID_TOKEN_REQUEST_TOKEN")),
            app_service: access.var("IDENTITY_ENDPOINT").is_some(),
        }
    }

    fn identity(&self) -> std::result::Result<(&str, &str), String> {
        match (&self.tenant, &self.client) {
            (Some(tenant), Some(client)) => Ok((tenant, client)),
            (None, _) => Err("AZURE_TENANT_ID is not set".to_owned()),
            (_, None) => Err("AZURE_CLIENT_ID is not set".to_owned()),
        }
    }

    fn client_secret(&self, http: &reqwest::Client) -> Place {
        const NAME: &str = "client secret";
        let Some(secret) = &self.client_secret else {
            return Place::absent(
                NAME,
                if self.certificate {
                    "AZURE_CLIENT_SECRET is not set, and mq cannot sign with AZURE_CLIENT_CERTIFICATE_PATH; `az login --service-principal --certificate` can"
                } else {
                    "AZURE_CLIENT_SECRET is not set"
                },
            );
        };
        let (tenant, client) = match self.identity() {
            Ok(identity) => identity,
            Err(why) => return Place::absent(NAME, why),
        };
        let options = ClientSecretCredentialOptions {
            client_options: client_options(http),
        };
        let secret = Secret::new(secret.expose_secret().to_owned());
        Place::configured(
            NAME,
            ClientSecretCredential::new(tenant, client.to_owned(), secret, Some(options)),
        )
    }

    fn workload_identity(&self, http: &reqwest::Client) -> Place {
        const NAME: &str = "workload identity";
        let Some(file) = &self.token_file else {
            return Place::absent(NAME, "AZURE_FEDERATED_TOKEN_FILE is not set");
        };
        let (tenant, client) = match self.identity() {
            Ok(identity) => identity,
            Err(why) => return Place::absent(NAME, why),
        };
        let options = WorkloadIdentityCredentialOptions {
            credential_options: assertion_options(http),
            client_id: Some(client.to_owned()),
            tenant_id: Some(tenant.to_owned()),
            token_file_path: Some(file.clone()),
        };
        Place::configured(NAME, WorkloadIdentityCredential::new(Some(options)))
    }

    fn github_actions(&self, http: &reqwest::Client) -> Place {
        const NAME: &str = "GitHub Actions";
        let Some((url, token)) = &self.github else {
            return Place::absent(NAME, "the job has no `permissions: id-token: write`");
        };
        let (tenant, client) = match self.identity() {
            Ok(identity) => identity,
            Err(why) => return Place::absent(NAME, why),
        };
        let assertion = match GitHubToken::new(url, token.clone(), http.clone()) {
            Ok(assertion) => assertion,
            Err(why) => return Place::absent(NAME, why),
        };
        let credential = ClientAssertionCredential::new(
            tenant.to_owned(),
            client.to_owned(),
            assertion,
            Some(assertion_options(http)),
        );
        Place::configured(NAME, credential)
    }

    fn managed_identity(&self) -> Place {
        const NAME: &str = "managed identity";
        let http = match crate::client::direct() {
            Ok(http) => http,
            Err(error) => return Place::absent(NAME, error.message()),
        };
        let options = ManagedIdentityCredentialOptions {
            user_assigned_id: self.client.clone().map(UserAssignedId::ClientId),
            client_options: client_options(&http),
        };
        Place {
            name: NAME,
            credential: erase(ManagedIdentityCredential::new(Some(options))),
            // Only a virtual machine's has to be looked for.
            timeout: if self.app_service {
                TOKEN_TIMEOUT
            } else {
                PROBE_TIMEOUT
            },
            configured: self.app_service,
        }
    }

    fn azure_cli(&self) -> Place {
        Place {
            name: "Azure CLI",
            credential: erase(AzureCliCredential::new(None)),
            timeout: COMMAND_TIMEOUT,
            configured: false,
        }
    }

    fn developer_cli(&self) -> Place {
        Place {
            name: "Azure Developer CLI",
            credential: erase(AzureDeveloperCliCredential::new(None)),
            timeout: COMMAND_TIMEOUT,
            configured: false,
        }
    }
}

/// Our own HTTP client, since the vendor's default one brings another TLS library; and no retries
/// of the SDK's, since there is one retry policy.
fn client_options(http: &reqwest::Client) -> ClientOptions {
    ClientOptions {
        transport: Some(Transport::new(Arc::new(http.clone()))),
        retry: RetryOptions::none(),
        ..ClientOptions::default()
    }
}

fn assertion_options(http: &reqwest::Client) -> ClientAssertionCredentialOptions {
    ClientAssertionCredentialOptions {
        client_options: client_options(http),
    }
}

/// The token that GitHub gives a job about itself, fetched anew whenever Entra ID is asked: it
/// lives five minutes only.
struct GitHubToken {
    url: Url,
    token: SecretString,
    http: reqwest::Client,
}

impl fmt::Debug for GitHubToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GitHubToken").finish_non_exhaustive()
    }
}

impl GitHubToken {
    fn new(
        url: &str,
        token: SecretString,
        http: reqwest::Client,
    ) -> std::result::Result<GitHubToken, String> {
        let mut url = Url::parse(url)
            .ok()
            .filter(|url| url.scheme() == "https")
            .ok_or("ACTIONS_ID_TOKEN_REQUEST_URL is not an https URL")?;
        url.query_pairs_mut()
            .append_pair("audience", EXCHANGE_AUDIENCE);
        Ok(GitHubToken { url, token, http })
    }

    async fn fetch(&self) -> std::result::Result<String, String> {
        #[derive(serde::Deserialize)]
        struct Answer {
            value: String,
        }
        let request = self
            .http
            .get(self.url.clone())
            .bearer_auth(self.token.expose_secret());
        let answer = request
            .send()
            .await
            .map_err(|_| "GitHub's token service cannot be reached")?;
        if !answer.status().is_success() {
            return Err(format!(
                "GitHub's token service answers {}",
                answer.status()
            ));
        }
        let body = crate::client::body(answer, GITHUB_ANSWER_BYTES_MAX)
            .await
            .map_err(|_| "GitHub's token service broke off")?;
        let answer: Answer = serde_json::from_slice(&body)
            .map_err(|_| "GitHub's token service answers something else")?;
        Ok(answer.value)
    }
}

#[async_trait]
impl ClientAssertion for GitHubToken {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        self.fetch().await.map_err(|why| {
            azure_core::Error::with_message(azure_core::error::ErrorKind::Credential, why)
        })
    }
}

/// A text of someone else's on one line of bounded length, without the SDK's closing link.
fn one_line(text: &str) -> String {
    let said = text
        .split("To troubleshoot, visit")
        .next()
        .unwrap_or_default();
    let words: Vec<&str> = said.split_whitespace().collect();
    words.join(" ").chars().take(REASON_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests;
