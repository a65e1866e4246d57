//! IAM policies of topics and subscriptions.
//!
//! Rules: <https://cloud.google.com/iam/docs/reference/rpc/google.iam.v1>. The emulator grants
//! everything to everybody; policies are kept, checked and shown, with the etag that protects a
//! read-modify-write.

use googleapis_tonic_google_iam_v1::google::iam::v1::{
    Binding, GetIamPolicyRequest, Policy, SetIamPolicyRequest, TestIamPermissionsRequest,
    TestIamPermissionsResponse,
};
use mq_engine::EntityId;
use prost::Message as _;
use sha2::{Digest, Sha256};
use tonic::Status;

use super::status::{shown, unimplemented};
use super::store::{Stored, find};
use super::{PubSub, Scope, names};

/// The version of a policy that has conditions.
const VERSION_WITH_CONDITIONS: i32 = 3;
const MEMBERS_MAX: usize = 1_500;
/// Stands before the hash in the name of a role whose condition the caller cannot read.
const WITH_CONDITION: &str = "_withcond_";

impl PubSub {
    pub(super) fn get_iam_policy(&self, request: GetIamPolicyRequest) -> Result<Policy, Status> {
        let id = resource(&request.resource)?;
        let version = request.options.unwrap_or_default().requested_policy_version;
        check_version(version)?;
        let engine = self.shared.engine();
        let policy = Stored::of(self.observe(&engine, &id)?)?.policy()?;
        Ok(if version < VERSION_WITH_CONDITIONS {
            without_conditions(policy)
        } else {
            policy
        })
    }

    pub(super) fn set_iam_policy(&self, request: SetIamPolicyRequest) -> Result<Policy, Status> {
        let id = resource(&request.resource)?;
        let given = request
            .policy
            .ok_or_else(|| Status::invalid_argument("The policy to set must be specified."))?;
        // Without a mask it is "bindings, etag".
        for path in request.update_mask.unwrap_or_default().paths {
            if !["bindings", "etag", "version"].contains(&path.as_str()) {
                return Err(Status::invalid_argument(format!(
                    "Invalid update_mask: it names \"{}\".",
                    shown(&path)
                )));
            }
        }
        let policy = check_policy(given)?;
        if self.shared.quirks.pubsub_iam_required {
            check_service_agents(&policy, &self.scope)?;
        }
        let mut engine = self.shared.engine();
        let stored = Stored::of(find(&engine, &id)?)?;
        // Without an etag the caller overwrites whatever is there.
        if !policy.etag.is_empty() && policy.etag != stored.policy()?.etag {
            return Err(Status::aborted(
                "There were concurrent policy changes: the request's etag is not that of the current policy. \
                 Please retry the whole read-modify-write with exponential backoff.",
            ));
        }
        Stored::of(&stored.replace_policy(&mut engine, policy)?)?.policy()
    }

    /// Every permission that was asked about, or none when the resource is not there.
    pub(super) fn test_iam_permissions(
        &self,
        request: TestIamPermissionsRequest,
    ) -> Result<TestIamPermissionsResponse, Status> {
        let id = resource(&request.resource)?;
        let malformed =
            |permission: &&String| permission.contains('*') || permission.split('.').count() < 3;
        if let Some(permission) = request.permissions.iter().find(malformed) {
            return Err(Status::invalid_argument(format!(
                "Permission {} is not one: it must read service.resource.verb, without wildcards.",
                shown(permission)
            )));
        }
        let there = self.shared.engine().get(&id).is_some();
        Ok(TestIamPermissionsResponse {
            permissions: if there {
                request.permissions
            } else {
                Vec::new()
            },
        })
    }
}

fn resource(name: &str) -> Result<EntityId, Status> {
    match name.split('/').nth(2) {
        Some("subscriptions") => names::subscription(name),
        Some("snapshots") => Err(unimplemented("IAM policies of snapshots")),
        Some("schemas") => Err(unimplemented("IAM policies of schemas")),
        _ => names::topic(name),
    }
}

