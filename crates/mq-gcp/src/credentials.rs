//! Application Default Credentials, as Google's library finds them, and what their failures mean.

use std::env;
use std::path::PathBuf;

use google_cloud_auth::build_errors;
use google_cloud_auth::credentials::{self, CacheableResource, Credentials, anonymous};
use http::HeaderMap;
use mq_core::error::{Error, ErrorKind, Result};

use crate::config::Service;
use crate::error::{Call, from_credentials, garbage};

const HINT: &str = "run `gcloud auth application-default login`, or point GOOGLE_APPLICATION_CREDENTIALS at a credentials file";

/// The credentials of a target, and where they come from.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) credentials: Credentials,
    /// Whether only a metadata server can give a token, which is there on Google's machines alone.
    from_metadata: bool,
}

impl Source {
    /// Reads the credentials file where there is one; reaches no network.
    pub(crate) fn load(service: &Service) -> Result<Self> {
        match service {
            Service::Emulator(_) => Ok(Source {
                credentials: anonymous::Builder::new().build(),
                from_metadata: false,
            }),
            Service::Google(_) => Ok(Source {
                credentials: credentials::Builder::default()
                    .build()
                    .map_err(unreadable)?,
                from_metadata: !has_file(),
            }),
        }
    }

    /// What a call is sent with, once a token is there.
    pub(crate) async fn headers(&self, call: Call<'_>) -> Result<HeaderMap> {
        match self.credentials.headers(http::Extensions::new()).await {
            Ok(CacheableResource::New { data, .. }) => Ok(data),
            // Only ever answered to a caller that names a version it has.
            Ok(CacheableResource::NotModified) => Err(garbage(call)),
            Err(error) if self.from_metadata => Err(Error::new(
                ErrorKind::Unauthenticated,
                "there are no Google credentials: no credentials file is there, and no metadata server gives a token",
            )
            .with_hint(HINT)
            .with_source(error)),
            Err(error) => Err(from_credentials(error, call)),
        }
    }
}

fn unreadable(error: build_errors::Error) -> Error {
    let what = if error.is_loading() {
        "the credentials file that GOOGLE_APPLICATION_CREDENTIALS names cannot be read"
    } else {
        "the credentials file is not one that Google's library takes"
    };
    Error::new(ErrorKind::Unauthenticated, what)
        .with_hint(HINT)
        .with_source(error)
}

/// Whether Google's library finds a file, in the two places where it looks for one.
fn has_file() -> bool {
    let (home, below) = if cfg!(windows) {
        ("APPDATA", "gcloud/application_default_credentials.json")
    } else {
        (
            "HOME",
            ".config/gcloud/application_default_credentials.json",
        )
    };
    env::var_os("GOOGLE_APPLICATION_CREDENTIALS").is_some()
        || env::var_os(home).is_some_and(|home| PathBuf::from(home).join(below).exists())
}
