//! The administration API over HTTP: one method, every call.

use std::time::Duration;

use mq_core::backend::Access;
use mq_core::error::{Effect, Error, ErrorKind, Result, Retry};
use reqwest::header::{
    AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, IF_MATCH, RETRY_AFTER,
};
use reqwest::{Method, redirect};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::atom::{self, Document};
use crate::auth::Authorizer;
use crate::config::{Site, short_name};
use crate::error::{self, Operation, Refused};

/// The version of the API whose documents this crate reads and writes.
const API_VERSION: &str = "2021-05";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long one call may take; the service itself gives up after 60 s.
const CALL_TIMEOUT: Duration = Duration::from_secs(65);
/// A page of a hundred queues with the longest metadata and every access rule has less than 4 MiB.
const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;

const FORWARD_AUTHORIZATION: HeaderName =
    HeaderName::from_static("servicebussupplementaryauthorization");
const FORWARD_DEAD_LETTERS_AUTHORIZATION: HeaderName =
    HeaderName::from_static("servicebusdlqsupplementaryauthorization");

/// One namespace's administration API.
#[derive(Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: Url,
    authority: String,
    authorizer: Authorizer,
}

/// One call.
#[derive(Debug, Default)]
pub(crate) struct Call<'a> {
    /// The path under the namespace.
    pub(crate) path: &'a str,
    /// Which of a list: how many to skip, and how many to return.
    pub(crate) page: Option<(usize, usize)>,
    /// The document to send.
    pub(crate) body: Option<String>,
    /// Whether it names another queue to forward to, or to forward dead letters to: the right to
    /// send there is proved apart.
    pub(crate) forwards: (bool, bool),
}

impl Client {
    /// For this site. Nothing is called yet.
    pub(crate) fn new(site: &Site, access: &Access) -> Result<Client> {
        Client::with_timeout(site, access, CALL_TIMEOUT)
    }

    fn with_timeout(site: &Site, access: &Access, timeout: Duration) -> Result<Client> {
        let http = http(site.plain, timeout)?;
        let scheme = if site.plain { "http" } else { "https" };
        let base = Url::parse(&format!("{scheme}://{}/", site.administration)).map_err(|_| {
            Error::new(
                ErrorKind::ConfigInvalid,
                format!("`{}` is not a host", site.administration),
            )
        })?;
        Ok(Client {
            authorizer: Authorizer::new(site, access, &http),
            http,
            base,
            authority: site.administration.clone(),
        })
    }

    /// The host, with its port where it is not the scheme's own.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    /// The namespace's short name; of an emulator, its address.
    pub(crate) fn namespace(&self) -> &str {
        short_name(&self.authority)
    }

    /// Makes a call whose answer is a document.
    pub(crate) async fn document(&self, operation: Operation, call: Call<'_>) -> Result<Document> {
        let body = self.call(operation, call).await?;
        atom::parse(&body).map_err(|fault| error::from_garbage(operation, fault.0))
    }

