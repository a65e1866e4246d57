//! A proxy that answers nothing and remembers who asked.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

/// Everything that a browser asks of the network comes here.
pub(crate) struct Silence {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Silence {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let to = Arc::clone(&asked);
        // It ends with the process.
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let first = refuse(connection);
                to.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(first);
            }
        });
        Silence { port, asked }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The first line of each request so far.
    pub(crate) fn asked(&self) -> Vec<String> {
        let asked = self.asked.lock();
        asked.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The first line of the request. A connection without one counts too.
fn refuse(mut connection: TcpStream) -> String {
    let mut line = String::new();
    let mut reader = BufReader::new(&connection);
    if reader.read_line(&mut line).is_err() || line.is_empty() {
        line.push_str("a connection");
    }
    // The browser may have gone away, which is as well.
    drop(
        connection.write_all(
            b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        ),
    );
    line.trim_end().to_owned()
}
