//! What a server, or what stands between, can do to a call: the error says what happened, whether
//! to try again, and whether it may have been done all the same.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::common::{bare, layered, queue};
use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use mq_core::backend::{Access, ControlPlane, QueueBackend, Scope};
use mq_core::error::{Effect, Error, ErrorKind, Retry};
use mq_core::plan::{Action, Change, PlanOptions, diff};
use mq_core::resource::{Observed, Resource};
use mq_core::spec::Target;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const SECRET: &str = "s3cr3t-key";

fn access(port: u16) -> Access {
    Access::vendor([(
        "MQ_AZURE_CONNECTION_STRING".to_owned(),
        format!(
            "Endpoint=sb://127.0.0.1:{port};SharedAccessKeyName=Root;SharedAccessKey={SECRET};UseDevelopmentEmulator=true;"
        ),
    )])
}

fn namespace_info() -> String {
    "<entry xmlns=\"http://www.w3.org/2005/Atom\"><title>acme</title><content type=\"application/xml\"><NamespaceInfo xmlns=\"http://schemas.microsoft.com/netservices/2010/10/servicebus/connect\"><MessagingSKU>Standard</MessagingSKU><Name>acme</Name></NamespaceInfo></content></entry>".to_owned()
}

/// A server that knows its namespace, and answers everything else with what `answer` gives.
async fn server<F>(answer: F) -> Arc<dyn QueueBackend>
where
    F: Fn(&Method, &str, &HeaderMap) -> Response + Clone + Send + Sync + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let app = Router::new().fallback(move |request: Request| {
        let answer = answer.clone();
        async move {
            if request.uri().path() == "/$namespaceinfo" {
                return namespace_info().into_response();
            }
            answer(request.method(), request.uri().path(), request.headers())
        }
    });
    tokio::spawn(async move { axum::serve(listener, app).await });
    bare(&Target::implied("azure"), &access(port))
}

/// A server below HTTP: `after` gets the connection once a request has come.
async fn raw(bytes: &'static [u8], hold: bool) -> Arc<dyn QueueBackend> {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = [0_u8; 8192];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(bytes).await;
                if hold {
                    std::future::pending::<()>().await;
                }
            });
        }
    });
    bare(&Target::implied("azure"), &access(port))
}

fn resource() -> Resource {
    let backend = bare(&Target::implied("azure"), &access(1));
    let lowered = backend.control().lower(&queue("orders"), &Scope::default());
    lowered.resources.into_iter().next_back().expect("a queue")
}

fn create() -> Change {
    let resource = resource();
    let absent = Observed::absent(resource.id.clone());
    diff(
        resource,
        absent,
        &crate::common::owner(),
        false,
        &PlanOptions::default(),
    )
}

fn delete() -> Change {
    Change {
        action: Action::Delete,
        ..create()
    }
}

fn check(error: &Error, kind: ErrorKind, again: bool, effect: Effect) {
    assert_eq!(error.kind(), kind, "{error:?}");
    assert_eq!(error.retry() != Retry::Never, again, "{error:?}");
    assert_eq!(error.effect(), effect, "{error:?}");
    let shown = format!("{error} {error:?} {:?}", error.hint());
    assert!(
        !shown.contains(SECRET) && !shown.contains("sig="),
        "{shown}"
    );
}

#[tokio::test]
async fn answers_without_a_document_are_told_by_their_status() {
    for (status, body, kind, again, effect) in [
        (500, "oops", ErrorKind::Unavailable, true, Effect::Unknown),
        (429, "", ErrorKind::RateLimited, true, Effect::None),
        (
            503,
            "<html>busy</html>",
            ErrorKind::Unavailable,
            true,
            Effect::Unknown,
        ),
        (401, "", ErrorKind::Unauthenticated, false, Effect::None),
        (302, "", ErrorKind::Unexpected, false, Effect::None),
        (418, "teapot", ErrorKind::Unexpected, false, Effect::None),
    ] {
        let backend = server(move |_, _, _| {
            (StatusCode::from_u16(status).expect("a status"), body).into_response()
        })
        .await;
        let error = backend
            .control()
            .apply(&create())
            .await
            .expect_err("it fails");
        check(&error, kind, again, effect);
        assert!(error.to_string().contains("orders"), "{error}");
    }
}

/// A success that nobody can read: a write is proved by reading back, a read has failed.
#[tokio::test]
async fn garbage_after_a_success() {
    let backend = server(|_, _, _| "hello".into_response()).await;
    backend
        .control()
        .apply(&create())
        .await
        .expect("it was done");
    let error = backend
        .control()
        .observe(&[&resource()])
        .await
        .expect_err("nobody can read it");
    check(&error, ErrorKind::Unexpected, false, Effect::None);
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let backend = server(|_, _, _| "x".repeat(9 * 1024 * 1024).into_response()).await;
    let error = backend
        .control()
        .observe(&[&resource()])
        .await
        .expect_err("too long");
    check(&error, ErrorKind::Unexpected, false, Effect::None);
}

