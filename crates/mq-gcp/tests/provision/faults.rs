//! Servers that misbehave, and what is said of it.

use std::sync::atomic::{AtomicUsize, Ordering};

use mq_core::plan::{Action, Change};
use mq_core::{Effect, Error, ErrorKind, Resource, Retry, Scope};
use serde_json::json;

use crate::OwnCase;
use crate::server::{Answer, Request, Server};
use crate::session::Place;
use crate::specs::{plain, rich};

/// Each against a server of its own.
pub(crate) const FAULTS: &[OwnCase] = &[
    ("faults::nobody_listens", || Box::pin(nobody_listens())),
    ("faults::the_connection_is_cut", || {
        Box::pin(the_connection_is_cut())
    }),
    ("faults::the_answer_is_garbage", || {
        Box::pin(the_answer_is_garbage())
    }),
    ("faults::the_answer_is_an_error", || {
        Box::pin(the_answer_is_an_error())
    }),
    ("faults::the_project_is_missing", || {
        Box::pin(the_project_is_missing())
    }),
    ("faults::a_right_to_list_is_no_need", || {
        Box::pin(a_right_to_list_is_no_need())
    }),
    ("faults::a_policy_changes_in_between", || {
        Box::pin(a_policy_changes_in_between())
    }),
    ("faults::a_policy_that_never_rests", || {
        Box::pin(a_policy_that_never_rests())
    }),
    ("faults::a_listing_that_does_not_move_on", || {
        Box::pin(a_listing_that_does_not_move_on())
    }),
    ("faults::no_credentials_go_to_an_emulator", || {
        Box::pin(no_credentials_go_to_an_emulator())
    }),
];

fn place(host: String) -> Place {
    Place {
        host,
        project: "acme".to_owned(),
        policies: false,
    }
}

/// The scope that needs no call.
fn scope(place: &Place) -> Scope {
    place
        .backend(json!({"project_number": "1"}))
        .offline_scopes()
        .remove(0)
}

fn creating(resource: &Resource) -> Change {
    let plan = mq_core::plan::diff(
        resource.clone(),
        mq_core::Observed::absent(resource.id.clone()),
        &crate::specs::owner(),
        false,
        &mq_core::PlanOptions::default(),
    );
    assert_eq!(plan.action, Action::Create);
    plan
}

/// What reading and creating a queue's topic fails with.
async fn failures(place: &Place) -> (Error, Error) {
    let backend = place.backend(json!({"project_number": "1"}));
    let control = backend.control();
    let lowered = control.lower(&plain("orders"), &scope(place));
    let topic = &lowered.resources[0];
    let read = control.observe(&[topic]).await.expect_err("a failed read");
    let write = control
        .apply(&creating(topic))
        .await
        .expect_err("a failed write");
    (read, write)
}

async fn nobody_listens() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    drop(listener);
    let place = place(host);
    let (read, write) = failures(&place).await;
    let identify = place.backend(json!({})).control().identify().await;
    for error in [read, write, identify.expect_err("nobody")] {
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
        assert_eq!(error.effect(), Effect::None, "{error:?}");
        assert_eq!(error.retry(), Retry::After(None), "{error:?}");
    }
}