fn check_version(version: i32) -> Result<(), Status> {
    match version {
        0 | 1 | VERSION_WITH_CONDITIONS => Ok(()),
        other => Err(Status::invalid_argument(format!(
            "A policy's version is 0, 1 or 3; {other} is none."
        ))),
    }
}

/// The policy as it is kept: bindings of one role and condition made one, members named once.
fn check_policy(policy: Policy) -> Result<Policy, Status> {
    check_version(policy.version)?;
    if !policy.audit_configs.is_empty() {
        return Err(unimplemented("audit configurations (policy.audit_configs)"));
    }
    let conditional = policy
        .bindings
        .iter()
        .any(|binding| binding.condition.is_some());
    if conditional && policy.version != VERSION_WITH_CONDITIONS {
        return Err(Status::invalid_argument(
            "A policy with conditional bindings must have version 3.",
        ));
    }
    let mut bindings: Vec<Binding> = Vec::new();
    for binding in policy.bindings {
        check_binding(&binding)?;
        match bindings
            .iter_mut()
            .find(|kept| kept.role == binding.role && kept.condition == binding.condition)
        {
            Some(kept) => kept.members.extend(binding.members),
            None => bindings.push(binding),
        }
    }
    for binding in &mut bindings {
        binding.members.sort();
        binding.members.dedup();
    }
    if bindings
        .iter()
        .map(|binding| binding.members.len())
        .sum::<usize>()
        > MEMBERS_MAX
    {
        return Err(Status::invalid_argument(format!(
            "A policy must not name more than {MEMBERS_MAX} members."
        )));
    }
    let version = if conditional {
        VERSION_WITH_CONDITIONS
    } else {
        1
    };
    Ok(Policy {
        version,
        bindings,
        ..policy
    })
}

fn check_binding(binding: &Binding) -> Result<(), Status> {
    let role = &binding.role;
    let known_form = role.starts_with("roles/")
        || ((role.starts_with("projects/") || role.starts_with("organizations/"))
            && role.contains("/roles/"));
    if !known_form || role.contains(WITH_CONDITION) {
        return Err(Status::invalid_argument(format!(
            "Role {} is not supported for this resource.",
            shown(role)
        )));
    }
    if binding.members.is_empty() {
        return Err(Status::invalid_argument(format!(
            "The binding of {} must name at least one member.",
            shown(role)
        )));
    }
    match binding.members.iter().find(|member| !is_member(member)) {
        Some(member) => Err(Status::invalid_argument(format!(
            "Member {} is none: it must read allUsers, allAuthenticatedUsers or type:id, such as serviceAccount:name@example.com.",
            shown(member)
        ))),
        None => Ok(()),
    }
}

fn is_member(member: &str) -> bool {
    let named = member
        .split_once(':')
        .is_some_and(|(kind, id)| !kind.is_empty() && !id.is_empty());
    member == "allUsers" || member == "allAuthenticatedUsers" || named
}

/// The quirk `pubsub-iam-required`: as in the cloud, only accounts that exist can be members, and
/// of the projects that have a Pub/Sub service agent the emulator knows one.
fn check_service_agents(policy: &Policy, scope: &Scope) -> Result<(), Status> {
    let own = service_agent(scope);
    let is_agent = |member: &&String| member.ends_with("@gcp-sa-pubsub.iam.gserviceaccount.com");
    let mut agents = policy
        .bindings
        .iter()
        .flat_map(|binding| &binding.members)
        .filter(is_agent);
    match agents.find(|agent| **agent != format!("serviceAccount:{own}")) {
        Some(agent) => Err(Status::invalid_argument(format!(
            "Member {} does not exist. The project's Pub/Sub service agent is {own}.",
            shown(agent)
        ))),
        None => Ok(()),
    }
}

