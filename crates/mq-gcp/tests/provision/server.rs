//! A server that answers as a test says, one request for each connection.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What a client sent.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Without the query.
    pub(crate) path: String,
    /// Request line and headers, as they came.
    pub(crate) head: String,
    pub(crate) body: String,
}

/// What the server does about it.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// A status and a JSON body.
    Json(u16, String),
    /// These bytes, whatever they are.
    Bytes(Vec<u8>),
    /// The connection is cut after the request was read.
    Cut,
}

impl Answer {
    pub(crate) fn ok(body: impl ToString) -> Self {
        Answer::Json(200, body.to_string())
    }

    /// An error document as Google writes it.
    pub(crate) fn error(code: u16, status: &str) -> Self {
        let body = serde_json::json!({"error": {"code": code, "status": status, "message": "no"}});
        Answer::Json(code, body.to_string())
    }
}

/// A server on loopback that lives as long as the test's runtime; remembers every request.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    pub(crate) async fn start(answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, answer) = (Arc::clone(&requests), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                tokio::spawn(async move {
                    // A client that goes away is no concern of the server's.
                    let _ = serve(stream, &seen, &*answer).await;
                });
            }
        });
        Server { address, requests }
    }

    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

async fn serve(
    mut stream: TcpStream,
    seen: &Mutex<Vec<Request>>,
    answer: &(dyn Fn(&Request) -> Answer + Send + Sync),
) -> std::io::Result<()> {
    let Some(request) = read(&mut stream).await? else {
        return Ok(());
    };
    seen.lock().unwrap().push(request.clone());
    let bytes = match answer(&request) {
        Answer::Json(code, body) => format!(
            "HTTP/1.1 {code} Said\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        )
        .into_bytes(),
        Answer::Bytes(bytes) => bytes,
        Answer::Cut => return Ok(()),
    };
    stream.write_all(&bytes).await?;
    stream.shutdown().await
}

async fn read(stream: &mut TcpStream) -> std::io::Result<Option<Request>> {
    let mut bytes = Vec::new();
    loop {
        if let Some(request) = parse(&bytes) {
            return Ok(Some(request));
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
    }
}

/// The request, once the whole of it is there.
fn parse(bytes: &[u8]) -> Option<Request> {
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let length: usize = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse().ok())
        .unwrap_or(0);
    if body.len() < length {
        return None;
    }
    let mut line = head.lines().next()?.split(' ');
    let method = line.next()?.to_owned();
    let path = line.next()?.split('?').next()?.to_owned();
    Some(Request {
        method,
        path,
        head: head.to_owned(),
        body: body.to_owned(),
    })
}
