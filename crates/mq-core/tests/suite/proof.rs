//! What was written is read again: a cloud that does not do what it was told is found out.

use std::collections::BTreeMap;
use std::time::Duration;

use mq_core::plan::PlanOptions;
use mq_core::provisioner::{FindingKind, Outcome};
use mq_core::timing::Clock;
use mq_core::{Effect, ErrorKind, Marker, Retry, Value};

use crate::lowering::{FIFO, LEASE, PROPAGATION, RETENTION, queue_id};
use crate::toy::{Fault, Faults, Held};
use crate::world::{
    World, anything, dead_lettered, done, expiring, file, marker, ordered, patched, plain, run,
    states,
};

fn swallowing(name: &str) -> Faults {
    Faults {
        swallows: [name.to_owned()].into(),
        ..Faults::default()
    }
}

fn lasting(seconds: u64) -> mq_core::spec::Setting<Duration> {
    mq_core::spec::Setting::Value(Duration::from_secs(seconds))
}

/// The findings, as name, attribute and whether it is different.
fn findings(outcome: &Outcome) -> Vec<(&str, &str, bool)> {
    let findings = outcome.findings.iter();
    findings
        .map(|finding| {
            (
                finding.resource.name.as_str(),
                finding.attribute.as_deref().unwrap_or("itself"),
                finding.kind == FindingKind::Different,
            )
        })
        .collect()
}

#[test]
fn an_attribute_that_is_swallowed_on_create_update_or_replace_is_different() {
    run(async {
        let default = PlanOptions::default();
        let short = patched(|patch| patch.visibility_timeout = lasting(5));
        for (first, second, swallowed) in [
            (None, plain(), LEASE),
            (Some(plain()), short.clone(), LEASE),
            // Not the attribute that forces the replacement, but one that comes with it.
            (Some(plain()), ordered(plain()), LEASE),
            (Some(plain()), ordered(plain()), FIFO),
        ] {
            let world = World::new();
            if let Some(first) = first {
                world.provisioned(&file([("a", first)])).await;
            }
            world.toy.set_faults(swallowing(swallowed));
            let options = PlanOptions {
                replace: ["a".to_owned()].into(),
                ..default.clone()
            };
            let outcome = world.provision(&file([("a", second)]), &options).await;
            let outcome = outcome.expect("planned");
            assert_eq!(outcome.applied(), 1);
            assert_eq!(findings(&outcome), [("a", swallowed, true)]);
        }
    });
}

#[test]
fn a_finding_says_what_was_wanted_and_what_is_there() {
    run(async {
        let world = World::new();
        world.provisioned(&file([("a", plain())])).await;
        world.toy.set_faults(swallowing(LEASE));
        let spec = file([("a", patched(|patch| patch.visibility_timeout = lasting(5)))]);
        let outcome = world
            .provision(&spec, &PlanOptions::default())
            .await
            .expect("planned");
        let finding = &outcome.findings[0];
        let seconds = |seconds| Some(Value::Duration(Duration::from_secs(seconds)));
        assert_eq!(
            (&finding.wanted, &finding.seen),
            (&seconds(5), &seconds(30))
        );
        assert_eq!(finding.queue, "a");
        assert_eq!(
            outcome.endpoints.len(),
            1,
            "the queue is there all the same"
        );
    });
}

#[test]
fn a_marker_that_is_dropped_on_create_or_adopt_is_found() {
    run(async {
        for adopting in [false, true] {
            let world = World::new();
            if adopting {
                let bare = Held::new(None).with(FIFO, Value::Bool(false));
                world.toy.put(queue_id("a"), bare);
            }
            world.toy.set_faults(Faults {
                drops_markers: true,
                ..Faults::default()
            });
            let outcome = world.provision(&file([("a", plain())]), &anything()).await;
            let outcome = outcome.expect("planned");
            // The toy says that its attributes may lag, and so may a marker.
            assert_eq!(findings(&outcome), [("a", "marker", false)], "{adopting}");
            assert!(world.clock.elapsed() >= Duration::from_secs(60));
        }
        let world = World::new();
        world.toy.set_faults(Faults {
            drops_markers: true,
            ..Faults::default()
        });
        let spec = file([("a", dead_lettered())]);
        let outcome = world
            .provision(&spec, &PlanOptions::default())
            .await
            .expect("planned");
        assert!(findings(&outcome).contains(&("a-dlq", "marker", true)));
    });
}

