//! IAM policies of topics and subscriptions.
//!
//! Rules: <https://cloud.google.com/iam/docs/reference/rpc/google.iam.v1>. The emulator grants
//! everything to everybody; policies are kept, checked and shown, with the etag that protects a
//! read-modify-write.

use googleapis_tonic_google_iam_v1::google::iam::v1::{
    Binding, GetIamPolicyRequest, Policy, SetIamPolicyRequest, TestIamPermissionsRequest,
    TestIamPermissionsResponse,
};
use mq_engine::{EntityId, EntityKind};
use prost::Message as _;
use prost_types::FieldMask;
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
        check_mask(request.update_mask)?;
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
        let now = self.shared.now();
        let set = Stored::of(&stored.replace_policy(&mut engine, now, policy)?)?.policy()?;
        if id.kind == EntityKind::Topic {
            self.topic_changed(&mut engine, &id)?;
        } else {
            self.surroundings_changed(&mut engine, &id)?;
        }
        Ok(set)
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

/// Without a mask it is "bindings, etag"; one without the bindings would set nothing.
fn check_mask(mask: Option<FieldMask>) -> Result<(), Status> {
    let Some(paths) = mask
        .map(|mask| mask.paths)
        .filter(|paths| !paths.is_empty())
    else {
        return Ok(());
    };
    if let Some(unknown) = paths
        .iter()
        .find(|path| !["bindings", "etag", "version"].contains(&path.as_str()))
    {
        return Err(Status::invalid_argument(format!(
            "Invalid update_mask: it names \"{}\".",
            shown(unknown)
        )));
    }
    if paths.iter().any(|path| path == "bindings") {
        return Ok(());
    }
    Err(Status::invalid_argument(
        "Invalid update_mask: it must name \"bindings\".",
    ))
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

/// The address of the project's Pub/Sub service agent.
pub(super) fn service_agent(scope: &Scope) -> String {
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
mod tests;
