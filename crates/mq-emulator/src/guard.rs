//! What stands before every front-end: who may call, and how much one request may bring.
//!
//! A page in a browser can send requests to loopback: plainly (a form post needs no permission),
//! or under a name of its own that it lets point to 127.0.0.1 (DNS rebinding). The first kind
//! carries an `Origin`, a `Referer` or `Sec-Fetch-Site`; the second carries the foreign name as
//! host. Both are refused before any front-end sees them.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::TryStreamExt;
use http::uri::Authority;
use http::{HeaderMap, StatusCode, Uri, header};
use http_body_util::{BodyExt, Limited};
use mq_engine::Service;

use crate::shared::Shared;

/// How long a client may take to send one request's body, or one part of a streamed one.
pub(crate) const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// The header by which the emulator's own readiness probes are known.
pub(crate) const PROBE_HEADER: &str = "x-mq-emulator-probe";

/// An extension of requests that are the emulator's own readiness probes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Probe;

/// By which names the emulator lets itself be called, beside loopback's.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hosts {
    /// Any address literal: when remote clients are allowed. A literal cannot be rebound.
    pub(crate) any_address: bool,
    /// Further names, such as that of a container.
    pub(crate) names: Vec<String>,
}

/// How a request's body reaches the front-end.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Reading {
    /// Read whole before the front-end is called.
    Whole,
    /// Part by part, for calls that stay open.
    Streamed,
}

/// The limits of one front-end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// The longest body, in bytes.
    pub(crate) body_bytes_max: usize,
    /// Whether the body is read at once.
    pub(crate) reading: Reading,
    /// How long the body, or with [`Reading::Streamed`] one part of it, may take.
    pub(crate) body_timeout: Duration,
    /// The path of a call whose body has no end: there the front-end bounds each part and the
    /// silence between two.
    pub(crate) endless: Option<&'static str>,
}

impl Limits {
    /// Whole bodies of at most so many bytes.
    pub(crate) const fn whole(body_bytes_max: usize) -> Self {
        Limits {
            body_bytes_max,
            reading: Reading::Whole,
            body_timeout: BODY_TIMEOUT,
            endless: None,
        }
    }

    /// Streamed bodies of at most so many bytes.
    pub(crate) const fn streamed(body_bytes_max: usize) -> Self {
        Limits {
            body_bytes_max,
            reading: Reading::Streamed,
            body_timeout: BODY_TIMEOUT,
            endless: None,
        }
    }
}

#[derive(Clone)]
struct Guard {
    shared: Arc<Shared>,
    service: Option<Service>,
    limits: Limits,
}

/// The router behind the guard. Requests are counted for `service`, the console's (`None`) are not.
pub(crate) fn protect(
    router: Router,
    shared: &Arc<Shared>,
    service: Option<Service>,
    limits: Limits,
) -> Router {
    let guard = Guard {
        shared: Arc::clone(shared),
        service,
        limits,
    };
    router.layer(middleware::from_fn_with_state(guard, admit))
}

async fn admit(State(guard): State<Guard>, mut request: Request, next: Next) -> Response {
    if let Err(refusal) = guard.shared.hosts.check(request.uri(), request.headers()) {
        return refusal.into_response();
    }
    let token = request
        .headers()
        .get(PROBE_HEADER)
        .map(http::HeaderValue::as_bytes);
    if token == Some(guard.shared.probe_token.as_bytes()) {
        request.extensions_mut().insert(Probe);
    } else if let Some(service) = guard.service {
        guard.shared.count(service);
    }
    match guard.limits.apply(request).await {
        Ok(request) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

/// Why a request got no further than the guard.
#[derive(Debug, PartialEq, Eq)]
struct Refusal {
    status: StatusCode,
    why: String,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, format!("mq emulator: {}\n", self.why)).into_response()
    }
}

fn forbidden(why: String) -> Refusal {
    Refusal {
        status: StatusCode::FORBIDDEN,
        why,
    }
}

