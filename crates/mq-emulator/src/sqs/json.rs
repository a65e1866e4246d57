//! AWS JSON 1.0 (<https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html>), with the
//! error codes of the Query protocol in a header for clients that came from there.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Map, Value, json};

use super::error::{Code, SqsError};
use super::operation::{self, Kind, Operation};
use super::params::{Given, Member, Output, Param, Params};
use super::typed::{self, Typed};

const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("application/x-amz-json-1.0");

/// The operation that `X-Amz-Target` names.
pub(super) fn operation(headers: &HeaderMap) -> Result<&'static Operation, SqsError> {
    let target = headers
        .get("x-amz-target")
        .map(|target| String::from_utf8_lossy(target.as_bytes()));
    target
        .as_deref()
        .and_then(|target| target.strip_prefix("AmazonSQS."))
        .and_then(Operation::named)
        .ok_or_else(|| {
            SqsError::new(
                Code::UnknownOperation,
                format!(
                    "The requested operation {:?} is not known.",
                    target.unwrap_or_default()
                ),
            )
        })
}

/// The members that the operation knows; others are ignored, as the service does.
pub(super) fn params(operation: &Operation, body: &[u8]) -> Result<Params, SqsError> {
    let document = match serde_json::from_slice::<Value>(body) {
        _ if body.is_empty() => Map::new(),
        Ok(Value::Object(members)) => members,
        Ok(_) => return Err(malformed("the body is not a JSON object")),
        Err(error) => return Err(malformed(&error.to_string())),
    };
    members(operation.members, document)
}

fn members(
    known: &'static [operation::Member],
    mut document: Map<String, Value>,
) -> Result<Params, SqsError> {
    let mut params = Params::default();
    for member in known {
        match document.remove(member.json) {
            None | Some(Value::Null) => {}
            Some(value) => params.insert(member.json, param(member, value)?),
        }
    }
    Ok(params)
}

fn param(member: &operation::Member, value: Value) -> Result<Param, SqsError> {
    let name = member.json;
    match (member.kind, value) {
        (Kind::Text, Value::String(text)) => Ok(Param::Text(text)),
        (Kind::Integer, Value::Number(number)) => number
            .as_i64()
            .map(Param::Integer)
            .ok_or_else(|| malformed(&format!("{name} is not an integer of 64 bits"))),
        (Kind::List, Value::Array(entries)) => entries
            .into_iter()
            .map(|entry| text_in(name, entry))
            .collect::<Result<_, _>>()
            .map(Param::List),
        (Kind::Map { .. }, Value::Object(entries)) => entries
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| Ok((key, text_in(name, value)?)))
            .collect::<Result<_, _>>()
            .map(Param::Map),
        (Kind::Typed, Value::Object(entries)) => entries
            .into_iter()
            .map(|(key, value)| Ok((key, typed(name, value)?)))
            .collect::<Result<_, _>>()
            .map(Param::Typed),
        (Kind::Entries(known), Value::Array(entries)) => entries
            .into_iter()
            .map(|entry| match entry {
                Value::Object(document) => members(known, document),
                _ => Err(malformed(&format!("{name} holds what is not a structure"))),
            })
            .collect::<Result<_, _>>()
            .map(Param::Entries),
        (kind, _) => {
            let wanted = match kind {
                Kind::Text => "a string",
                Kind::Integer => "an integer",
                Kind::List | Kind::Entries(_) => "a list",
                Kind::Map { .. } | Kind::Typed => "a map",
            };
            Err(malformed(&format!("{name} is not {wanted}")))
        }
    }
}

fn typed(name: &str, value: Value) -> Result<Typed, SqsError> {
    let Value::Object(mut members) = value else {
        return Err(malformed(&format!("{name} holds what is not a structure")));
    };
    let mut text = |field: &str| match members.remove(field) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => text_in(name, value).map(Some),
    };
    let (data_type, string) = (text("DataType")?, text("StringValue")?);
    let binary = text("BinaryValue")?
        .map(|text| {
            typed::canonical_base64(&text)
                .ok_or_else(|| malformed(&format!("{name} holds a BinaryValue that is no base64")))
        })
        .transpose()?;
    for list in ["StringListValues", "BinaryListValues"] {
        let given = members.get(list).and_then(Value::as_array);
        if given.is_some_and(|entries| !entries.is_empty()) {
            return Err(typed::no_lists());
        }
    }
    Ok(Typed {
        data_type: data_type.unwrap_or_default(),
        string,
        binary,
    })
}

fn text_in(name: &str, value: Value) -> Result<String, SqsError> {
    match value {
        Value::String(text) => Ok(text),
        _ => Err(malformed(&format!("{name} holds what is not a string"))),
    }
}

fn malformed(why: &str) -> SqsError {
    SqsError::new(
        Code::MalformedInput,
        format!("The request cannot be read: {why}."),
    )
}

/// 200, and the members; no body for operations that give nothing.
pub(super) fn success(output: &Output, request_id: &str) -> Response {
    let body = match output {
        Output::Nothing => Body::empty(),
        Output::Members(members) => Body::from(object(members).to_string()),
    };
    respond(StatusCode::OK, request_id, body)
}

fn object(members: &[Member]) -> Value {
    let members = members
        .iter()
        .map(|member| (member.json.to_owned(), given(&member.value)));
    Value::Object(members.collect())
}

fn given(value: &Given) -> Value {
    match value {
        Given::Text(text) => json!(text),
        Given::Integer(number) => json!(number),
        Given::Switch(on) => json!(on),
        Given::List(entries) => json!(entries),
        Given::Map { entries, .. } => json!(entries),
        Given::Entries(entries) => entries.iter().map(|entry| object(entry)).collect(),
        Given::Typed(entries) => {
            let written = entries
                .iter()
                .map(|(name, value)| (name.clone(), object(&typed::members(value))));
            Value::Object(written.collect())
        }
    }
}

/// The error's type and text. Outside of query mode every error of the caller is a 400.
pub(super) fn failure(error: &SqsError, query_mode: bool, request_id: &str) -> Response {
    let words = error.code.words();
    let status = if query_mode || words.status.is_server_error() {
        words.status
    } else {
        StatusCode::BAD_REQUEST
    };
    let body = json!({ "__type": words.json_type, "message": error.message });
    let mut response = respond(status, request_id, Body::from(body.to_string()));
    let code = format!("{};{}", words.query_code, words.fault());
    if let Ok(code) = HeaderValue::from_str(&code) {
        response.headers_mut().insert("x-amzn-query-error", code);
    }
    response
}

fn respond(status: StatusCode, request_id: &str, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, CONTENT_TYPE);
    if let Ok(id) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert("x-amzn-requestid", id);
    }
    response
}