async fn the_connection_is_cut() {
    for answer in [
        Answer::Cut,
        Answer::Bytes(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{".to_vec()),
    ] {
        let server = Server::start(move |_| answer.clone()).await;
        let (read, write) = failures(&place(server.host())).await;
        for error in [read, write] {
            assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
            assert_eq!(error.effect(), Effect::Unknown, "{error:?}");
            assert_eq!(error.retry(), Retry::After(None), "{error:?}");
        }
    }
}

async fn the_answer_is_garbage() {
    for answer in [
        Answer::Json(200, "<html>Welcome to the hotel</html>".to_owned()),
        Answer::Json(200, r#"{"name": 7}"#.to_owned()),
        // Not Google's 404: it does not say that the topic is absent.
        Answer::Json(404, "<html>no such page</html>".to_owned()),
        Answer::Json(302, String::new()),
    ] {
        let shown = format!("{answer:?}");
        let server = Server::start(move |_| answer.clone()).await;
        let place = place(server.host());
        let (read, write) = failures(&place).await;
        let identify = place.backend(json!({})).control().identify().await;
        for error in [read, write, identify.expect_err("garbage")] {
            assert_eq!(error.kind(), ErrorKind::Unexpected, "{shown}: {error:?}");
            assert_eq!(error.retry(), Retry::Never, "{shown}");
        }
    }
}

async fn the_answer_is_an_error() {
    for (code, status, kind, effect) in [
        (
            401,
            "UNAUTHENTICATED",
            ErrorKind::Unauthenticated,
            Effect::None,
        ),
        (
            403,
            "PERMISSION_DENIED",
            ErrorKind::PermissionDenied,
            Effect::None,
        ),
        (
            429,
            "RESOURCE_EXHAUSTED",
            ErrorKind::RateLimited,
            Effect::None,
        ),
        (500, "INTERNAL", ErrorKind::Unavailable, Effect::Unknown),
        (503, "UNAVAILABLE", ErrorKind::Unavailable, Effect::Unknown),
    ] {
        let server = Server::start(move |_| Answer::error(code, status)).await;
        let (read, write) = failures(&place(server.host())).await;
        for error in [&read, &write] {
            assert_eq!(error.kind(), kind, "{error:?}");
            assert_eq!(error.effect(), effect, "{error:?}");
        }
        if kind == ErrorKind::PermissionDenied {
            assert!(read.message().contains("pubsub.topics.get"), "{read}");
            assert!(write.message().contains("pubsub.topics.create"), "{write}");
        }
        assert_eq!(server.requests().len(), 2, "nothing is retried here");
    }
}

async fn the_project_is_missing() {
    for (settings, code, status, kind, hint) in [
        (
            json!({}),
            403,
            "PERMISSION_DENIED",
            ErrorKind::PermissionDenied,
            "project_number",
        ),
        (
            json!({}),
            404,
            "NOT_FOUND",
            ErrorKind::NotFound,
            "gcloud projects list",
        ),
        (
            json!({"grants": "skip"}),
            404,
            "NOT_FOUND",
            ErrorKind::NotFound,
            "gcloud projects list",
        ),
        (
            json!({"project_number": "1"}),
            401,
            "UNAUTHENTICATED",
            ErrorKind::Unauthenticated,
            "gcloud auth",
        ),
    ] {
        let server = Server::start(move |_| Answer::error(code, status)).await;
        let place = place(server.host());
        let error = place.backend(settings.clone()).control().identify().await;
        let error = error.expect_err("no project");
        assert_eq!(error.kind(), kind, "{settings}: {error:?}");
        assert!(error.hint().expect("a hint").contains(hint), "{error:?}");
        assert_eq!(error.retry(), Retry::Never);
    }
    let deleted = json!({"name": "projects/1", "projectId": "acme", "state": "DELETE_REQUESTED"});
    let server = Server::start(move |_| Answer::ok(&deleted)).await;
    let error = place(server.host())
        .backend(json!({}))
        .control()
        .identify()
        .await;
    assert_eq!(error.expect_err("going").kind(), ErrorKind::NotFound);
}

/// With least privilege: single reads are allowed and listings are not.
async fn a_right_to_list_is_no_need() {
    let server = Server::start(|request: &Request| {
        let listing = request.path.ends_with("/topics") || request.path.ends_with("/subscriptions");
        if listing {
            Answer::error(403, "PERMISSION_DENIED")
        } else {
            Answer::error(404, "NOT_FOUND")
        }
    })
    .await;
    let place = place(server.host());
    let backend = place.backend(json!({"grants": "skip"}));
    let control = backend.control();
    let scope = control.identify().await.unwrap();
    let lowered: Vec<_> = (0..20)
        .map(|n| control.lower(&plain(&format!("queue-{n}")), &scope))
        .collect();
    let resources: Vec<&Resource> = lowered.iter().flat_map(|queue| &queue.resources).collect();
    let observed = control.observe(&resources).await.unwrap();
    assert_eq!(observed.len(), 40);
    assert!(observed.iter().all(|observed| observed.present.is_none()));
    let error = control
        .list_owned(None)
        .await
        .expect_err("pruning needs it");
    assert!(error.message().contains("pubsub."), "{error}");
}

/// The change of the source queue's grant, and the backend.
async fn grant(server: &Server) -> Result<(), Error> {
    let place = place(server.host());
    let backend = place.backend(json!({"project_number": "1"}));
    let control = backend.control();
    let lowered = control.lower(&rich("orders"), &scope(&place));
    let grant = lowered
        .resources
        .iter()
        .find(|resource| resource.id.kind == "pubsub.grant")
        .expect("a grant");
    control.apply(&creating(grant)).await
}

async fn a_policy_changes_in_between() {
    let writes = AtomicUsize::new(0);
    let server = Server::start(move |request: &Request| {
        if request.method == "GET" {
            // By the second read someone else has been there.
            let members = ["user:a", "user:b"];
            let count = writes.load(Ordering::SeqCst) + 1;
            return Answer::ok(json!({"version": 1, "etag": "BwWKmjvelug=", "bindings": [
                {"role": "roles/pubsub.publisher", "members": &members[..count.min(2)]},
            ]}));
        }
        if writes.fetch_add(1, Ordering::SeqCst) == 0 {
            return Answer::error(409, "ABORTED");
        }
        let body: serde_json::Value = serde_json::from_str(&request.body).unwrap();
        Answer::ok(&body["policy"])
    })
    .await;
    grant(&server).await.unwrap();
    let requests = server.requests();
    let methods: Vec<&str> = requests
        .iter()
        .map(|request| request.method.as_str())
        .collect();
    assert_eq!(methods, ["GET", "POST", "GET", "POST"]);
    assert!(
        requests[0].head.contains("equestedPolicyVersion=3"),
        "{}",
        requests[0].head
    );
    let written: serde_json::Value = serde_json::from_str(&requests[3].body).unwrap();
    assert_eq!(
        written["policy"],
        json!({"version": 1, "etag": "BwWKmjvelug=", "bindings": [{
            "role": "roles/pubsub.publisher",
            "members": ["user:a", "user:b",
                "serviceAccount:service-1@gcp-sa-pubsub.iam.gserviceaccount.com"],
        }]})
    );
}

async fn a_policy_that_never_rests() {
    let server = Server::start(|request: &Request| {
        if request.method == "GET" {
            Answer::ok(json!({"etag": "BwWKmjvelug="}))
        } else {
            Answer::error(409, "ABORTED")
        }
    })
    .await;
    let error = grant(&server).await.expect_err("others are faster");
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(error.retry(), Retry::After(None), "later it may go");
    assert_eq!(server.requests().len(), 8, "a few times and no more");
}

async fn a_listing_that_does_not_move_on() {
    let server =
        Server::start(|_| Answer::ok(json!({"topics": [], "nextPageToken": "again"}))).await;
    let place = place(server.host());
    let backend = place.backend(json!({"project_number": "1"}));
    let error = backend.control().list_owned(None).await;
    assert_eq!(error.expect_err("no end").kind(), ErrorKind::Unexpected);
    assert!(server.requests().len() <= 4);
}

async fn no_credentials_go_to_an_emulator() {
    let server = Server::start(|request: &Request| {
        if request.path == "/v3/projects/acme" {
            Answer::ok(json!({"name": "projects/4711", "state": "ACTIVE"}))
        } else {
            Answer::error(404, "NOT_FOUND")
        }
    })
    .await;
    let place = place(server.host());
    let backend = place.backend(json!({}));
    let found = backend.control().identify().await.unwrap();
    assert_eq!(found.facts["project_number"], "4711");
    let lowered = backend.control().lower(&rich("orders"), &found);
    let resources: Vec<&Resource> = lowered.resources.iter().collect();
    backend.control().observe(&resources).await.unwrap();
    let requests = server.requests();
    assert!(requests.len() > 4);
    for request in requests {
        let head = request.head.to_lowercase();
        assert!(!head.contains("authorization:"), "{head}");
    }
}
