//! How a subscription with exactly-once delivery tells which ack IDs did nothing.
//!
//! <https://cloud.google.com/pubsub/docs/exactly-once-delivery>: the reasons are the metadata of
//! a `google.rpc.ErrorInfo`, under the ack IDs.

use std::collections::HashMap;

use prost::Message;
use prost_types::Any;
use tonic::{Code, Status};

/// The reason of an ack ID that is malformed, expired or superseded, and the beginning that tells
/// clients not to try again.
const INVALID_ACK_ID: &str = "PERMANENT_FAILURE_INVALID_ACK_ID";
/// The reason of the refusal as a whole.
const REASON: &str = "EXACTLY_ONCE_ACKID_FAILURE";

/// `google.rpc.ErrorInfo`
#[derive(Clone, PartialEq, Message)]
struct ErrorInfo {
    #[prost(string, tag = "1")]
    reason: String,
    #[prost(string, tag = "2")]
    domain: String,
    #[prost(map = "string, string", tag = "3")]
    metadata: HashMap<String, String>,
}

/// `google.rpc.Status`
#[derive(Clone, PartialEq, Message)]
struct RpcStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

/// The refusal of a request with these ack IDs, if there are some. The others are settled.
pub(super) fn refusal(invalid: &[String]) -> Option<Status> {
    if invalid.is_empty() {
        return None;
    }
    let code = Code::InvalidArgument;
    let message = "Some ack IDs are malformed or their deadline has expired.";
    let info = ErrorInfo {
        reason: REASON.to_owned(),
        domain: "pubsub.googleapis.com".to_owned(),
        metadata: invalid
            .iter()
            .map(|ack_id| (ack_id.clone(), INVALID_ACK_ID.to_owned()))
            .collect(),
    };
    let status = RpcStatus {
        code: code.into(),
        message: message.to_owned(),
        details: vec![Any {
            type_url: "type.googleapis.com/google.rpc.ErrorInfo".to_owned(),
            value: info.encode_to_vec(),
        }],
    };
    let details = status.encode_to_vec().into();
    Some(Status::with_details(code, message, details))
}

/// The error details of a status in the form that REST shows.
pub(super) fn details(status: &Status) -> Vec<serde_json::Value> {
    let Ok(decoded) = RpcStatus::decode(status.details()) else {
        return Vec::new();
    };
    let infos = decoded.details.iter().filter_map(|detail| {
        let info = ErrorInfo::decode(detail.value.as_slice()).ok()?;
        Some(serde_json::json!({
            "@type": detail.type_url,
            "reason": info.reason,
            "domain": info.domain,
            "metadata": info.metadata,
        }))
    });
    infos.collect()
}
