//! Where a request comes to, and the names that follow from that.

use http::{HeaderMap, header};
use mq_engine::{Engine, Entity, EntityId, EntityKind, Service, Timestamp};

use super::error::{Code, SqsError};
use super::receipt::Secret;
use crate::shared::Shared;

/// One request's surroundings.
pub(super) struct Call<'a> {
    pub(super) shared: &'a Shared,
    pub(super) account: &'a str,
    /// The region that the request is signed for: queues of others do not exist.
    pub(super) region: String,
    /// `http://HOST` as the client wrote it.
    pub(super) base_url: String,
    pub(super) now: Timestamp,
    pub(super) secret: &'a Secret,
}

impl Call<'_> {
    pub(super) fn scope(&self) -> String {
        format!("{}/{}", self.account, self.region)
    }

    pub(super) fn id(&self, name: &str) -> EntityId {
        EntityId {
            service: Service::Sqs,
            kind: EntityKind::Queue,
            scope: self.scope(),
            name: name.to_owned(),
        }
    }

    pub(super) fn url(&self, name: &str) -> String {
        format!("{}/{}/{name}", self.base_url, self.account)
    }

    pub(super) fn arn(&self, name: &str) -> String {
        format!("arn:aws:sqs:{}:{}:{name}", self.region, self.account)
    }

    /// The queue that an ARN names, if it is one of this account and region.
    pub(super) fn id_of_arn(&self, arn: &str) -> Option<EntityId> {
        let name = arn.strip_prefix(&self.arn(""))?;
        (!name.is_empty()).then(|| self.id(name))
    }

    /// The queue that a URL names: its last two parts are the account and the name.
    pub(super) fn id_of_url(&self, url: &str) -> Result<EntityId, SqsError> {
        let path = url.split_once("://").map_or(url, |(_, rest)| {
            rest.split_once('/').map_or("", |(_, path)| path)
        });
        let (account, name) = path
            .trim_start_matches('/')
            .split_once('/')
            .filter(|(account, name)| {
                !account.is_empty() && !name.is_empty() && !name.contains('/')
            })
            .ok_or_else(|| {
                SqsError::new(
                    Code::InvalidAddress,
                    format!("The address {url} is not valid for this endpoint."),
                )
            })?;
        if account != self.account {
            return Err(SqsError::no_queue());
        }
        Ok(self.id(name))
    }

    /// The queue itself, as the engine holds it.
    pub(super) fn find<'e>(&self, engine: &'e Engine, url: &str) -> Result<&'e Entity, SqsError> {
        engine
            .get(&self.id_of_url(url)?)
            .ok_or_else(SqsError::no_queue)
    }
}

/// What a signature says about where it is meant for. The signature itself is not verified.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Credential {
    pub(super) region: String,
}

impl Credential {
    /// From the `Authorization` header of SigV4, or from the `X-Amz-Credential` of a presigned
    /// URL. `None` for a request that is not signed.
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html>
    pub(super) fn of(
        headers: &HeaderMap,
        presigned: Option<&str>,
    ) -> Result<Option<Self>, SqsError> {
        let header = headers
            .get(header::AUTHORIZATION)
            .map(|value| value.to_str().unwrap_or_default());
        let credential = match (header, presigned) {
            (Some(header), _) => header
                .split([' ', ','])
                .find_map(|part| part.strip_prefix("Credential="))
                .unwrap_or_default(),
            (None, Some(credential)) => credential,
            (None, None) => return Ok(None),
        };
        let parts: Vec<&str> = credential.split('/').collect();
        match parts.as_slice() {
            [.., region, _service, "aws4_request"] if is_region(region) => Ok(Some(Credential {
                region: (*region).to_owned(),
            })),
            _ => Err(SqsError::new(
                Code::IncompleteSignature,
                "The request's credential must have the form KEY/DATE/REGION/sqs/aws4_request.",
            )),
        }
    }
}

fn is_region(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 64
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}
