//! A request of the administration API, taken apart.

use axum::body::Bytes;
use axum::http::{HeaderMap, Method, Uri, header};
use percent_encoding::percent_decode_str;
use url::form_urlencoded;

use super::Scheme;
use super::error::ServiceError;
use super::write::{ATOM, SERVICE_BUS};
use super::xml::{self, Element};

/// The API versions that there are; an omitted one is the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ApiVersion {
    V2017_04,
    V2021_05,
    V2024_05,
}

impl ApiVersion {
    fn of(text: Option<&str>) -> Option<Self> {
        match text {
            None | Some("2017-04") => Some(ApiVersion::V2017_04),
            Some("2021-05") => Some(ApiVersion::V2021_05),
            Some("2024-05") => Some(ApiVersion::V2024_05),
            Some(_) => None,
        }
    }
}

pub(super) struct Request {
    pub(super) method: Method,
    /// `https` or `http`, and the host that the client has asked.
    origin: String,
    pub(super) authority: String,
    /// Decoded, without slashes around it.
    pub(super) path: String,
    query: Vec<(String, String)>,
    pub(super) headers: HeaderMap,
    body: Bytes,
}

impl Request {
    pub(super) fn new(
        scheme: Scheme,
        method: Method,
        uri: &Uri,
        headers: HeaderMap,
        body: Bytes,
    ) -> Self {
        let authority = authority(uri, &headers);
        let query = uri.query().unwrap_or_default().as_bytes();
        Request {
            method,
            origin: format!("{}://{authority}", scheme.name()),
            authority,
            path: percent_decode_str(uri.path())
                .decode_utf8_lossy()
                .trim_matches('/')
                .to_owned(),
            query: form_urlencoded::parse(query).into_owned().collect(),
            headers,
            body,
        }
    }

    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let mut found = self
            .query
            .iter()
            .filter(|(other, _)| other.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.as_str())
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(super) fn version(&self) -> Result<ApiVersion, ServiceError> {
        ApiVersion::of(self.parameter("api-version"))
            .ok_or_else(|| ServiceError::bad_request("The specified api-version is not supported."))
    }

    /// The address of another path of this namespace, with this request's version.
    pub(super) fn address(&self, path: &str) -> String {
        match self.parameter("api-version") {
            Some(version) => format!("{}/{path}?api-version={version}", self.origin),
            None => format!("{}/{path}", self.origin),
        }
    }

    pub(super) fn count(&self, name: &str, default: usize) -> Result<usize, ServiceError> {
        self.parameter(name)
            .map_or(Ok(default), str::parse)
            .map_err(|_| ServiceError::plain_bad_request())
    }

    /// The `QueueDescription` of the body.
    ///
    /// # Errors
    /// 400/40000 for what is none, 501 for a topic's.
    pub(super) fn description(&self) -> Result<Element, ServiceError> {
        let entry = xml::parse(&self.body)
            .map_err(|error| ServiceError::bad_request(&format!("Bad Request: {error}.")))?;
        if !entry.is(ATOM, "entry") {
            return Err(ServiceError::plain_bad_request());
        }
        let content = entry
            .children
            .into_iter()
            .find(|child| child.is(ATOM, "content"));
        let described = content.and_then(|content| content.children.into_iter().next());
        let described = described.filter(|element| element.namespace == SERVICE_BUS);
        match described {
            Some(element) if element.name == "QueueDescription" => Ok(element),
            Some(element) if element.name == "TopicDescription" => {
                Err(ServiceError::not_implemented("topics"))
            }
            _ => Err(ServiceError::plain_bad_request()),
        }
    }
}

/// The host that the client has asked, as it named it.
pub(super) fn authority(uri: &Uri, headers: &HeaderMap) -> String {
    let header = || {
        headers
            .get(header::HOST)
            .and_then(|host| host.to_str().ok())
    };
    uri.authority()
        .map(http::uri::Authority::as_str)
        .or_else(header)
        .unwrap_or("localhost")
        .to_owned()
}
