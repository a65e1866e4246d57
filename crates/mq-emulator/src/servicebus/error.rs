//! The service's own errors: `<Error><Code>409</Code><Detail>SubCode=40900. …</Detail></Error>`.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use mq_engine::Timestamp;
use quick_xml::escape::partial_escape;
use uuid::Uuid;

use super::write::timestamp_in_error;

const HELP: &str = "To know more visit https://aka.ms/sbResourceMgrExceptions.";

/// A request that was refused, in the service's words.
///
/// The texts are those of
/// <https://learn.microsoft.com/azure/service-bus-messaging/service-bus-resource-manager-exceptions>
/// and of published reports where one was found; clients should look at the sub code only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ServiceError {
    pub(super) status: StatusCode,
    /// What stands before the tracking id, sub code included where the service gives one.
    pub(super) detail: String,
}

impl ServiceError {
    fn with_sub_code(status: StatusCode, sub_code: u32, text: &str) -> Self {
        ServiceError {
            status,
            detail: format!("SubCode={sub_code}. {text} {HELP} . "),
        }
    }

    /// A value or a combination of values that the service does not take.
    pub(super) fn bad_request(text: &str) -> Self {
        ServiceError::with_sub_code(StatusCode::BAD_REQUEST, 40000, text)
    }

    /// A body that cannot be read, or a change that the service refuses without saying why.
    pub(super) fn plain_bad_request() -> Self {
        ServiceError::bad_request("Bad Request.")
    }

    pub(super) fn forward_target_missing() -> Self {
        let text = "The auto forwarding destination entity does not exist.";
        ServiceError::with_sub_code(StatusCode::BAD_REQUEST, 40400, text)
    }

    pub(super) fn not_found() -> Self {
        ServiceError::with_sub_code(
            StatusCode::NOT_FOUND,
            40400,
            "Not Found. The Operation doesn't exist.",
        )
    }

    pub(super) fn exists() -> Self {
        let text = "Conflict. You're requesting an operation that isn't allowed in the resource's current state.";
        ServiceError::with_sub_code(StatusCode::CONFLICT, 40900, text)
    }

    pub(super) fn operation_in_progress() -> Self {
        ServiceError::with_sub_code(
            StatusCode::CONFLICT,
            40901,
            "Another conflicting operation is in progress.",
        )
    }

    pub(super) fn quota(actual: usize, allowed: usize) -> Self {
        let text = format!(
            "The maximum number of resources of type `Queue` has been reached or exceeded. \
             Actual: {actual}, Max allowed: {allowed}."
        );
        ServiceError::with_sub_code(StatusCode::FORBIDDEN, 40300, &text)
    }

    pub(super) fn unauthorized(text: &str) -> Self {
        ServiceError {
            status: StatusCode::UNAUTHORIZED,
            detail: format!("{text} "),
        }
    }

    pub(super) fn method_not_allowed() -> Self {
        ServiceError {
            status: StatusCode::METHOD_NOT_ALLOWED,
            detail: "The requested method is not allowed. ".to_owned(),
        }
    }

    /// What the service has and this emulator has not.
    pub(super) fn not_implemented(what: &str) -> Self {
        let text = format!("Not Implemented. This emulator does not have {what}.");
        ServiceError {
            status: StatusCode::NOT_IMPLEMENTED,
            detail: format!("SubCode=50100. {text} "),
        }
    }

    pub(super) fn internal() -> Self {
        ServiceError::with_sub_code(
            StatusCode::INTERNAL_SERVER_ERROR,
            50000,
            "Internal Server Error.",
        )
    }

    /// The response at this time, with the name of what was asked for: `HOST:PATH`.
    pub(super) fn response(&self, tracker: &str, now: Timestamp) -> Response {
        let body = format!(
            "<Error><Code>{}</Code><Detail>{}TrackingId:{}_G0, SystemTracker:{}, Timestamp:{}</Detail></Error>",
            self.status.as_u16(),
            partial_escape(self.detail.as_str()),
            Uuid::new_v4(),
            partial_escape(tracker),
            timestamp_in_error(now),
        );
        (
            self.status,
            [(header::CONTENT_TYPE, "application/xml; charset=utf-8")],
            body,
        )
            .into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_700_000_000_000);

    async fn text(response: Response) -> String {
        let bytes = axum::body::to_bytes(response.into_body(), 4_096)
            .await
            .unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn an_error_has_the_shape_that_clients_parse() {
        let response = ServiceError::exists().response("localhost:5300:orders", NOW);
        assert_eq!(response.status(), StatusCode::CONFLICT);
        assert_eq!(
            response.headers()["content-type"],
            "application/xml; charset=utf-8"
        );
        let body = text(response).await;
        let (before, after) = body.split_once("TrackingId:").unwrap();
        assert_eq!(
            before,
            "<Error><Code>409</Code><Detail>SubCode=40900. Conflict. You're requesting an operation that isn't \
             allowed in the resource's current state. To know more visit \
             https://aka.ms/sbResourceMgrExceptions. . "
        );
        let (tracking, after) = after.split_once(", SystemTracker:").unwrap();
        assert_eq!(
            tracking.len(),
            "81fb4a9c-8cec-4e6a-ac68-0e8f225c6a6c_G0".len()
        );
        let (tracker, after) = after.split_once(", Timestamp:").unwrap();
        assert_eq!(tracker, "localhost:5300:orders");
        let timestamp = after.strip_suffix("</Detail></Error>").unwrap();
        assert_eq!(timestamp, "2023-11-14T22:13:20");
    }

    #[tokio::test]
    async fn what_a_client_sent_is_escaped_in_the_error() {
        let body =
            text(ServiceError::bad_request("'<a>&' is not allowed").response("h:</Detail>", NOW))
                .await;
        assert!(body.contains("'&lt;a&gt;&amp;' is not allowed"), "{body}");
        assert!(body.contains("SystemTracker:h:&lt;/Detail&gt;,"), "{body}");
    }
}
