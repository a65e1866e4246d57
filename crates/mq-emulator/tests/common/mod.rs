//! An emulator on free ports, and HTTP spoken by hand.

use std::net::SocketAddr;

use mq_emulator::{Config, Emulator, Ports, Quirks};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// One on free ports.
#[expect(
    clippy::print_stdout,
    reason = "the output of a failed test shows the seed"
)]
pub(crate) async fn started(quirks: Quirks) -> Emulator {
    let config = Config {
        ports: Ports::free(),
        quirks,
        ..Config::default()
    };
    println!("seed {}", config.seed);
    Emulator::start(config).await.expect("the emulator starts")
}

/// An answer as it came.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

/// One request on a connection of its own: its first line, headers beside the usual, its body.
pub(crate) async fn call(
    address: SocketAddr,
    line: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    let mut text = format!("{line}\r\nhost: {address}\r\nconnection: close\r\n");
    if !headers.iter().any(|(name, _)| *name == "content-length") {
        text.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    raw(address, &format!("{text}\r\n{body}")).await
}

/// These bytes, and what comes back until the connection is closed.
pub(crate) async fn raw(address: SocketAddr, text: &str) -> Answer {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream
        .write_all(text.as_bytes())
        .await
        .expect("the request is taken");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("an answer");
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").expect("an HTTP answer");
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .expect("a status");
    Answer {
        status,
        head: head.to_owned(),
        body: body.to_owned(),
    }
}
