//! What only the holder of a running emulator's token may ask of its console.

use std::io::{Error, ErrorKind, Result};
use std::net::SocketAddr;

use mq_emulator::Token;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// No answer of the console to such a request is longer.
const ANSWER_BYTES_MAX: u64 = 4096;

/// What the console said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// HTTP's.
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// One request with the token, on a connection of its own. It waits as long as the console does.
pub(crate) async fn post(
    console: SocketAddr,
    path: &str,
    token: &Token,
    body: &str,
) -> Result<Answer> {
    let mut stream = TcpStream::connect(console).await?;
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {console}\r\n{}: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        Token::HEADER,
        token.expose(),
        body.len()
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream
        .take(ANSWER_BYTES_MAX)
        .read_to_end(&mut answer)
        .await?;
    parse(&String::from_utf8_lossy(&answer))
        .ok_or_else(|| Error::new(ErrorKind::InvalidData, "it does not speak HTTP"))
}

fn parse(text: &str) -> Option<Answer> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    Some(Answer {
        status: head.split(' ').nth(1)?.parse().ok()?,
        body: body.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_a_status_and_a_body() {
        let answer = parse("HTTP/1.1 409 Conflict\r\ncontent-length: 2\r\n\r\n{}");
        let body = "{}".to_owned();
        assert_eq!(answer, Some(Answer { status: 409, body }));
        for garbage in [
            "",
            "HTTP/1.1 200 OK\r\n",
            "220 mail\r\n\r\n",
            "SSH-2.0\r\n\r\n",
        ] {
            assert_eq!(parse(garbage), None, "{garbage:?}");
        }
    }
}