    /// Makes a call; the body of a successful answer.
    pub(crate) async fn call(&self, operation: Operation, call: Call<'_>) -> Result<Vec<u8>> {
        let token = self.authorizer.header().await?;
        let request = self
            .http
            .request(method(operation), self.url(&call))
            .headers(headers(operation, &call, &token)?)
            .body(call.body.unwrap_or_default());
        tracing::debug!(
            operation = operation.name(),
            path = call.path,
            "calling Service Bus"
        );
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) => return Err(self.unreached(operation, error).await),
        };
        let status = answer.status();
        let retry_after = retry_after(answer.headers());
        let body = match body(answer, ANSWER_BYTES_MAX).await {
            Ok(body) => body,
            Err(BodyError::TooLong) => {
                return Err(error::from_garbage(operation, "it is too long"));
            }
            Err(BodyError::Broken(broken)) => return Err(error::from_transport(operation, broken)),
        };
        if status.is_success() {
            return Ok(body);
        }
        let error = error::from_answer(&Refused {
            operation,
            status: status.as_u16(),
            retry_after,
            body: &body,
        });
        Err(match error.kind() {
            ErrorKind::Unauthenticated | ErrorKind::PermissionDenied => {
                let hint = self.authorizer.hint(self.namespace());
                error
                    .with_hint(hint)
                    .with_context("host", self.authority.clone())
            }
            _ => error,
        })
    }

    fn url(&self, call: &Call<'_>) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.clear().extend(call.path.split('/'));
        }
        let mut query = url.query_pairs_mut();
        query.append_pair("api-version", API_VERSION);
        if let Some((skip, top)) = call.page {
            query.append_pair("$skip", &skip.to_string());
            query.append_pair("$top", &top.to_string());
        }
        drop(query);
        url
    }

    /// A host that nobody knows is a namespace that is not there: its name is part of the host's.
    async fn unreached(&self, operation: Operation, error: reqwest::Error) -> Error {
        if !error.is_connect() {
            return error::from_transport(operation, error);
        }
        let host = self.base.host_str().unwrap_or_default().to_owned();
        let port = self.base.port_or_known_default().unwrap_or(443);
        match tokio::net::lookup_host((host.as_str(), port)).await {
            Ok(_) => {
                error::from_transport(operation, error).with_context("host", self.authority.clone())
            }
            Err(unknown) => self
                .no_namespace("no such host is known (or there is no network)")
                .with_operation(operation.name())
                .with_source(unknown),
        }
    }

    /// The namespace is not there.
    pub(crate) fn no_namespace(&self, why: &str) -> Error {
        let namespace = self.namespace();
        Error::new(
            ErrorKind::NotFound,
            format!("the namespace `{namespace}` is not there: {why}"),
        )
        .with_retry(Retry::Never)
        .with_effect(Effect::None)
        .with_context("host", self.authority.clone())
        .with_hint(format!(
            "correct `namespace` in the file, or create it: `az servicebus namespace create --name {namespace} --resource-group GROUP --location LOCATION --sku Standard`"
        ))
    }
}

fn method(operation: Operation) -> Method {
    match operation {
        Operation::GetNamespace | Operation::GetQueue | Operation::ListQueues => Method::GET,
        Operation::CreateQueue | Operation::UpdateQueue => Method::PUT,
        Operation::DeleteQueue => Method::DELETE,
    }
}

fn headers(operation: Operation, call: &Call<'_>, token: &SecretString) -> Result<HeaderMap> {
    let mut token = HeaderValue::from_str(token.expose_secret()).map_err(|_| {
        Error::new(
            ErrorKind::ConfigInvalid,
            "the credential has characters that no header can carry",
        )
    })?;
    token.set_sensitive(true);
    let mut headers = HeaderMap::new();
    if call.body.is_some() {
        let atom = HeaderValue::from_static("application/atom+xml;type=entry;charset=utf-8");
        headers.insert(CONTENT_TYPE, atom);
    }
    if operation == Operation::UpdateQueue {
        // The API knows no other: there is no version to compare.
        headers.insert(IF_MATCH, HeaderValue::from_static("*"));
    }
    let (messages, dead_letters) = call.forwards;
    if messages {
        headers.insert(FORWARD_AUTHORIZATION, token.clone());
    }
    if dead_letters {
        headers.insert(FORWARD_DEAD_LETTERS_AUTHORIZATION, token.clone());
    }
    headers.insert(AUTHORIZATION, token);
    Ok(headers)
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    const LONGEST: u64 = 3600;
    let seconds: u64 = headers
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds.min(LONGEST)))
}

/// The HTTP client: no redirections, so that a token goes where it was made for; time limits; and
/// for an emulator on this machine no proxy and no certificates.
fn http(plain: bool, timeout: Duration) -> Result<reqwest::Client> {
    let builder = builder().timeout(timeout);
    if !plain {
        return build(builder);
    }
    let config = rustls::ClientConfig::builder()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    build(builder.no_proxy().tls_backend_preconfigured(config))
}

