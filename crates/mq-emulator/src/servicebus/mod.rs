//! Azure Service Bus: the administration API over Atom documents.
//!
//! `serve` brings a request and `request` takes it apart; `auth` looks at the token, `xml` reads
//! the body, `properties` picks what the service would take from it, `queue` is the description
//! with its defaults, `check` refuses what the service refuses, `admin` does it on the engine,
//! `answer` and `write` say what came of it.

mod admin;
mod answer;
mod auth;
mod check;
mod duration;
mod error;
mod ledger;
mod properties;
mod queue;
mod request;
mod rules;
mod serve;
mod tier;
pub(crate) mod tls;
mod write;
mod xml;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::http::request::Parts;
use axum::response::Response;
use mq_engine::Timestamp;

use crate::shared::Shared;

pub(crate) use ledger::LEDGER;
pub(crate) use serve::serve_admin;

/// What a namespace is called.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The namespace's name.
    pub(crate) namespace: String,
    /// The one shared access rule whose tokens are taken.
    pub(crate) key_name: String,
}

impl Settings {
    /// The rule that every real namespace has.
    pub(crate) const KEY_NAME: &'static str = "RootManageSharedAccessKey";

    /// A namespace of that name with the usual rule.
    pub(crate) fn new(namespace: impl Into<String>) -> Self {
        Settings {
            namespace: namespace.into(),
            key_name: Settings::KEY_NAME.to_owned(),
        }
    }
}

/// An extension of requests: how they came in. Without it, by plain HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Http,
    Https,
}

impl Scheme {
    fn name(self) -> &'static str {
        match self {
            Scheme::Http => "http",
            Scheme::Https => "https",
        }
    }
}

/// The administration API without the guard, the quirks and the sockets.
pub(crate) fn router(shared: Arc<Shared>, settings: Settings) -> Router {
    admin::router(shared, settings)
}

/// The service's own 500 for a request whose work went wrong.
pub(crate) fn internal_error(head: &Parts, now: Timestamp) -> Response {
    admin::internal_error(head, now)
}
