//! `GetCallerIdentity`, which SDKs and `mq` ask before they work
//! (<https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>).

use axum::response::Response;
use http::StatusCode;

use super::query::{self, Form};

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
const VERSION: &str = "2011-06-15";

/// Whether the form is for STS and not for SQS: the two have API versions of their own.
pub(super) fn is_meant(form: &Form) -> bool {
    form.get("Version")
        .is_some_and(|version| version == VERSION)
}

/// The emulator's one account, whoever asks.
pub(super) fn answer(account: &str, form: &Form, request_id: &str) -> Response {
    let action = form.get("Action").map_or("", String::as_str);
    if action == "GetCallerIdentity" {
        let text = format!(
            "<GetCallerIdentityResponse xmlns=\"{NAMESPACE}\"><GetCallerIdentityResult><Arn>arn:aws:iam::{account}:root</Arn><UserId>{account}</UserId><Account>{account}</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></GetCallerIdentityResponse>"
        );
        return query::respond(StatusCode::OK, request_id, text);
    }
    let message = format!(
        "Could not find operation {action} for version {VERSION}: this emulator has GetCallerIdentity only."
    );
    let text = query::failure_text(NAMESPACE, "Sender", "InvalidAction", &message, request_id);
    query::respond(StatusCode::BAD_REQUEST, request_id, text)
}
