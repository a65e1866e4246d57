//! The limit: a server on the emulator's HTTP stack that reads a request and answers a constant.

use std::net::Ipv4Addr;

use axum::Router;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::post;
use bytes::Bytes;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};

use super::open_files;
use super::sqs_client::BODY_BYTES;

/// As long as those of the emulator, more or less.
const RECEIPT_CHARACTERS: usize = 100;
const MD5: &str = "00000000000000000000000000000000";
const ID: &str = "00000000-0000-4000-8000-000000000000";

/// Serves until it is killed.
pub(crate) async fn serve(port: u16) {
    let _files = open_files::raise();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .unwrap();
    let receipt = "r".repeat(RECEIPT_CHARACTERS);
    let body = "x".repeat(BODY_BYTES);
    let received = format!(
        "{{\"Messages\":[{{\"MessageId\":\"{ID}\",\"ReceiptHandle\":\"{receipt}\",\
         \"MD5OfBody\":\"{MD5}\",\"Body\":\"{body}\"}}]}}"
    );
    let sent = format!("{{\"MD5OfMessageBody\":\"{MD5}\",\"MessageId\":\"{ID}\"}}");
    let answers = Answers {
        sent: sent.into(),
        received: received.into(),
        url: format!("{{\"QueueUrl\":\"http://127.0.0.1:{port}/000000000000/bench\"}}").into(),
    };
    let answer = move |headers: HeaderMap, _: Bytes| {
        let constant = answers.to(&headers);
        async move { ([(CONTENT_TYPE, "application/x-amz-json-1.0")], constant).into_response() }
    };
    let router = Router::new().route("/", post(answer));
    loop {
        // As in the emulator: small packets are not held back.
        if let Ok((stream, _)) = listener.accept().await
            && stream.set_nodelay(true).is_ok()
        {
            tokio::spawn(connection(stream, router.clone()));
        }
    }
}

async fn connection(stream: TcpStream, router: Router) {
    let mut protocols = Builder::new(TokioExecutor::new());
    protocols.http1().timer(TokioTimer::new());
    let service = TowerToHyperService::new(router);
    // A client that goes away in the midst is the client's affair.
    let _ = protocols
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// The constants.
#[derive(Debug, Clone)]
struct Answers {
    sent: Bytes,
    received: Bytes,
    url: Bytes,
}

impl Answers {
    fn to(&self, headers: &HeaderMap) -> Bytes {
        let target = headers.get("x-amz-target").map(|target| target.as_bytes());
        match target.unwrap_or_default() {
            b"AmazonSQS.SendMessage" => self.sent.clone(),
            b"AmazonSQS.ReceiveMessage" => self.received.clone(),
            b"AmazonSQS.CreateQueue" => self.url.clone(),
            _ => Bytes::from_static(b"{}"),
        }
    }
}