#[test]
fn a_change_that_lags_is_waited_for_and_then_said_and_left() {
    run(async {
        let longer = file([("a", patched(|patch| patch.retention = lasting(86_400)))]);
        for (lag, shows) in [(20, true), (59, true), (61, false)] {
            let world = World::new();
            world.provisioned(&file([("a", plain())])).await;
            world.toy.set_faults(Faults {
                lag: Duration::from_secs(lag),
                ..Faults::default()
            });
            let started = world.clock.elapsed();
            let outcome = world
                .provision(&longer, &PlanOptions::default())
                .await
                .expect("planned");
            let took = world.clock.elapsed() - started;
            let expected: &[_] = if shows {
                &[]
            } else {
                &[("a", RETENTION, false)]
            };
            assert_eq!(findings(&outcome), expected, "{lag} s");
            assert!(took <= Duration::from_secs(60), "{took:?}");
            if let Some(finding) = outcome.findings.first() {
                let within_seconds = PROPAGATION.as_secs();
                assert_eq!(finding.kind, FindingKind::NotYetVisible { within_seconds });
            }
        }
    });
}

#[test]
fn an_attribute_that_never_lags_is_not_waited_for() {
    run(async {
        let world = World::new();
        world.provisioned(&file([("a", plain())])).await;
        world.toy.set_faults(swallowing(LEASE));
        let started = world.clock.elapsed();
        let spec = file([("a", patched(|patch| patch.visibility_timeout = lasting(5)))]);
        world
            .provision(&spec, &PlanOptions::default())
            .await
            .expect("planned");
        assert_eq!(world.clock.elapsed(), started);
    });
}

#[test]
fn what_is_swallowed_is_said_beside_what_lags() {
    run(async {
        let world = World::new();
        world.provisioned(&file([("a", plain())])).await;
        world.toy.set_faults(Faults {
            lag: Duration::from_secs(100),
            ..swallowing(LEASE)
        });
        let spec = file([(
            "a",
            patched(|patch| {
                patch.visibility_timeout = lasting(5);
                patch.retention = lasting(86_400);
            }),
        )]);
        let outcome = world
            .provision(&spec, &PlanOptions::default())
            .await
            .expect("planned");
        assert_eq!(
            findings(&outcome),
            [("a", LEASE, true), ("a", RETENTION, false)]
        );
    });
}

#[test]
fn a_resource_that_takes_a_while_to_show_is_waited_for() {
    run(async {
        for (after, shows) in [(10, true), (70, false)] {
            let world = World::new();
            world.toy.set_faults(Faults {
                appears_after: Duration::from_secs(after),
                ..Faults::default()
            });
            let spec = file([("a", plain())]);
            let outcome = world
                .provision(&spec, &PlanOptions::default())
                .await
                .expect("planned");
            let expected: &[_] = if shows {
                &[]
            } else {
                &[("a", "itself", false)]
            };
            assert_eq!(findings(&outcome), expected);
            assert_eq!(outcome.endpoints.len(), usize::from(shows));
        }
    });
}

#[test]
fn a_reading_that_fails_leaves_the_changes_made_and_unproved() {
    run(async {
        let world = World::new();
        let spec = file([("a", plain())]);
        let plan = world
            .plan(&spec, &PlanOptions::default())
            .await
            .expect("planned");
        world.toy.forget_calls();
        let fault = Fault::Fails(ErrorKind::PermissionDenied, Retry::Never, Effect::None);
        world.toy.set_faults(Faults {
            at: BTreeMap::from([(1, fault)]),
            ..Faults::default()
        });
        let outcome = world.apply(&plan).await;
        assert_eq!(outcome.applied(), 1);
        let error = outcome.unproved.expect("unproved");
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    });
}

