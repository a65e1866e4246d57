//! Service Bus administration through a whole emulator, over its sockets.

use std::sync::Arc;

use mq_emulator::{Config, Emulator, Ports};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

const QUEUE: &str = "<entry xmlns=\"http://www.w3.org/2005/Atom\"><content type=\"application/xml\"><QueueDescription xmlns=\"http://schemas.microsoft.com/netservices/2010/10/servicebus/connect\"><LockDuration>PT30S</LockDuration></QueueDescription></content></entry>";

async fn start(quirks: &[&str]) -> Emulator {
    let mut config = Config {
        ports: Ports::free(),
        seed: 7,
        ..Config::default()
    };
    for quirk in quirks {
        config.quirks.parse(quirk).expect("a quirk");
    }
    Emulator::start(config).await.expect("the emulator starts")
}

fn variable(emulator: &Emulator, name: &str) -> String {
    let mut variables = emulator.env().into_iter();
    let found = variables.find(|(other, _)| other == name);
    found.expect("the variable is exported").1
}

/// Sends one request and reads the answer to its end.
async fn exchange(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    method: &str,
    path: &str,
    body: &str,
) -> String {
    let request = format!(
        "{method} /{path}?api-version=2021-05 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer any\r\n\
         Connection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream
        .write_all(request.as_bytes())
        .await
        .expect("the request is taken");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    answer
}

async fn plain(emulator: &Emulator, method: &str, path: &str, body: &str) -> String {
    let address = emulator.addresses().servicebus_admin;
    let stream = TcpStream::connect(address).await.expect("a connection");
    exchange(stream, method, path, body).await
}

/// As a client that trusts nothing but the exported CA.
async fn secure(emulator: &Emulator, method: &str, path: &str, body: &str) -> String {
    let ca =
        CertificateDer::from_pem_file(variable(emulator, "MQ_EMULATOR_CA")).expect("the CA's file");
    let mut roots = RootCertStore::empty();
    roots.add(ca).expect("a CA");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("TLS versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let address = emulator.addresses().servicebus_admin;
    let stream = TcpStream::connect(address).await.expect("a connection");
    let name = ServerName::try_from("localhost").expect("a name");
    let connector = TlsConnector::from(Arc::new(config));
    let stream = connector
        .connect(name, stream)
        .await
        .expect("a TLS connection");
    exchange(stream, method, path, body).await
}

#[tokio::test]
async fn a_queue_made_over_tls_is_read_over_plain_http() {
    let emulator = start(&[]).await;
    let connection = variable(&emulator, "SERVICEBUS_ADMIN_CONNECTION_STRING");
    let endpoint = format!(
        "Endpoint=sb://localhost:{};",
        emulator.addresses().servicebus_admin.port()
    );
    assert!(connection.contains(&endpoint), "{connection}");

    let created = secure(&emulator, "PUT", "Orders", QUEUE).await;
    assert!(created.starts_with("HTTP/1.1 201 Created"), "{created}");
    let read = plain(&emulator, "GET", "orders", "").await;
    assert!(
        read.contains("<LockDuration>PT30S</LockDuration>"),
        "{read}"
    );
    let deleted = secure(&emulator, "DELETE", "orders", "").await;
    assert!(deleted.starts_with("HTTP/1.1 200 OK"), "{deleted}");
    let gone = plain(&emulator, "GET", "orders", "").await;
    assert!(gone.contains("Publicly Listed Services"), "{gone}");
    assert_eq!(emulator.requests(), 4);
    emulator.stop().await;
}

#[tokio::test]
async fn an_injected_error_is_the_services_own() {
    let emulator = start(&["error-rate=1"]).await;
    for answer in [
        plain(&emulator, "PUT", "orders", QUEUE).await,
        secure(&emulator, "GET", "orders", "").await,
    ] {
        assert!(answer.starts_with("HTTP/1.1 500 "), "{answer}");
        let start = "<Error><Code>500</Code><Detail>SubCode=50000. ";
        assert!(answer.contains(start), "{answer}");
        let tracker = "SystemTracker:localhost:orders, Timestamp:";
        assert!(answer.contains(tracker), "{answer}");
    }
    emulator.stop().await;
}

#[tokio::test]
async fn the_tier_is_that_of_the_quirk() {
    for (quirk, tier) in [
        ("servicebus-basic-tier", "<MessagingSKU>Basic<"),
        ("servicebus-premium-tier", "<MessagingSKU>Premium<"),
    ] {
        let emulator = start(&[quirk]).await;
        let answer = secure(&emulator, "GET", "$namespaceinfo", "").await;
        assert!(answer.contains(tier), "{answer}");
        emulator.stop().await;
    }
}

#[tokio::test]
async fn a_body_beyond_any_description_is_refused() {
    let emulator = start(&[]).await;
    let answer = plain(&emulator, "PUT", "orders", &"x".repeat(256 * 1024)).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    emulator.stop().await;
}