impl Hosts {
    fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Refusal> {
        self.check_host(uri, headers)?;
        for name in [header::ORIGIN, header::REFERER] {
            for value in headers.get_all(&name) {
                let host = value
                    .to_str()
                    .ok()
                    .and_then(|text| url::Url::parse(text).ok());
                if !host.is_some_and(|url| url.host_str().is_some_and(|host| self.knows(host))) {
                    return Err(forbidden(format!(
                        "refused, since the request comes from a web page of another origin ({name}: {value:?})"
                    )));
                }
            }
        }
        if headers
            .get_all("sec-fetch-site")
            .iter()
            .any(|site| site == "cross-site")
        {
            return Err(forbidden(
                "refused, since the request comes from a web page of another site (Sec-Fetch-Site: cross-site)".to_owned(),
            ));
        }
        Ok(())
    }

    fn check_host(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Refusal> {
        let from_headers: Vec<_> = headers.get_all(header::HOST).iter().collect();
        if from_headers.len() > 1 || (from_headers.is_empty() && uri.authority().is_none()) {
            return Err(forbidden(
                "refused, since the request does not name one host".to_owned(),
            ));
        }
        let header = from_headers.first().map(|value| {
            value
                .to_str()
                .ok()
                .and_then(|text| text.parse::<Authority>().ok())
                .ok_or(*value)
        });
        let authorities = header.into_iter().chain(uri.authority().cloned().map(Ok));
        for authority in authorities {
            match authority {
                Ok(authority) if self.knows(authority.host()) => {}
                Ok(authority) => return Err(foreign_host(authority.host())),
                Err(value) => return Err(foreign_host(&String::from_utf8_lossy(value.as_bytes()))),
            }
        }
        Ok(())
    }

    fn knows(&self, host: &str) -> bool {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = host.parse::<IpAddr>() {
            return address.is_loopback() || self.any_address;
        }
        let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        name == "localhost"
            || name.ends_with(".localhost")
            || self
                .names
                .iter()
                .any(|allowed| allowed.eq_ignore_ascii_case(&name))
    }
}

fn foreign_host(host: &str) -> Refusal {
    forbidden(format!(
        "refused, since the request is for the host {host:?}: this emulator answers to loopback names only, unless it was told another"
    ))
}

impl Limits {
    async fn apply(self, request: Request) -> Result<Request, Refusal> {
        let (head, body) = request.into_parts();
        if declared_length(&head.headers).is_some_and(|length| length > self.body_bytes_max as u64)
        {
            return Err(self.too_large());
        }
        if self.endless == Some(head.uri.path()) {
            return Ok(Request::from_parts(head, body));
        }
        let body = match self.reading {
            Reading::Whole => Body::from(self.read(body).await?),
            Reading::Streamed => self.stream(body),
        };
        Ok(Request::from_parts(head, body))
    }

    async fn read(self, body: Body) -> Result<Bytes, Refusal> {
        let whole = Limited::new(body, self.body_bytes_max).collect();
        match tokio::time::timeout(self.body_timeout, whole).await {
            Ok(Ok(collected)) => Ok(collected.to_bytes()),
            Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
                Err(self.too_large())
            }
            Ok(Err(_)) => Err(Refusal {
                status: StatusCode::BAD_REQUEST,
                why: "the request's body ended before its end".to_owned(),
            }),
            Err(_) => Err(Refusal {
                status: StatusCode::REQUEST_TIMEOUT,
                why: format!(
                    "the request's body did not come within {:?}",
                    self.body_timeout
                ),
            }),
        }
    }

    fn stream(self, body: Body) -> Body {
        let limited = Limited::new(body, self.body_bytes_max).into_data_stream();
        let parts = futures::stream::try_unfold(limited, move |mut parts| async move {
            match tokio::time::timeout(self.body_timeout, parts.try_next()).await {
                Ok(part) => part.map(|part| part.map(|bytes| (bytes, parts))),
                Err(elapsed) => Err(elapsed.into()),
            }
        });
        Body::from_stream(parts)
    }