/// A file with one queue, of which it states the lease.
fn leased() -> mq_core::Spec {
    file([("a", patched(|patch| patch.visibility_timeout = lasting(7)))])
}

/// Someone makes the queue of that file between the plan and the change.
async fn raced(held: Held) -> (World, Outcome) {
    let world = World::new();
    let plan = world
        .plan(&leased(), &PlanOptions::default())
        .await
        .expect("planned");
    world.toy.set_faults(Faults {
        races: BTreeMap::from([(queue_id("a"), held)]),
        ..Faults::default()
    });
    let outcome = world.apply(&plan).await;
    (world, outcome)
}

#[test]
fn what_another_run_of_ours_made_meanwhile_is_gone_on_with() {
    run(async {
        let twin = World::new();
        twin.provisioned(&leased()).await;
        let held = twin.toy.held()[&queue_id("a")].clone();
        // The same run again, and one of an older file: what the file states is corrected.
        let older = Value::Duration(Duration::from_secs(5));
        for meanwhile in [held.clone(), held.with(LEASE, older)] {
            let (world, outcome) = raced(meanwhile).await;
            done(&Ok(outcome));
            assert_eq!(world.toy.snapshot(), twin.toy.snapshot());
        }
    });
}

#[test]
fn what_someone_else_made_meanwhile_is_refused_and_spared() {
    run(async {
        for (owner, why) in [
            (None, "`mq` did not make it"),
            (
                Some(marker("market", "a")),
                "it belongs to the stack `market`",
            ),
        ] {
            let theirs = Held::new(owner);
            let (world, outcome) = raced(theirs.clone()).await;
            let states = states(&outcome);
            assert!(states[0].1.contains(why), "{states:?}");
            let (_, error) = outcome.failures().next().expect("failed");
            assert_eq!(error.kind(), ErrorKind::Refused);
            assert_eq!(world.toy.held()[&queue_id("a")], theirs);
        }
    });
}

#[test]
fn two_runs_of_a_stage_that_expires_do_not_take_each_other_for_a_mismatch() {
    run(async {
        let spec = expiring(file([("a", plain())]));
        let mut world = World::new();
        world.stage = Some("ci".to_owned());
        let plan = world
            .plan(&spec, &PlanOptions::default())
            .await
            .expect("planned");
        let twin = World {
            stage: Some("ci".to_owned()),
            ..World::new()
        };
        twin.provisioned(&spec).await;
        let id = queue_id("ci-a");
        let mut held = twin.toy.held()[&id].clone();
        let later = |marker: Marker| Marker {
            expires_at: marker.expires_at.map(|at| at + 7),
            ..marker
        };
        held.marker = held.marker.map(later);
        world.toy.set_faults(Faults {
            races: BTreeMap::from([(id, held)]),
            ..Faults::default()
        });
        done(&Ok(world.apply(&plan).await));
    });
}

#[test]
fn a_lost_answer_to_a_create_that_shows_late_is_no_failure() {
    run(async {
        let mut world = World::new();
        world.layered = true;
        let spec = file([("a", plain())]);
        let plan = world
            .plan(&spec, &PlanOptions::default())
            .await
            .expect("planned");
        world.toy.forget_calls();
        let lost = Fault::Fails(ErrorKind::Unavailable, Retry::After(None), Effect::Unknown);
        world.toy.set_faults(Faults {
            at: BTreeMap::from([(0, lost)]),
            appears_after: Duration::from_secs(5),
            ..Faults::default()
        });
        done(&Ok(world.apply(&plan).await));
        assert_eq!(world.toy.writes().len(), 2, "the answer was lost once");
    });
}
