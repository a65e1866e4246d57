//! The quirks `latency` and `error-rate`, the same for every front-end.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use http::request::Parts;
use mq_engine::Timestamp;

use crate::guard::Probe;
use crate::shared::Shared;

/// How a front-end words its service's own internal error for a request, at this time.
pub(crate) type Render = fn(&Parts, Timestamp) -> Response;

#[derive(Clone)]
struct Faults {
    shared: Arc<Shared>,
    render: Render,
}

/// The router, late and failing as the quirks say: half of the errors come before the work was
/// done, half after it, as an answer that was lost.
pub(crate) fn inject(router: Router, shared: &Arc<Shared>, render: Render) -> Router {
    if shared.quirks.latency.is_zero() && shared.quirks.error_rate <= 0.0 {
        return router;
    }
    router.layer(middleware::from_fn_with_state(
        Faults {
            shared: Arc::clone(shared),
            render,
        },
        disturb,
    ))
}

async fn disturb(State(faults): State<Faults>, request: Request, next: Next) -> Response {
    if request.extensions().get::<Probe>().is_some() {
        return next.run(request).await;
    }
    let quirks = &faults.shared.quirks;
    if !quirks.latency.is_zero() {
        tokio::time::sleep(quirks.latency).await;
    }
    if !faults.shared.chance(quirks.error_rate) {
        return next.run(request).await;
    }
    let (head, body) = request.into_parts();
    if faults.shared.chance(0.5) {
        let _lost = next.run(Request::from_parts(head.clone(), body)).await;
    }
    (faults.render)(&head, faults.shared.now())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    use axum::body::Body;
    use axum::response::IntoResponse;
    use axum::routing::any;
    use http::StatusCode;
    use tower::ServiceExt;

    use super::*;
    use crate::quirks::Quirks;

    fn internal_error(_: &Parts, _: Timestamp) -> Response {
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }

    /// For each of `requests`, whether it was answered and whether its work was done.
    async fn outcomes(rate: f64, seed: u64, requests: usize) -> Vec<(bool, bool)> {
        let shared = Arc::new(Shared::new(
            Quirks {
                error_rate: rate,
                ..Quirks::default()
            },
            seed,
        ));
        let work = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&work);
        let handler = any(move || async move {
            counted.fetch_add(1, Ordering::Relaxed);
        });
        let router = inject(Router::new().route("/", handler), &shared, internal_error);
        let mut outcomes = Vec::new();
        for _ in 0..requests {
            let before = work.load(Ordering::Relaxed);
            let answer = router
                .clone()
                .oneshot(Request::new(Body::empty()))
                .await
                .unwrap();
            outcomes.push((
                answer.status().is_success(),
                work.load(Ordering::Relaxed) > before,
            ));
        }
        outcomes
    }

    #[tokio::test]
    async fn errors_come_before_and_after_the_work_and_repeat_with_the_seed() {
        println!("seed 7");
        let seen = outcomes(0.5, 7, 200).await;
        let count = |wanted| seen.iter().filter(|outcome| **outcome == wanted).count();
        assert!(
            (60..140).contains(&count((true, true))),
            "{}",
            count((true, true))
        );
        assert!(count((false, true)) > 20, "no lost answers");
        assert!(count((false, false)) > 20, "no refused work");
        assert_eq!(count((true, false)), 0, "an answer without work");
        assert_eq!(
            seen,
            outcomes(0.5, 7, 200).await,
            "the same seed gave another run"
        );
        assert_ne!(seen, outcomes(0.5, 8, 200).await);
    }

    #[tokio::test]
    async fn without_the_quirk_nothing_fails() {
        assert!(
            outcomes(0.0, 1, 100)
                .await
                .iter()
                .all(|outcome| *outcome == (true, true))
        );
    }

    #[tokio::test(start_paused = true)]
    async fn latency_delays_every_answer() {
        let quirks = Quirks {
            latency: Duration::from_millis(50),
            ..Quirks::default()
        };
        let shared = Arc::new(Shared::new(quirks, 1));
        let router = inject(
            Router::new().route("/", any(|| async {})),
            &shared,
            internal_error,
        );
        let start = tokio::time::Instant::now();
        router.oneshot(Request::new(Body::empty())).await.unwrap();
        assert!(start.elapsed() >= Duration::from_millis(50));
    }
}
