//! The few calls of SQS that the load is made of, in its JSON protocol.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::{Request, StatusCode};
use tokio::task::JoinSet;

use super::closed_loop::Client;
use super::connection::Connection;

/// A message's body.
pub(crate) const BODY_BYTES: usize = 1024;
/// The most that a batch may have.
const BATCH_MAX: usize = 10;
/// Connections that fill a queue.
const FILLERS: usize = 10;
/// Emulators find the service and the region in it; none of these checks the signature.
const CREDENTIALS: &str = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/sqs/aws4_request, \
     SignedHeaders=host;x-amz-date, \
     Signature=0000000000000000000000000000000000000000000000000000000000000000";

/// A client of one connection.
#[derive(Debug)]
pub(crate) struct SqsClient {
    connection: Connection,
}

impl SqsClient {
    /// Not connected yet.
    pub(crate) fn new(address: SocketAddr) -> Result<Self, String> {
        let connection = Connection::new(address)?;
        Ok(SqsClient { connection })
    }

    /// Calls an action.
    async fn call(&mut self, action: Action, body: Bytes) -> Result<Bytes, String> {
        let mut request = Request::post("/").body(Full::new(body)).unwrap();
        headers(request.headers_mut(), action);
        let (status, answer) = self.connection.call(request).await?;
        if status == StatusCode::OK {
            return Ok(answer);
        }
        let text = String::from_utf8_lossy(&answer);
        let text: String = text.chars().take(120).collect();
        Err(format!("{}: {status}: {text}", action.0))
    }

    /// Opens the connection with one call.
    pub(crate) async fn open(&mut self) -> Result<(), String> {
        self.call(LIST_QUEUES, Bytes::from_static(b"{}"))
            .await
            .map(drop)
    }

    /// Makes a queue and says its URL.
    pub(crate) async fn create(&mut self, name: &str) -> Result<String, String> {
        let body = format!("{{\"QueueName\":\"{name}\"}}");
        let answer = self.call(CREATE_QUEUE, body.into()).await?;
        member(&answer, "QueueUrl").ok_or_else(|| "CreateQueue: no URL".to_owned())
    }

    /// Deletes a queue with all that is in it.
    pub(crate) async fn delete_queue(&mut self, url: &str) -> Result<(), String> {
        let body = format!("{{\"QueueUrl\":\"{url}\"}}");
        self.call(DELETE_QUEUE, body.into()).await.map(drop)
    }
}

