//! The documents that the administration API answers with.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use mq_engine::Timestamp;

use super::request::Request;
use super::write::{ATOM, Writer, seconds};

const ENTRY: &str = "application/atom+xml;type=entry;charset=utf-8";
const FEED: &str = "application/atom+xml;type=feed;charset=utf-8";

/// One entry.
pub(super) fn entry(status: StatusCode, writer: Writer) -> Response {
    document(status, ENTRY, writer)
}

/// A GET of a free path is discovery to the service: it tells that nothing is listed there.
pub(super) fn nothing_here(now: Timestamp) -> Response {
    let mut writer = Writer::default();
    writer.markup(&format!(
        "<feed xmlns=\"{ATOM}\"><title type=\"text\">Publicly Listed Services</title>"
    ));
    writer.markup("<subtitle type=\"text\">This is the list of publicly-listed services currently available.</subtitle>");
    writer.element("id", format!("uuid:{};id=1", uuid::Uuid::new_v4()));
    writer.element("updated", seconds(now));
    writer.markup("<generator>Service Bus 1.1</generator></feed>");
    document(StatusCode::OK, FEED, writer)
}

/// A page of entries. `next` is the `$skip` and `$top` of the page after it.
pub(super) fn feed(
    title: &str,
    request: &Request,
    next: Option<(usize, usize)>,
    entries: Vec<Writer>,
    now: Timestamp,
) -> Response {
    let address = request.address(&format!("$Resources/{}", title.to_lowercase()));
    let mut writer = Writer::default();
    writer.markup(&format!(
        "<feed xmlns=\"{ATOM}\"><title type=\"text\">{title}</title>"
    ));
    writer.element("id", &address);
    writer.element("updated", seconds(now));
    writer.link("self", &address);
    if let Some((skip, top)) = next {
        let separator = if address.contains('?') { '&' } else { '?' };
        writer.link(
            "next",
            &format!("{address}{separator}$skip={skip}&$top={top}"),
        );
    }
    for entry in entries {
        writer.markup(&entry.into_string());
    }
    writer.markup("</feed>");
    document(StatusCode::OK, FEED, writer)
}

fn document(status: StatusCode, content_type: &'static str, writer: Writer) -> Response {
    (
        status,
        [(header::CONTENT_TYPE, content_type)],
        writer.into_string(),
    )
        .into_response()
}
