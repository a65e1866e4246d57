//! The AWS Query protocol: forms in, XML out
//! (<https://smithy.io/2.0/aws/protocols/aws-query-protocol.html>, lists and maps flattened).

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use axum::response::Response;
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, header};
use percent_encoding::percent_decode_str;

use super::error::{Code, SqsError};
use super::operation::{self, Kind, Operation};
use super::params::{Given, Member, Output, Param, Params};
use super::typed::{self, Typed, TypedMap};

const NAMESPACE: &str = "http://queue.amazonaws.com/doc/2012-11-05/";

/// Fields by name.
pub(super) type Form = BTreeMap<String, String>;

/// The fields of the URL and of the body, which win.
pub(super) fn form(head: &Parts, body: &[u8]) -> Result<Form, SqsError> {
    if head.method != Method::GET && head.method != Method::POST {
        return Err(SqsError::new(
            Code::MethodNotAllowed,
            format!("The HTTP method {} is not allowed here.", head.method),
        ));
    }
    let mut form = Form::new();
    read_fields(head.uri.query().unwrap_or_default(), &mut form)?;
    if head.method == Method::POST {
        let text = std::str::from_utf8(body).map_err(|_| malformed())?;
        read_fields(text.trim_end(), &mut form)?;
    }
    Ok(form)
}

fn read_fields(text: &str, form: &mut Form) -> Result<(), SqsError> {
    for field in text.split('&').filter(|field| !field.is_empty()) {
        let (name, value) = field.split_once('=').unwrap_or((field, ""));
        form.insert(decoded(name)?, decoded(value)?);
    }
    Ok(())
}

fn decoded(text: &str) -> Result<String, SqsError> {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced)
        .decode_utf8()
        .map(Cow::into_owned)
        .map_err(|_| malformed())
}

fn malformed() -> SqsError {
    SqsError::new(Code::MalformedInput, "The request is not a form in UTF-8.")
}

/// The operation that `Action` names, if it may be called at this path.
pub(super) fn operation(form: &Form, path: &str) -> Result<&'static Operation, SqsError> {
    let Some(action) = form.get("Action") else {
        return Err(SqsError::new(
            Code::MissingAction,
            "The request must contain the parameter Action.",
        ));
    };
    Operation::named(action)
        .filter(|operation| operation.at_queue || path == "/")
        .ok_or_else(|| {
            SqsError::new(
                Code::InvalidAction,
                format!("The action {action} is not valid for this endpoint."),
            )
        })
}

/// The members of the operation. A queue's own address stands for its `QueueUrl`.
pub(super) fn params(operation: &Operation, form: &Form, path: &str) -> Result<Params, SqsError> {
    let mut params = Params::default();
    for member in operation.members {
        if let Some(param) = param(member, form, "")? {
            params.insert(member.json, param);
        } else if member.json == "QueueUrl" && path != "/" {
            params.insert(member.json, Param::Text(path.to_owned()));
        }
    }
    Ok(params)
}

/// The member whose fields begin with the prefix.
fn param(member: &operation::Member, form: &Form, prefix: &str) -> Result<Option<Param>, SqsError> {
    let name = format!("{prefix}{}", member.query);
    let alone = form.get(&name);
    let param = match member.kind {
        Kind::Text => return Ok(alone.cloned().map(Param::Text)),
        Kind::Integer => {
            return alone
                .map(|text| {
                    text.parse()
                        .map(Param::Integer)
                        .map_err(|_| SqsError::parameter(member.query, text, "Must be an integer."))
                })
                .transpose();
        }
        Kind::List => {
            let entries = alone
                .into_iter()
                .chain(numbered(form, &name, "").into_values());
            Param::List(entries.cloned().collect())
        }
        Kind::Map { key, value } => Param::Map(map(form, &name, key, value)?),
        Kind::Typed => Param::Typed(typed_map(form, &name)?),
        Kind::Entries(members) => Param::Entries(entries(form, &name, members)?),
    };
    Ok(Some(param).filter(|param| !param.is_empty()))
}

fn map(
    form: &Form,
    name: &str,
    key: &str,
    value: &str,
) -> Result<BTreeMap<String, String>, SqsError> {
    let mut values = numbered(form, name, value);
    let mut entries = BTreeMap::new();
    for (index, entry) in numbered(form, name, key) {
        let value = values
            .remove(&index)
            .ok_or_else(|| SqsError::missing(&format!("{name}.{index}.{value}")))?;
        entries.insert(entry.clone(), value.clone());
    }
    Ok(entries)
}

fn typed_map(form: &Form, name: &str) -> Result<TypedMap, SqsError> {
    let mut entries = TypedMap::new();
    for (index, entry) in numbered(form, name, "Name") {
        let field = |part: &str| form.get(&format!("{name}.{index}.Value.{part}"));
        let binary = field("BinaryValue")
            .map(|text| {
                typed::canonical_base64(text)
                    .ok_or_else(|| SqsError::parameter("BinaryValue", text, "Must be base64."))
            })
            .transpose()?;
        for list in ["StringListValue.1", "BinaryListValue.1"] {
            if field(list).is_some() {
                return Err(typed::no_lists());
            }
        }
        let value = Typed {
            data_type: field("DataType").cloned().unwrap_or_default(),
            string: field("StringValue").cloned(),
            binary,
        };
        entries.insert(entry.clone(), value);
    }
    Ok(entries)
}