/// An action's target.
#[derive(Debug, Clone, Copy)]
struct Action(&'static str);

const LIST_QUEUES: Action = Action("AmazonSQS.ListQueues");
const CREATE_QUEUE: Action = Action("AmazonSQS.CreateQueue");
const DELETE_QUEUE: Action = Action("AmazonSQS.DeleteQueue");
const SEND: Action = Action("AmazonSQS.SendMessage");
const SEND_BATCH: Action = Action("AmazonSQS.SendMessageBatch");
const RECEIVE: Action = Action("AmazonSQS.ReceiveMessage");
const DELETE: Action = Action("AmazonSQS.DeleteMessage");

fn headers(headers: &mut HeaderMap, action: Action) {
    let json = HeaderValue::from_static("application/x-amz-json-1.0");
    headers.insert(CONTENT_TYPE, json);
    headers.insert("x-amz-target", HeaderValue::from_static(action.0));
    headers.insert("x-amz-date", HeaderValue::from_static("20260101T000000Z"));
    headers.insert(AUTHORIZATION, HeaderValue::from_static(CREDENTIALS));
}

/// The first string member of that name, without parsing the document: that would cost the client
/// as much as the server. URLs and receipts have nothing to unescape.
fn member(document: &[u8], name: &str) -> Option<String> {
    let text = std::str::from_utf8(document).ok()?;
    let (_, rest) = text.split_once(&format!("\"{name}\""))?;
    let rest = rest.trim_start().strip_prefix(':')?.trim_start();
    let (value, _) = rest.strip_prefix('"')?.split_once('"')?;
    (!value.contains('\\')).then(|| value.to_owned())
}

/// Whether a server answers at all.
pub(crate) async fn answers(address: SocketAddr) -> bool {
    let Ok(mut client) = SqsClient::new(address) else {
        return false;
    };
    client.open().await.is_ok()
}

/// SendMessage, again and again.
#[derive(Debug)]
pub(crate) struct Sending {
    client: SqsClient,
    body: Bytes,
}

impl Sending {
    /// Into the queue of that URL.
    pub(crate) fn new(client: SqsClient, url: &str) -> Self {
        Sending {
            client,
            body: send_body(url),
        }
    }
}

fn send_body(url: &str) -> Bytes {
    let text = "x".repeat(BODY_BYTES);
    format!("{{\"QueueUrl\":\"{url}\",\"MessageBody\":\"{text}\"}}").into()
}

impl Client for Sending {
    async fn operate(&mut self) -> Result<(), String> {
        self.client.call(SEND, self.body.clone()).await.map(drop)
    }

    fn opened(&self) -> u64 {
        self.client.connection.opened
    }
}

/// SendMessageBatch of ten, again and again: it fills queues.
#[derive(Debug)]
struct Filling {
    client: SqsClient,
    body: Bytes,
}

impl Filling {
    fn new(client: SqsClient, url: &str) -> Self {
        let text = "x".repeat(BODY_BYTES);
        let mut body = format!("{{\"QueueUrl\":\"{url}\",\"Entries\":[");
        for index in 0..BATCH_MAX {
            let comma = if index == 0 { "" } else { "," };
            let _ = write!(
                body,
                "{comma}{{\"Id\":\"{index}\",\"MessageBody\":\"{text}\"}}"
            );
        }
        body.push_str("]}");
        Filling {
            client,
            body: body.into(),
        }
    }

    /// One batch.
    async fn send(&mut self) -> Result<(), String> {
        let answer = self.client.call(SEND_BATCH, self.body.clone()).await?;
        let sent = answer
            .windows(11)
            .filter(|at| *at == b"\"MessageId\"")
            .count();
        if sent == BATCH_MAX {
            return Ok(());
        }
        Err(format!("SendMessageBatch took {sent} of {BATCH_MAX}"))
    }
}

/// SendMessage, ReceiveMessage and DeleteMessage, again and again. With every client of a queue
/// doing the same, no receive finds it empty: whoever receives has sent one more than it received.
#[derive(Debug)]
pub(crate) struct Cycling {
    client: SqsClient,
    url: String,
    send: Bytes,
    receive: Bytes,
}

impl Cycling {
    /// On the queue of that URL.
    pub(crate) fn new(client: SqsClient, url: &str) -> Self {
        Cycling {
            client,
            url: url.to_owned(),
            send: send_body(url),
            receive: format!("{{\"QueueUrl\":\"{url}\",\"MaxNumberOfMessages\":1}}").into(),
        }
    }
}

impl Client for Cycling {
    async fn operate(&mut self) -> Result<(), String> {
        self.client.call(SEND, self.send.clone()).await?;
        let received = self.client.call(RECEIVE, self.receive.clone()).await?;
        let receipt = member(&received, "ReceiptHandle")
            .ok_or_else(|| "ReceiveMessage: nothing, though a message must be there".to_owned())?;
        let url = &self.url;
        let delete = format!("{{\"QueueUrl\":\"{url}\",\"ReceiptHandle\":\"{receipt}\"}}");
        self.client.call(DELETE, delete.into()).await.map(drop)
    }

    fn opened(&self) -> u64 {
        self.client.connection.opened
    }
}

/// Clients of a connection each, as `make` makes them of bare ones.
pub(crate) fn many<C>(
    address: SocketAddr,
    connections: usize,
    make: impl Fn(SqsClient) -> C,
) -> Result<Vec<C>, String> {
    (0..connections)
        .map(|_| Ok(make(SqsClient::new(address)?)))
        .collect()
}

/// Fills the queue of that URL with so many messages, rounded up to batches, or as many as it
/// takes `within` that time: how many it took.
pub(crate) async fn fill(
    address: SocketAddr,
    url: &str,
    messages: u64,
    within: Duration,
) -> Result<u64, String> {
    let deadline = Instant::now() + within;
    let fillers = many(address, FILLERS, |client| Filling::new(client, url))?;
    let batches = messages.div_ceil(BATCH_MAX as u64);
    let left = Arc::new(AtomicU64::new(batches));
    let mut tasks = JoinSet::new();
    for mut filler in fillers {
        let left = Arc::clone(&left);
        let take = |left: u64| left.checked_sub(1);
        tasks.spawn(async move {
            let mut sent = 0;
            while Instant::now() < deadline && left.fetch_update(Relaxed, Relaxed, take).is_ok() {
                filler.send().await?;
                sent += BATCH_MAX as u64;
            }
            Ok::<u64, String>(sent)
        });
    }
    let mut sent = 0;
    while let Some(ended) = tasks.join_next().await {
        sent += ended.unwrap()?;
    }
    Ok(sent)
}