fn service_agent(scope: &Scope) -> String {
    format!(
        "service-{}@gcp-sa-pubsub.iam.gserviceaccount.com",
        scope.project_number
    )
}

/// What a caller sees who does not ask for version 3: the condition is gone and its role has a
/// name that tells it apart from the unconditional one.
fn without_conditions(policy: Policy) -> Policy {
    let bindings = policy
        .bindings
        .into_iter()
        .map(|binding| match &binding.condition {
            None => binding,
            Some(condition) => {
                let hash = Sha256::digest(condition.encode_to_vec());
                let hash: String = hash
                    .iter()
                    .take(10)
                    .map(|byte| format!("{byte:02x}"))
                    .collect();
                Binding {
                    role: format!("{}{WITH_CONDITION}{hash}", binding.role),
                    condition: None,
                    ..binding
                }
            }
        })
        .collect();
    Policy {
        version: policy.version.min(1),
        bindings,
        ..policy
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use googleapis_tonic_google_iam_v1::google::iam::v1::{AuditConfig, GetPolicyOptions};
    use googleapis_tonic_google_iam_v1::google::r#type::Expr;
    use googleapis_tonic_google_pubsub_v1::google::pubsub::v1::{
        DeleteTopicRequest, Subscription, Topic, UpdateTopicRequest,
    };
    use prost_types::FieldMask;
    use tonic::Code;

    use super::*;
    use crate::quirks::Quirks;
    use crate::shared::Shared;

    const TOPIC: &str = "projects/p/topics/orders-dlq";
    const SUBSCRIPTION: &str = "projects/p/subscriptions/orders-sub";
    const AGENT: &str = "serviceAccount:service-4711@gcp-sa-pubsub.iam.gserviceaccount.com";

    fn service(quirks: Quirks) -> PubSub {
        let pubsub = PubSub::new(
            Arc::new(Shared::new(quirks, 1)),
            Scope {
                project_number: 4711,
            },
        );
        make_topic(&pubsub);
        let subscription = Subscription {
            name: SUBSCRIPTION.to_owned(),
            topic: TOPIC.to_owned(),
            ..Subscription::default()
        };
        pubsub.create_subscription(subscription).unwrap();
        pubsub
    }

    fn make_topic(pubsub: &PubSub) {
        pubsub
            .create_topic(Topic {
                name: TOPIC.to_owned(),
                ..Topic::default()
            })
            .unwrap();
    }

    fn get(pubsub: &PubSub, resource: &str, requested_policy_version: i32) -> Policy {
        let options = Some(GetPolicyOptions {
            requested_policy_version,
        });
        let request = GetIamPolicyRequest {
            resource: resource.to_owned(),
            options,
        };
        pubsub.get_iam_policy(request).unwrap()
    }

    fn set(pubsub: &PubSub, resource: &str, policy: Policy) -> Result<Policy, Status> {
        pubsub.set_iam_policy(SetIamPolicyRequest {
            resource: resource.to_owned(),
            policy: Some(policy),
            update_mask: None,
        })
    }

    fn binding(role: &str, members: &[&str]) -> Binding {
        let members = members.iter().map(|member| (*member).to_owned()).collect();
        Binding {
            role: role.to_owned(),
            members,
            condition: None,
        }
    }

    fn policy(bindings: Vec<Binding>) -> Policy {
        Policy {
            bindings,
            ..Policy::default()
        }
    }

    #[test]
    fn a_policy_starts_empty_and_is_kept_by_topics_and_subscriptions_apart() {
        let pubsub = service(Quirks::default());
        assert!(get(&pubsub, TOPIC, 0).bindings.is_empty());
        let publisher = vec![binding("roles/pubsub.publisher", &[AGENT])];
        let answer = set(&pubsub, TOPIC, policy(publisher.clone())).unwrap();
        assert_eq!((&answer.bindings, answer.version), (&publisher, 1));
        assert_eq!(get(&pubsub, TOPIC, 0), answer);
        assert!(get(&pubsub, SUBSCRIPTION, 0).bindings.is_empty());
    }

    #[test]
    fn a_stale_etag_aborts_and_no_etag_overwrites() {
        let pubsub = service(Quirks::default());
        let first = get(&pubsub, TOPIC, 0);
        assert!(!first.etag.is_empty());
        let mine = Policy {
            etag: first.etag.clone(),
            ..policy(vec![binding(
                "roles/pubsub.viewer",
                &["user:me@example.com"],
            )])
        };
        let second = set(&pubsub, TOPIC, mine.clone()).unwrap();
        assert_ne!(second.etag, first.etag);
        assert_eq!(set(&pubsub, TOPIC, mine).unwrap_err().code(), Code::Aborted);
        assert_eq!(get(&pubsub, TOPIC, 0), second);
        let third = set(&pubsub, TOPIC, Policy::default()).unwrap();
        assert!(third.bindings.is_empty());
        assert_ne!(third.etag, second.etag);
    }

    #[test]
    fn the_etag_is_the_policy_s_alone_and_the_policy_goes_with_its_resource() {
        let pubsub = service(Quirks::default());
        let before = set(
            &pubsub,
            TOPIC,
            policy(vec![binding("roles/pubsub.viewer", &["allUsers"])]),
        )
        .unwrap();
        let topic = Topic {
            name: TOPIC.to_owned(),
            labels: [("team".to_owned(), "a".to_owned())].into(),
            ..Topic::default()
        };
        let update_mask = Some(FieldMask {
            paths: vec!["labels".to_owned()],
        });
        pubsub
            .update_topic(UpdateTopicRequest {
                topic: Some(topic),
                update_mask,
            })
            .unwrap();
        assert_eq!(get(&pubsub, TOPIC, 0), before);

        pubsub
            .delete_topic(DeleteTopicRequest {
                topic: TOPIC.to_owned(),
            })
            .unwrap();
        make_topic(&pubsub);
        assert!(get(&pubsub, TOPIC, 0).bindings.is_empty());
    }

    #[test]
    fn bindings_of_one_role_become_one() {
        let pubsub = service(Quirks::default());
        let given = policy(vec![
            binding("roles/pubsub.viewer", &["user:b@x", "user:a@x"]),
            binding("roles/pubsub.editor", &["user:c@x"]),
            binding("roles/pubsub.viewer", &["user:a@x"]),
        ]);
        let kept = set(&pubsub, TOPIC, given).unwrap();
        let merged = vec![
            binding("roles/pubsub.viewer", &["user:a@x", "user:b@x"]),
            binding("roles/pubsub.editor", &["user:c@x"]),
        ];
        assert_eq!(kept.bindings, merged);
    }

    #[test]
    fn a_condition_needs_version_3_to_be_set_and_to_be_seen() {
        let pubsub = service(Quirks::default());
        let condition = Some(Expr {
            expression: "request.time < x".to_owned(),
            ..Expr::default()
        });
        let conditional = Binding {
            condition,
            ..binding("roles/pubsub.viewer", &["user:a@x"])
        };
        let given = policy(vec![
            binding("roles/pubsub.viewer", &["user:a@x"]),
            conditional,
        ]);
        let refused = set(&pubsub, TOPIC, given.clone()).unwrap_err();
        assert!(
            refused.message().contains("version 3"),
            "{}",
            refused.message()
        );
        set(
            &pubsub,
            TOPIC,
            Policy {
                version: 3,
                ..given.clone()
            },
        )
        .unwrap();

        let whole = get(&pubsub, TOPIC, 3);
        assert_eq!((&whole.bindings, whole.version), (&given.bindings, 3));
        let reduced = get(&pubsub, TOPIC, 1);
        assert_eq!(reduced.version, 1);
        assert_eq!(reduced.bindings[0], given.bindings[0]);
        assert!(
            reduced.bindings[1]
                .role
                .starts_with("roles/pubsub.viewer_withcond_")
        );
        assert_eq!(reduced.bindings[1].condition, None);
        // Writing back what was read without its condition would lose it.
        assert_eq!(
            set(&pubsub, TOPIC, reduced).unwrap_err().code(),
            Code::InvalidArgument
        );
    }

    #[test]
    fn what_is_no_policy_is_refused() {
        let pubsub = service(Quirks::default());
        let viewer = "roles/pubsub.viewer";
        let crowd: Vec<String> = (0..=MEMBERS_MAX).map(|n| format!("user:{n}@x")).collect();
        let crowd: Vec<&str> = crowd.iter().map(String::as_str).collect();
        for bad in [
            policy(vec![binding("pubsub.viewer", &["user:a@x"])]),
            policy(vec![binding("", &["user:a@x"])]),
            policy(vec![binding(viewer, &[])]),
            policy(vec![binding(viewer, &["a@x"])]),
            policy(vec![binding(viewer, &["user:"])]),
            policy(vec![binding(viewer, &["everyone"])]),
            policy(vec![binding(viewer, &crowd)]),
            Policy {
                version: 2,
                ..Policy::default()
            },
        ] {
            let status = set(&pubsub, TOPIC, bad).unwrap_err();
            assert_eq!(status.code(), Code::InvalidArgument, "{}", status.message());
        }
        let audited = Policy {
            audit_configs: vec![AuditConfig::default()],
            ..Policy::default()
        };
        assert_eq!(
            set(&pubsub, TOPIC, audited).unwrap_err().code(),
            Code::Unimplemented
        );
        for (resource, code) in [
            ("projects/p/topics/missing", Code::NotFound),
            ("projects/p/subscriptions/missing", Code::NotFound),
            ("projects/p/snapshots/any", Code::Unimplemented),
            ("projects/p/schemas/any", Code::Unimplemented),
            ("projects/p", Code::InvalidArgument),
            ("", Code::InvalidArgument),
        ] {
            let refused = set(&pubsub, resource, Policy::default()).unwrap_err();
            assert_eq!(refused.code(), code, "{resource}");
        }
        assert!(get(&pubsub, TOPIC, 0).bindings.is_empty());
    }

    #[test]
    fn under_the_quirk_a_grant_to_another_project_s_agent_is_refused() {
        let other = "serviceAccount:service-1@gcp-sa-pubsub.iam.gserviceaccount.com";
        let grant = |member| policy(vec![binding("roles/pubsub.publisher", &[member])]);
        set(&service(Quirks::default()), TOPIC, grant(other)).unwrap();

        let strict = service(Quirks {
            pubsub_iam_required: true,
            ..Quirks::default()
        });
        let refused = set(&strict, TOPIC, grant(other)).unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert!(
            refused.message().contains("service-4711@"),
            "{}",
            refused.message()
        );
        set(&strict, TOPIC, grant(AGENT)).unwrap();
        set(
            &strict,
            TOPIC,
            grant("serviceAccount:app@p.iam.gserviceaccount.com"),
        )
        .unwrap();
    }

    #[test]
    fn permissions_are_held_on_what_is_there() {
        let pubsub = service(Quirks::default());
        let test = |resource: &str, permission: &str| {
            pubsub.test_iam_permissions(TestIamPermissionsRequest {
                resource: resource.to_owned(),
                permissions: vec![permission.to_owned()],
            })
        };
        let publish = "pubsub.topics.publish";
        assert_eq!(test(TOPIC, publish).unwrap().permissions, [publish]);
        assert!(
            test("projects/p/topics/missing", publish)
                .unwrap()
                .permissions
                .is_empty()
        );
        for bad in ["pubsub.*", "pubsub.topics.*", "publish", ""] {
            assert_eq!(
                test(TOPIC, bad).unwrap_err().code(),
                Code::InvalidArgument,
                "{bad}"
            );
        }
    }
}
