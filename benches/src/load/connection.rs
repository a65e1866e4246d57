//! One keep-alive connection of HTTP/1.1, as bare as hyper has it, so that the client costs little.

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{CONNECTION, HOST, HeaderValue};
use hyper::{Request, StatusCode, Version};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// A connection that is made when it is needed, and again when the server has closed it.
#[derive(Debug)]
pub(crate) struct Connection {
    address: SocketAddr,
    host: HeaderValue,
    sender: Option<SendRequest<Full<Bytes>>>,
    /// How often it was made.
    pub(crate) opened: u64,
}

impl Connection {
    /// Not connected yet.
    pub(crate) fn new(address: SocketAddr) -> Result<Self, String> {
        let host =
            HeaderValue::from_str(&address.to_string()).map_err(|error| error.to_string())?;
        Ok(Connection {
            address,
            host,
            sender: None,
            opened: 0,
        })
    }

    /// Sends a request and takes the whole answer.
    pub(crate) async fn call(
        &mut self,
        mut request: Request<Full<Bytes>>,
    ) -> Result<(StatusCode, Bytes), String> {
        request.headers_mut().insert(HOST, self.host.clone());
        let mut sender = self.sender().await?;
        let answer = sender
            .send_request(request)
            .await
            .map_err(|error| error.to_string())?;
        let closes = answer.version() == Version::HTTP_10
            || answer
                .headers()
                .get(CONNECTION)
                .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"close"));
        let status = answer.status();
        let body = answer
            .into_body()
            .collect()
            .await
            .map_err(|error| error.to_string())?
            .to_bytes();
        if !closes {
            self.sender = Some(sender);
        }
        Ok((status, body))
    }

    /// The open connection, or a new one. It is given back only after a whole answer.
    async fn sender(&mut self) -> Result<SendRequest<Full<Bytes>>, String> {
        if let Some(mut sender) = self.sender.take()
            && sender.ready().await.is_ok()
        {
            return Ok(sender);
        }
        let stream = TcpStream::connect(self.address)
            .await
            .map_err(|error| format!("cannot connect: {error}"))?;
        stream
            .set_nodelay(true)
            .map_err(|error| error.to_string())?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| error.to_string())?;
        tokio::spawn(connection);
        self.opened += 1;
        Ok(sender)
    }
}
