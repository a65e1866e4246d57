//! An access policy, compared as IAM reads it.

use mq_core::Value;
use serde_json::{Map, Value as Json};

/// Entries of a statement that take one text or a list, whose order means nothing.
const LISTS: [&str; 4] = ["Action", "NotAction", "Resource", "NotResource"];
const PRINCIPALS: [&str; 2] = ["Principal", "NotPrincipal"];

/// A policy in one form out of the many that mean the same: lists sorted and always lists, an
/// account's root as the account alone, values of conditions as texts.
pub(crate) fn value(document: &Json) -> Value {
    let mut document = document.clone();
    if let Some(statement) = document.get_mut("Statement") {
        let mut statements = list(statement.take());
        for statement in statements.iter_mut().filter_map(Json::as_object_mut) {
            canonical_statement(statement);
        }
        *statement = Json::Array(sorted(statements));
    }
    Value::json(&document)
}

fn canonical_statement(statement: &mut Map<String, Json>) {
    for key in LISTS {
        if let Some(entry) = statement.get_mut(key) {
            let texts = list(entry.take()).into_iter().map(|item| match item {
                Json::String(text) if key.ends_with("Action") => Json::String(action(&text)),
                other => other,
            });
            *entry = Json::Array(sorted(texts.collect()));
        }
    }
    for key in PRINCIPALS {
        if let Some(entry) = statement.get_mut(key) {
            canonical_principal(entry);
        }
    }
    let conditions = statement.get_mut("Condition").and_then(Json::as_object_mut);
    for operator in conditions.into_iter().flat_map(Map::values_mut) {
        for entry in operator
            .as_object_mut()
            .into_iter()
            .flat_map(Map::values_mut)
        {
            let texts = list(entry.take()).into_iter().map(text).collect();
            *entry = Json::Array(sorted(texts));
        }
    }
}

/// `"*"` is `{"AWS": "*"}`.
fn canonical_principal(entry: &mut Json) {
    if entry.as_str() == Some("*") {
        *entry = serde_json::json!({ "AWS": ["*"] });
        return;
    }
    for (kind, names) in entry.as_object_mut().into_iter().flatten() {
        let names_of = list(names.take()).into_iter().map(|name| match name {
            Json::String(name) if kind == "AWS" => Json::String(account_of_root(&name)),
            other => other,
        });
        *names = Json::Array(sorted(names_of.collect()));
    }
}

/// `arn:aws:iam::111122223333:root` is `111122223333`.
fn account_of_root(principal: &str) -> String {
    let parts: Vec<&str> = principal.split(':').collect();
    match parts.as_slice() {
        ["arn", _, "iam", "", account, "root"] => (*account).to_owned(),
        _ => principal.to_owned(),
    }
}

/// Services are written `SQS` and `sqs`.
fn action(action: &str) -> String {
    match action.split_once(':') {
        Some((service, verb)) => format!("{}:{verb}", service.to_ascii_lowercase()),
        None => action.to_owned(),
    }
}

fn list(entry: Json) -> Vec<Json> {
    match entry {
        Json::Array(items) => items,
        one => vec![one],
    }
}

fn text(entry: Json) -> Json {
    match entry {
        Json::Bool(_) | Json::Number(_) => Json::String(entry.to_string()),
        other => other,
    }
}

fn sorted(items: Vec<Json>) -> Vec<Json> {
    let mut keyed: Vec<(String, Json)> = items
        .into_iter()
        .map(|item| match Value::json(&item) {
            Value::Json(item) => (item.to_string(), *item),
            _ => (item.to_string(), item),
        })
        .collect();
    keyed.sort_by(|one, two| one.0.cmp(&two.0));
    keyed.dedup_by(|one, two| one.0 == two.0);
    keyed.into_iter().map(|(_, item)| item).collect()
}

/// Whether a policy lets in a service of AWS, such as SNS.
pub(crate) fn admits_service(policy: &Value) -> bool {
    let Value::Json(document) = policy else {
        return false;
    };
    let statements = document.get("Statement").and_then(Json::as_array);
    statements.into_iter().flatten().any(|statement| {
        let allows = statement.get("Effect").and_then(Json::as_str) == Some("Allow");
        allows && statement.pointer("/Principal/Service").is_some()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn policy(statement: Json) -> Value {
        value(&json!({ "Version": "2012-10-17", "Statement": statement }))
    }

    #[test]
    fn spellings_of_one_policy_are_one_value() {
        let base = policy(json!([{
            "Effect": "Allow",
            "Principal": { "AWS": "111122223333" },
            "Action": "sqs:SendMessage",
            "Resource": "arn:aws:sqs:eu-west-1:111122223333:orders",
            "Condition": { "Bool": { "aws:SecureTransport": "true" } }
        }]));
        let spelt = policy(json!({
            "Condition": { "Bool": { "aws:SecureTransport": [true] } },
            "Sid": null,
            "Resource": ["arn:aws:sqs:eu-west-1:111122223333:orders"],
            "Action": ["SQS:SendMessage", "sqs:SendMessage"],
            "Principal": { "AWS": ["arn:aws:iam::111122223333:root"] },
            "Effect": "Allow"
        }));
        assert_eq!(base, spelt);
        assert_eq!(
            policy(json!({ "Effect": "Allow", "Principal": "*" })),
            policy(json!({ "Effect": "Allow", "Principal": { "AWS": ["*"] } }))
        );
        let one = json!({ "Effect": "Allow", "Action": ["sqs:A", "sqs:B"] });
        let two = json!({ "Effect": "Deny", "Action": ["sqs:B", "sqs:A"] });
        assert_eq!(policy(json!([one, two])), policy(json!([two, one])));
    }

    #[test]
    fn policies_that_mean_something_else_differ() {
        let base = json!({ "Effect": "Allow", "Principal": { "AWS": "111122223333" }, "Action": "sqs:SendMessage" });
        let changed = |key: &str, to: Json| {
            let mut other = base.clone();
            other[key] = to;
            policy(other)
        };
        let base_value = policy(base.clone());
        for other in [
            changed("Effect", json!("Deny")),
            changed("Action", json!("sqs:sendmessage")),
            changed("Action", json!(["sqs:SendMessage", "sqs:ReceiveMessage"])),
            changed("Principal", json!({ "AWS": "111122223334" })),
            changed(
                "Principal",
                json!({ "AWS": "arn:aws:iam::111122223333:role/root" }),
            ),
            changed("Principal", json!({ "Service": "111122223333" })),
            changed("Sid", json!("x")),
        ] {
            assert_ne!(base_value, other);
        }
    }

    #[test]
    fn what_is_no_policy_is_kept_as_it_is() {
        for odd in [
            json!({}),
            json!({"Statement": 1}),
            json!({"Statement": [null, "x"]}),
        ] {
            assert_eq!(value(&odd), value(&odd));
        }
        assert!(admits_service(&policy(
            json!({ "Effect": "Allow", "Principal": { "Service": "sns.amazonaws.com" } })
        )));
        assert!(!admits_service(&policy(
            json!({ "Effect": "Allow", "Principal": "*" })
        )));
    }
}