/// An HTTP client for addresses that only this machine has, which no proxy can reach.
pub(crate) fn direct() -> Result<reqwest::Client> {
    build(builder().timeout(CALL_TIMEOUT).no_proxy())
}

fn builder() -> reqwest::ClientBuilder {
    // One that is installed already is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .user_agent(concat!("mq/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
}

fn build(builder: reqwest::ClientBuilder) -> Result<reqwest::Client> {
    builder.build().map_err(|error| {
        Error::new(ErrorKind::ConfigInvalid, "no HTTPS client can be made")
            .with_hint("install the system's root certificates (the package ca-certificates)")
            .with_source(error)
    })
}

/// A body that could not be read whole.
#[derive(Debug)]
pub(crate) enum BodyError {
    /// It is longer than any answer should be.
    TooLong,
    /// The connection broke, or time ran out.
    Broken(reqwest::Error),
}

/// Reads a body of at most `limit` bytes.
pub(crate) async fn body(
    mut answer: reqwest::Response,
    limit: usize,
) -> std::result::Result<Vec<u8>, BodyError> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(BodyError::Broken)? {
        if body.len() + chunk.len() > limit {
            return Err(BodyError::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;
    use crate::config::Credential;

    fn client(administration: &str, timeout: Duration) -> Client {
        let site = Site {
            administration: administration.to_owned(),
            messaging: administration.to_owned(),
            plain: true,
            credential: Credential::Signature(SecretString::from("SharedAccessSignature s3cr3t")),
        };
        Client::with_timeout(&site, &Access::default(), timeout).expect("a client")
    }

    fn queue(path: &str) -> Call<'_> {
        Call {
            path,
            ..Call::default()
        }
    }

    #[tokio::test]
    async fn a_server_that_says_nothing_is_not_waited_for_for_ever() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let client = client(&address, Duration::from_millis(50));
        for (operation, effect) in [
            (Operation::GetQueue, Effect::None),
            (Operation::DeleteQueue, Effect::Unknown),
        ] {
            let error = client
                .call(operation, queue("q"))
                .await
                .expect_err("no answer");
            assert_eq!(error.kind(), ErrorKind::TimedOut, "{error:?}");
            assert_eq!(error.effect(), effect);
            assert_eq!(error.retry(), Retry::After(None));
            assert!(!format!("{error:?}").contains("s3cr3t"), "{error:?}");
        }
    }

    #[tokio::test]
    async fn a_host_that_nobody_knows_is_a_namespace_that_is_not_there() {
        // The name is reserved for never being one (RFC 2606).
        let client = client("acme-prod.invalid", CALL_TIMEOUT);
        let error = client
            .call(Operation::GetNamespace, queue("q"))
            .await
            .expect_err("no host");
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error:?}");
        assert_eq!(error.retry(), Retry::Never);
        let hint = error.hint().unwrap_or_default();
        assert!(hint.contains("az servicebus namespace create"), "{hint}");
        assert!(
            !error::says_absent(&error),
            "no answer is no word of the service"
        );
    }

    #[test]
    fn a_name_cannot_leave_its_place_in_the_path() {
        let client = client("127.0.0.1:1", CALL_TIMEOUT);
        let url = client.url(&queue("team/a?b#c d%2f"));
        assert_eq!(url.path(), "/team/a%3Fb%23c%20d%252f");
        assert_eq!(url.query(), Some("api-version=2021-05"));
        let page = Call {
            page: Some((100, 100)),
            ..queue("$Resources/queues")
        };
        assert_eq!(
            client.url(&page).as_str(),
            "http://127.0.0.1:1/$Resources/queues?api-version=2021-05&%24skip=100&%24top=100"
        );
    }
}