fn entries(
    form: &Form,
    name: &str,
    members: &[operation::Member],
) -> Result<Vec<Params>, SqsError> {
    let prefix = format!("{name}.");
    let numbers: BTreeSet<u32> = beginning_with(form, &prefix)
        .filter_map(|(field, _)| field[prefix.len()..].split_once('.')?.0.parse().ok())
        .collect();
    let mut entries = Vec::new();
    for number in numbers {
        let prefix = format!("{prefix}{number}.");
        let mut params = Params::default();
        for member in members {
            if let Some(param) = param(member, form, &prefix)? {
                params.insert(member.json, param);
            }
        }
        entries.push(params);
    }
    Ok(entries)
}

/// The fields `NAME.N` or, with a part, `NAME.N.PART`, by their number.
fn numbered<'a>(form: &'a Form, name: &str, part: &str) -> BTreeMap<u32, &'a String> {
    let prefix = format!("{name}.");
    beginning_with(form, &prefix)
        .filter_map(|(field, value)| {
            let rest = &field[prefix.len()..];
            let (index, found) = rest.split_once('.').unwrap_or((rest, ""));
            (found == part).then_some(())?;
            Some((index.parse().ok()?, value))
        })
        .collect()
}

fn beginning_with<'a>(
    form: &'a Form,
    prefix: &str,
) -> impl Iterator<Item = (&'a String, &'a String)> {
    form.range(prefix.to_owned()..)
        .take_while(move |(field, _)| field.starts_with(prefix))
}

/// 200, and the result's XML.
pub(super) fn success(action: &str, output: &Output, request_id: &str) -> Response {
    let result = match output {
        Output::Nothing => String::new(),
        Output::Members(members) => element(&format!("{action}Result"), &structure(members)),
    };
    let metadata = element("ResponseMetadata", &element("RequestId", request_id));
    let text = format!(
        "<?xml version=\"1.0\"?><{action}Response xmlns=\"{NAMESPACE}\">{result}{metadata}</{action}Response>"
    );
    respond(StatusCode::OK, request_id, text)
}

/// The error's XML.
pub(super) fn failure(error: &SqsError, request_id: &str) -> Response {
    let words = error.code.words();
    let text = failure_text(
        NAMESPACE,
        words.fault(),
        words.query_code,
        &error.message,
        request_id,
    );
    respond(words.status, request_id, text)
}

/// An error as the Query protocol words it, for a service's namespace.
pub(super) fn failure_text(
    namespace: &str,
    fault: &str,
    code: &str,
    message: &str,
    request_id: &str,
) -> String {
    let error = [
        element("Type", fault),
        element("Code", code),
        element("Message", &escaped(message)),
    ];
    format!(
        "<?xml version=\"1.0\"?><ErrorResponse xmlns=\"{namespace}\"><Error>{}<Detail/></Error>{}</ErrorResponse>",
        error.concat(),
        element("RequestId", request_id)
    )
}

fn structure(members: &[Member]) -> String {
    members
        .iter()
        .map(|member| xml(member.xml, &member.value))
        .collect()
}

fn xml(name: &str, value: &Given) -> String {
    match value {
        Given::Text(text) => element(name, &escaped(text)),
        Given::Integer(number) => element(name, &number.to_string()),
        Given::Switch(on) => element(name, &on.to_string()),
        Given::Entries(entries) => entries
            .iter()
            .map(|entry| element(name, &structure(entry)))
            .collect(),
        Given::Typed(entries) => entries
            .iter()
            .map(|(key, value)| {
                let value = structure(&typed::members(value));
                let pair = [element("Name", &escaped(key)), element("Value", &value)];
                element(name, &pair.concat())
            })
            .collect(),
        Given::List(entries) => entries
            .iter()
            .map(|entry| element(name, &escaped(entry)))
            .collect(),
        Given::Map {
            entries,
            key,
            value,
        } => entries
            .iter()
            .map(|(left, right)| {
                let pair = [
                    element(key, &escaped(left)),
                    element(value, &escaped(right)),
                ];
                element(name, &pair.concat())
            })
            .collect(),
    }
}

fn element(name: &str, content: &str) -> String {
    format!("<{name}>{content}</{name}>")
}

/// Text as the service writes it: it escapes the double quote and the carriage return too. What
/// XML 1.0 cannot hold at all becomes U+FFFD.
pub(super) fn escaped(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => written.push_str("&amp;"),
            '<' => written.push_str("&lt;"),
            '>' => written.push_str("&gt;"),
            '"' => written.push_str("&quot;"),
            '\r' => written.push_str("&#xD;"),
            '\t' | '\n' | ' '..='\u{fffd}' | '\u{10000}'.. => written.push(character),
            _ => written.push('\u{fffd}'),
        }
    }
    written
}

pub(super) fn respond(status: StatusCode, request_id: &str, text: String) -> Response {
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/xml"));
    if let Ok(id) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert("x-amzn-requestid", id);
    }
    response
}