/// A namespace that is not there, and one that answers like another server.
#[tokio::test]
async fn a_server_that_is_not_the_service() {
    let backend = raw(
        b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
        false,
    )
    .await;
    let error = backend.control().identify().await.expect_err("not there");
    check(&error, ErrorKind::NotFound, false, Effect::None);
    let hint = error.hint().unwrap_or_default();
    assert!(hint.contains("az servicebus namespace create"), "{hint}");
    let backend = raw(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", false).await;
    let error = backend
        .control()
        .identify()
        .await
        .expect_err("not the service");
    check(&error, ErrorKind::Unexpected, false, Effect::None);
    let backend = raw(
        b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n",
        false,
    )
    .await;
    let error = backend
        .control()
        .identify()
        .await
        .expect_err("not accepted");
    check(&error, ErrorKind::Unauthenticated, false, Effect::None);
    let hint = error.hint().unwrap_or_default();
    assert!(hint.contains("Manage"), "{hint}");
}

#[tokio::test]
async fn connections_that_break() {
    for (bytes, hold) in [
        (&b""[..], false),
        (
            b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n<entry",
            false,
        ),
        (b"\x15\x03\x01\x00\x02\x02\x28", false),
    ] {
        let backend = raw(bytes, hold).await;
        let error = backend.control().identify().await.expect_err("it breaks");
        check(&error, ErrorKind::Unavailable, true, Effect::None);
    }
}

#[tokio::test]
async fn nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    let backend = bare(&Target::implied("azure"), &access(port));
    let error = backend
        .control()
        .identify()
        .await
        .expect_err("nobody listens");
    check(&error, ErrorKind::Unavailable, true, Effect::None);
}

/// Z7: the deletion worked, the answer was an error; trying again finds nothing and is done.
#[tokio::test]
async fn a_deletion_that_worked_though_it_answered_500() {
    let tries = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&tries);
    let backend = server(move |method, _, _| {
        assert_eq!(method, Method::DELETE);
        match count.fetch_add(1, Ordering::SeqCst) {
            0 => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            _ => StatusCode::NOT_FOUND.into_response(),
        }
    })
    .await;
    let error = backend
        .control()
        .apply(&delete())
        .await
        .expect_err("the first try");
    check(&error, ErrorKind::Unavailable, true, Effect::Unknown);
    layered(backend, 3).apply(&delete()).await.expect("done");
    assert_eq!(tries.load(Ordering::SeqCst), 2);
}

/// Z9: queues and topics share names, and a conflict says which it is.
#[tokio::test]
async fn a_topic_of_the_same_name() {
    let topic = "<entry xmlns=\"http://www.w3.org/2005/Atom\"><title>orders</title><content type=\"application/xml\"><TopicDescription xmlns=\"http://schemas.microsoft.com/netservices/2010/10/servicebus/connect\"/></content></entry>";
    let backend = server(move |method, _, _| match *method {
        Method::PUT => (
            StatusCode::CONFLICT,
            "<Error><Code>409</Code><Detail>SubCode=40900. Conflict. TrackingId:t</Detail></Error>",
        )
            .into_response(),
        _ => topic.into_response(),
    })
    .await;
    for error in [
        backend
            .control()
            .apply(&create())
            .await
            .expect_err("a topic is there"),
        backend
            .control()
            .observe(&[&resource()])
            .await
            .map(drop)
            .expect_err("a topic is there"),
    ] {
        check(&error, ErrorKind::Refused, false, Effect::None);
        assert!(error.to_string().contains("is a topic"), "{error}");
    }
}

/// Every call carries a signature; an update says that it is one; forwarding is proved apart.
#[tokio::test]
async fn the_headers_of_a_call() {
    let backend = server(|method, path, headers| {
        assert_eq!(path, "/orders");
        let header = |name: &str| {
            headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
                .to_owned()
        };
        assert!(header("authorization").starts_with("SharedAccessSignature sr="));
        assert_eq!(*method, Method::PUT);
        assert_eq!(header("if-match"), "");
        assert!(header("content-type").starts_with("application/atom+xml"));
        assert_eq!(
            header("servicebusdlqsupplementaryauthorization"),
            header("authorization")
        );
        StatusCode::CREATED.into_response()
    })
    .await;
    let mut queue = queue("orders");
    queue.attributes.dead_letter = Some(mq_core::queue::Stated::file(mq_core::queue::DeadLetter {
        max_deliveries: 5,
        retention: None,
        target: mq_core::queue::DeadLetterTarget::External("failures".to_owned()),
    }));
    let lowered = backend.control().lower(&queue, &Scope::default());
    let resource = lowered.resources.into_iter().next_back().expect("a queue");
    let absent = Observed::absent(resource.id.clone());
    let change = diff(
        resource,
        absent,
        &crate::common::owner(),
        false,
        &PlanOptions::default(),
    );
    backend.control().apply(&change).await.expect("created");
}
