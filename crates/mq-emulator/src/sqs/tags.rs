//! A queue's tags
//! (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-queue-tags.html>).

use std::collections::BTreeMap;

use super::attributes::Document;
use super::call::Call;
use super::error::{Code, SqsError};
use super::params::{Given, Member, Output, Params};
use super::queues;

const TAGS_MAX: usize = 50;
const KEY_CHARACTERS_MAX: usize = 128;
const VALUE_CHARACTERS_MAX: usize = 256;

/// Whether a queue may have these tags.
pub(super) fn check(queue: &str, tags: &BTreeMap<String, String>) -> Result<(), SqsError> {
    if tags.len() > TAGS_MAX {
        return Err(SqsError::new(
            Code::InvalidParameterValue,
            format!("Too many tags added for queue {queue}."),
        ));
    }
    for (key, value) in tags {
        if key.is_empty() || key.chars().count() > KEY_CHARACTERS_MAX {
            return Err(SqsError::parameter(
                "TagKey",
                key,
                "Must be from 1 to 128 characters long.",
            ));
        }
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(SqsError::parameter(
                "TagKey",
                key,
                "The prefix aws: is reserved.",
            ));
        }
        if value.chars().count() > VALUE_CHARACTERS_MAX {
            return Err(SqsError::parameter(
                "TagValue",
                value,
                "Must be at most 256 characters long.",
            ));
        }
    }
    Ok(())
}

/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListQueueTags.html>
pub(super) fn list(call: &Call<'_>, params: &Params) -> Result<Output, SqsError> {
    let engine = call.shared.engine();
    let entries = Document::of(call.find(&engine, params.text("QueueUrl"))?)?.tags;
    if entries.is_empty() {
        return Ok(Output::Members(Vec::new()));
    }
    let value = Given::Map {
        entries,
        key: "Key",
        value: "Value",
    };
    Ok(Output::Members(vec![Member {
        json: "Tags",
        xml: "Tag",
        value,
    }]))
}

/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_TagQueue.html>
pub(super) fn add(call: &Call<'_>, params: &Params) -> Result<Output, SqsError> {
    let name = call.id_of_url(params.text("QueueUrl"))?.name;
    queues::update(call, params.text("QueueUrl"), |document, _| {
        document.tags.extend(params.map("Tags"));
        check(&name, &document.tags)
    })
}

/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_UntagQueue.html>
pub(super) fn remove(call: &Call<'_>, params: &Params) -> Result<Output, SqsError> {
    let keys = params.list("TagKeys");
    queues::update(call, params.text("QueueUrl"), |document, _| {
        document.tags.retain(|key, _| !keys.contains(key));
        Ok(())
    })
}