    fn too_large(self) -> Refusal {
        Refusal {
            status: StatusCode::PAYLOAD_TOO_LARGE,
            why: format!(
                "the request's body is longer than {} bytes",
                self.body_bytes_max
            ),
        }
    }
}

fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(hosts: &Hosts, uri: &str, headers: &[(&str, &str)]) -> Result<(), StatusCode> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name = header::HeaderName::from_bytes(name.as_bytes()).unwrap();
            map.append(name, value.parse().unwrap());
        }
        hosts
            .check(&uri.parse().unwrap(), &map)
            .map_err(|refusal| refusal.status)
    }

    #[test]
    fn loopback_names_are_known_and_others_are_not() {
        let hosts = Hosts::default();
        for good in [
            "localhost",
            "localhost:1",
            "LOCALHOST:9324",
            "localhost.",
            "sqs.eu-west-1.localhost:80",
            "127.0.0.1",
            "127.8.9.10:5",
            "[::1]",
            "[::1]:9324",
        ] {
            assert_eq!(check(&hosts, "/", &[("host", good)]), Ok(()), "{good}");
        }
        for bad in [
            "",
            "evil.example",
            "evil.example:9324",
            "localhost.evil.example",
            "notlocalhost",
            "127.0.0.1.evil.example",
            "10.0.0.1",
            "[2001:db8::1]",
            "localhost evil",
            "a@b@c",
            "0.0.0.0",
        ] {
            assert_eq!(
                check(&hosts, "/", &[("host", bad)]),
                Err(StatusCode::FORBIDDEN),
                "{bad}"
            );
        }
        assert!(check(&hosts, "/", &[]).is_err(), "no host at all");
        assert!(check(&hosts, "/", &[("host", "localhost"), ("host", "localhost")]).is_err());
    }

    /// HTTP/2 has the host in `:authority`, and may have a `Host` beside it: both must be known.
    #[test]
    fn the_authority_counts_as_the_host() {
        let hosts = Hosts::default();
        assert_eq!(check(&hosts, "http://localhost:8085/x", &[]), Ok(()));
        assert!(check(&hosts, "http://evil.example/x", &[]).is_err());
        assert!(check(&hosts, "http://localhost/x", &[("host", "evil.example")]).is_err());
        assert!(check(&hosts, "http://evil.example/x", &[("host", "localhost")]).is_err());
    }

    #[test]
    fn remote_access_knows_addresses_and_told_names() {
        let hosts = Hosts {
            any_address: true,
            names: vec!["emulator".to_owned()],
        };
        for good in [
            "192.168.1.7:9324",
            "[2001:db8::1]:1",
            "emulator:9324",
            "Emulator",
        ] {
            assert_eq!(check(&hosts, "/", &[("host", good)]), Ok(()), "{good}");
        }
        assert!(check(&hosts, "/", &[("host", "evil.example")]).is_err());
    }

    #[test]
    fn pages_of_other_origins_are_refused() {
        let hosts = Hosts::default();
        let with = |name, value| check(&hosts, "/", &[("host", "localhost"), (name, value)]);
        for (name, good) in [
            ("origin", "http://localhost:3000"),
            ("referer", "http://127.0.0.1:9325/queues"),
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-site", "none"),
        ] {
            assert_eq!(with(name, good), Ok(()), "{name}: {good}");
        }
        for (name, bad) in [
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("origin", ""),
            ("origin", "http://localhost.evil.example"),
            ("referer", "https://evil.example/page"),
            ("referer", "about:blank"),
            ("sec-fetch-site", "cross-site"),
        ] {
            assert_eq!(with(name, bad), Err(StatusCode::FORBIDDEN), "{name}: {bad}");
        }
        assert!(
            check(
                &hosts,
                "/",
                &[
                    ("host", "localhost"),
                    ("origin", "http://localhost"),
                    ("origin", "https://evil.example"),
                ]
            )
            .is_err()
        );
    }
}
