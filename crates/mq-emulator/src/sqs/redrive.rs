//! `RedrivePolicy` and `RedriveAllowPolicy`: JSON inside of an attribute.
//!
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html>

use std::fmt;

use mq_engine::{Engine, EntityId};
use serde_json::{Map, Value, json};

use super::attributes::Document;
use super::call::Call;
use super::error::SqsError;

const REDRIVE: &str = "RedrivePolicy";
const REDRIVE_ALLOW: &str = "RedriveAllowPolicy";
/// The source queues that one allow-policy may name.
const SOURCES_MAX: usize = 10;

/// Where the dead letters of a queue go, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Policy {
    pub(super) target_arn: String,
    pub(super) max_receive_count: u32,
}

impl Policy {
    /// `maxReceiveCount` may be a number or a string; it is stored as a number.
    pub(super) fn parse(text: &str) -> Result<Self, SqsError> {
        let bad = |reason: &str| SqsError::parameter(REDRIVE, text, reason);
        let members = object(text).ok_or_else(|| bad("Redrive policy is not a valid JSON map."))?;
        for mandatory in ["maxReceiveCount", "deadLetterTargetArn"] {
            if !members.contains_key(mandatory) {
                return Err(bad(&format!(
                    "Redrive policy does not contain mandatory attribute: {mandatory}."
                )));
            }
        }
        if members.len() > 2 {
            return Err(bad(
                "Only following attributes are supported: [deadLetterTargetArn, maxReceiveCount].",
            ));
        }
        let count = match &members["maxReceiveCount"] {
            Value::Number(number) => number.as_u64(),
            Value::String(digits) => digits.parse().ok(),
            _ => None,
        };
        let max_receive_count = count
            .and_then(|count| u32::try_from(count).ok())
            .filter(|count| (1..=1000).contains(count))
            .ok_or_else(|| {
                let given = &members["maxReceiveCount"];
                bad(&format!(
                    "Invalid value for maxReceiveCount: {}, valid values are from 1 to 1000 both inclusive.",
                    given.as_str().map_or_else(|| given.to_string(), str::to_owned)
                ))
            })?;
        let target_arn = members["deadLetterTargetArn"]
            .as_str()
            .filter(|arn| arn.starts_with("arn:"))
            .ok_or_else(|| bad("Invalid value for deadLetterTargetArn."))?;
        Ok(Policy {
            target_arn: target_arn.to_owned(),
            max_receive_count,
        })
    }

    /// The queue that is meant: it must be there, of the same kind, and must let `source` use it.
    pub(super) fn target(
        &self,
        call: &Call<'_>,
        engine: &Engine,
        source: &str,
    ) -> Result<EntityId, SqsError> {
        let text = self.to_string();
        let bad = |reason: &str| SqsError::parameter(REDRIVE, &text, reason);
        let target = call
            .id_of_arn(&self.target_arn)
            .and_then(|id| engine.get(&id))
            .ok_or_else(|| bad("Dead letter target does not exist."))?;
        if target.id.name.ends_with(".fifo") != source.ends_with(".fifo") {
            return Err(bad(
                "Dead-letter queue must be same type of queue as the source.",
            ));
        }
        let document = Document::of(target)?;
        let allow = document
            .attributes
            .get(REDRIVE_ALLOW)
            .map(|text| AllowPolicy::parse(text));
        if allow
            .transpose()?
            .is_some_and(|policy| !policy.allows(&call.arn(source)))
        {
            return Err(bad(
                "Dead-letter queue does not allow this source queue to use it.",
            ));
        }
        Ok(target.id.clone())
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let members = json!({
            "deadLetterTargetArn": self.target_arn,
            "maxReceiveCount": self.max_receive_count,
        });
        members.fmt(f)
    }
}

/// Which queues may use this one for their dead letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum AllowPolicy {
    All,
    None,
    /// Those of these ARNs.
    Sources(Vec<String>),
}

impl AllowPolicy {
    /// Members that are null count as absent.
    pub(super) fn parse(text: &str) -> Result<Self, SqsError> {
        let bad = |reason: &str| SqsError::parameter(REDRIVE_ALLOW, text, reason);
        let unsupported = || {
            bad(
                "Amazon SQS can't create the redrive allow policy, as it's in an unsupported format.",
            )
        };
        let mut members = object(text).ok_or_else(unsupported)?;
        members.retain(|_, value| !value.is_null());
        let permission = members.remove("redrivePermission");
        let sources = members.remove("sourceQueueArns");
        if !members.is_empty() {
            return Err(unsupported());
        }
        match (permission.as_ref().and_then(Value::as_str), sources) {
            (Some("allowAll"), None) => Ok(AllowPolicy::All),
            (Some("denyAll"), None) => Ok(AllowPolicy::None),
            (Some("allowAll" | "denyAll"), Some(_)) => Err(bad(
                "sourceQueueArns may be given with redrivePermission byQueue only.",
            )),
            (Some("byQueue"), sources) => {
                let arns = sources
                    .as_ref()
                    .and_then(Value::as_array)
                    .map_or(&[][..], Vec::as_slice);
                let arns: Option<Vec<String>> = arns
                    .iter()
                    .map(|arn| arn.as_str().map(str::to_owned))
                    .collect();
                match arns {
                    Some(arns) if (1..=SOURCES_MAX).contains(&arns.len()) => {
                        Ok(AllowPolicy::Sources(arns))
                    }
                    _ => Err(bad(
                        "redrivePermission byQueue takes from 1 to 10 sourceQueueArns.",
                    )),
                }
            }
            _ => Err(unsupported()),
        }
    }

    pub(super) fn allows(&self, source_arn: &str) -> bool {
        match self {
            AllowPolicy::All => true,
            AllowPolicy::None => false,
            AllowPolicy::Sources(arns) => arns.iter().any(|arn| arn == source_arn),
        }
    }
}

impl fmt::Display for AllowPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let members = match self {
            AllowPolicy::All => json!({ "redrivePermission": "allowAll" }),
            AllowPolicy::None => json!({ "redrivePermission": "denyAll" }),
            AllowPolicy::Sources(arns) => {
                json!({ "redrivePermission": "byQueue", "sourceQueueArns": arns })
            }
        };
        members.fmt(f)
    }
}

fn object(text: &str) -> Option<Map<String, Value>> {
    match serde_json::from_str(text) {
        Ok(Value::Object(members)) => Some(members),
        _ => None,
    }
}
