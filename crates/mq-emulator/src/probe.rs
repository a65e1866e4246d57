//! One real round trip per protocol, over real sockets: what "ready" means.

use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use googleapis_tonic_google_pubsub_v1::google::pubsub::v1::ListTopicsRequest;
use http::{HeaderMap, Method, Request, StatusCode, Version};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::guard::PROBE_HEADER;
use crate::server::Addresses;

/// How long one round trip may take.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest answer that is read.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// The round trips that an emulator must pass.
#[derive(Clone)]
pub(crate) struct Probes(Arc<Targets>);

/// Where the round trips go.
pub(crate) struct Targets {
    pub(crate) addresses: Addresses,
    pub(crate) project: String,
    /// Marks the requests as probes.
    pub(crate) token: String,
    /// What the TLS ports must be trusted by.
    pub(crate) ca_file: PathBuf,
}

/// How one round trip went.
#[derive(Debug)]
pub(crate) struct Report {
    /// Which protocol.
    pub(crate) protocol: &'static str,
    /// Or why it did not work.
    pub(crate) outcome: Result<(), String>,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    trailers: HeaderMap,
    body: Bytes,
}

impl Probes {
    pub(crate) fn new(targets: Targets) -> Self {
        Probes(Arc::new(targets))
    }

    /// Makes every round trip, at the same time.
    pub(crate) async fn run(&self) -> Vec<Report> {
        let targets = &*self.0;
        let (sqs, rest, grpc, admin, admin_tls) = tokio::join!(
            bounded(targets.sqs()),
            bounded(targets.pubsub_rest()),
            bounded(targets.pubsub_grpc()),
            bounded(targets.servicebus_admin()),
            bounded(targets.servicebus_admin_tls()),
        );
        [
            ("sqs", sqs),
            ("pubsub-rest", rest),
            ("pubsub-grpc", grpc),
            ("servicebus-admin", admin),
            ("servicebus-admin-tls", admin_tls),
        ]
        .map(|(protocol, outcome)| Report { protocol, outcome })
        .into()
    }
}

async fn bounded(probe: impl Future<Output = Result<(), String>>) -> Result<(), String> {
    tokio::time::timeout(PROBE_TIMEOUT, probe)
        .await
        .unwrap_or_else(|_| Err(format!("no answer within {PROBE_TIMEOUT:?}")))
}

impl Targets {
    async fn sqs(&self) -> Result<(), String> {
        let request = self
            .request(Method::POST, self.addresses.sqs, "/")
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", "AmazonSQS.ListQueues")
            .body(Full::from(r#"{"MaxResults":1}"#));
        expect_ok(&round_trip(self.addresses.sqs, request).await?)
    }

    async fn pubsub_rest(&self) -> Result<(), String> {
        let path = format!("/v1/projects/{}/topics?pageSize=1", self.project);
        let request = self
            .request(Method::GET, self.addresses.pubsub, &path)
            .body(Full::default());
        expect_ok(&round_trip(self.addresses.pubsub, request).await?)
    }

    async fn pubsub_grpc(&self) -> Result<(), String> {
        let message = ListTopicsRequest {
            project: format!("projects/{}", self.project),
            page_size: 1,
            ..ListTopicsRequest::default()
        };
        let request = self
            .request(
                Method::POST,
                self.addresses.pubsub,
                "/google.pubsub.v1.Publisher/ListTopics",
            )
            .version(Version::HTTP_2)
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(Full::from(grpc_frame(&message.encode_to_vec())));
        let answer = round_trip(self.addresses.pubsub, request).await?;
        expect_ok(&answer)?;
        let status = answer
            .trailers
            .get("grpc-status")
            .or_else(|| answer.headers.get("grpc-status"));
        match status.map(http::HeaderValue::as_bytes) {
            Some(b"0") => Ok(()),
            other => Err(format!("it answered with gRPC status {other:?}")),
        }
    }

    async fn servicebus_admin(&self) -> Result<(), String> {
        expect_ok(&round_trip(self.addresses.servicebus_admin, self.namespace_info()).await?)
    }

    async fn servicebus_admin_tls(&self) -> Result<(), String> {
        let pem = tokio::fs::read(&self.ca_file)
            .await
            .map_err(|error| error.to_string())?;
        let connector = trusting(&pem).map_err(|error| error.to_string())?;
        let name = ServerName::try_from("localhost").map_err(|error| error.to_string())?;
        let stream = connect(self.addresses.servicebus_admin).await?;
        let stream = connector
            .connect(name, stream)
            .await
            .map_err(|error| error.to_string())?;
        expect_ok(&exchange(stream, self.namespace_info()).await?)
    }

    /// Bearer tokens are taken unread, and a probe has no other.
    fn namespace_info(&self) -> Result<Request<Full<Bytes>>, http::Error> {
        self.request(
            Method::GET,
            self.addresses.servicebus_admin,
            "/$namespaceinfo?api-version=2021-05",
        )
        .header("authorization", "Bearer probe")
        .body(Full::default())
    }

    fn request(&self, method: Method, address: SocketAddr, path: &str) -> http::request::Builder {
        Request::builder()
            .method(method)
            .uri(format!("http://{address}{path}"))
            .header("host", address.to_string())
            .header(PROBE_HEADER, &self.token)
    }
}

/// A message as gRPC frames it: not compressed, its length, itself.
fn grpc_frame(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    [&[0], &length.to_be_bytes()[..], message].concat()
}

fn expect_ok(answer: &Answer) -> Result<(), String> {
    if answer.status == StatusCode::OK {
        return Ok(());
    }
    let text: String = String::from_utf8_lossy(&answer.body)
        .chars()
        .take(200)
        .collect();
    Err(format!("it answered {}: {text}", answer.status))
}

/// A TLS client that trusts this CA and no other.
fn trusting(ca_pem: &[u8]) -> Result<TlsConnector, Box<dyn Error>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(ca_pem) {
        roots.add(certificate?)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

async fn connect(address: SocketAddr) -> Result<TcpStream, String> {
    TcpStream::connect(address)
        .await
        .map_err(|error| error.to_string())
}

async fn round_trip(
    address: SocketAddr,
    request: Result<Request<Full<Bytes>>, http::Error>,
) -> Result<Answer, String> {
    exchange(connect(address).await?, request).await
}

async fn exchange<S>(
    stream: S,
    request: Result<Request<Full<Bytes>>, http::Error>,
) -> Result<Answer, String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let request = request.map_err(|error| error.to_string())?;
    ask(TokioIo::new(stream), request)
        .await
        .map_err(|error| error.to_string())
}

async fn ask<S>(
    io: TokioIo<S>,
    request: Request<Full<Bytes>>,
) -> Result<Answer, Box<dyn Error + Send + Sync>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (answer, connection) = if request.version() == Version::HTTP_2 {
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await?;
        let connection = tokio::spawn(async move { drop(connection.await) });
        (sender.send_request(request).await?, connection)
    } else {
        let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await?;
        let connection = tokio::spawn(async move { drop(connection.await) });
        (sender.send_request(request).await?, connection)
    };
    let (head, body) = answer.into_parts();
    let collected = Limited::new(Body::new(body), ANSWER_BYTES_MAX)
        .collect()
        .await?;
    connection.abort();
    Ok(Answer {
        status: head.status,
        headers: head.headers,
        trailers: collected.trailers().cloned().unwrap_or_default(),
        body: collected.to_bytes(),
    })
}
