//! `AddPermission` and `RemovePermission`: statements of a queue's policy by their label.

use serde_json::{Map, Value, json};

use super::attributes::{self, Document};
use super::call::Call;
use super::error::{Code, SqsError};
use super::params::{Output, Params};
use super::queues;

/// Actions of one statement
/// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-policies.html>).
const ACTIONS_MAX: usize = 7;
/// What an owner can let others do
/// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_AddPermission.html>).
const SHAREABLE: [&str; 7] = [
    "*",
    "ChangeMessageVisibility",
    "DeleteMessage",
    "GetQueueAttributes",
    "GetQueueUrl",
    "ReceiveMessage",
    "SendMessage",
];

/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_AddPermission.html>
pub(super) fn add(call: &Call<'_>, params: &Params) -> Result<Output, SqsError> {
    let label = params.text("Label");
    check_label(label)?;
    let actions = params.list("Actions");
    check_actions(actions)?;
    let accounts = params.list("AWSAccountIds");
    if let Some(account) = accounts.iter().find(|account| !is_account(account)) {
        return Err(SqsError::parameter(
            "PrincipalId",
            account,
            "Unable to verify.",
        ));
    }
    let name = call.id_of_url(params.text("QueueUrl"))?.name;
    let arn = call.arn(&name);
    let statement = json!({
        "Sid": label,
        "Effect": "Allow",
        "Principal": { "AWS": one_or_many(accounts.iter().map(|id| format!("arn:aws:iam::{id}:root"))) },
        "Action": one_or_many(actions.iter().map(|action| format!("SQS:{action}"))),
        "Resource": arn,
    });
    queues::update(call, params.text("QueueUrl"), |document, _| {
        let mut policy = policy(document, &arn)?;
        let statements = statements(&mut policy);
        if statements.iter().any(|statement| statement["Sid"] == label) {
            return Err(SqsError::parameter("Label", label, "Already exists."));
        }
        statements.push(statement);
        store(call, document, policy)
    })
}

/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_RemovePermission.html>
pub(super) fn remove(call: &Call<'_>, params: &Params) -> Result<Output, SqsError> {
    let label = params.text("Label");
    let name = call.id_of_url(params.text("QueueUrl"))?.name;
    queues::update(call, params.text("QueueUrl"), |document, _| {
        let mut policy = policy(document, &call.arn(&name))?;
        let statements = statements(&mut policy);
        let before = statements.len();
        statements.retain(|statement| statement["Sid"] != label);
        if statements.len() == before {
            return Err(SqsError::parameter("Label", label, "can't find label."));
        }
        store(call, document, policy)
    })
}

fn check_label(label: &str) -> Result<(), SqsError> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if (1..=80).contains(&label.len()) && label.bytes().all(is_plain) {
        return Ok(());
    }
    Err(SqsError::parameter(
        "Label",
        label,
        "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length.",
    ))
}

fn check_actions(actions: &[String]) -> Result<(), SqsError> {
    if actions.len() > ACTIONS_MAX {
        return Err(SqsError::new(
            Code::OverLimit,
            format!(
                "{} Actions were found, maximum allowed is {ACTIONS_MAX}.",
                actions.len()
            ),
        ));
    }
    match actions
        .iter()
        .find(|action| !SHAREABLE.contains(&action.as_str()))
    {
        Some(action) => Err(SqsError::parameter(
            "ActionName",
            &format!("SQS:{action}"),
            "Only the queue owner is allowed to invoke this action.",
        )),
        None => Ok(()),
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn one_or_many(texts: impl Iterator<Item = String>) -> Value {
    let mut texts: Vec<Value> = texts.map(Value::String).collect();
    if texts.len() == 1 {
        texts.remove(0)
    } else {
        Value::Array(texts)
    }
}

/// The queue's policy, or the empty one that its first statement goes into.
fn policy(document: &Document, arn: &str) -> Result<Map<String, Value>, SqsError> {
    let stored = document
        .attributes
        .get("Policy")
        .map(|text| serde_json::from_str(text));
    match stored {
        Some(Ok(Value::Object(policy))) => Ok(policy),
        Some(_) => Err(SqsError::new(
            Code::InternalFailure,
            "The queue's policy cannot be read.",
        )),
        None => Ok(Map::from_iter([
            ("Version".to_owned(), json!("2008-10-17")),
            ("Id".to_owned(), json!(format!("{arn}/SQSDefaultPolicy"))),
            ("Statement".to_owned(), json!([])),
        ])),
    }
}

/// The statements as a list; a policy may hold one that is not in a list.
fn statements(policy: &mut Map<String, Value>) -> &mut Vec<Value> {
    let slot = policy.entry("Statement").or_insert(Value::Null);
    if !slot.is_array() {
        let single = slot.take();
        *slot = if single.is_null() {
            json!([])
        } else {
            json!([single])
        };
    }
    match slot {
        Value::Array(statements) => statements,
        _ => unreachable!("the slot was made a list above"),
    }
}

/// Keeps the policy; one without statements is none.
fn store(
    call: &Call<'_>,
    document: &mut Document,
    policy: Map<String, Value>,
) -> Result<(), SqsError> {
    let is_empty = policy
        .get("Statement")
        .and_then(Value::as_array)
        .is_some_and(Vec::is_empty);
    let mut next = document.attributes.clone();
    if is_empty {
        next.remove("Policy");
    } else {
        let text = Value::Object(policy).to_string();
        attributes::check_policy(&text)?;
        next.insert("Policy".to_owned(), text);
    }
    queues::replace_attributes(call, document, next);
    Ok(())
}
