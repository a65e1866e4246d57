//! Resource names: `projects/{project}/topics/{topic}` and the like.
//!
//! Rules: <https://cloud.google.com/pubsub/docs/pubsub-basics#resource_names>.

use mq_engine::{EntityId, EntityKind, Service};
use tonic::Status;

use super::status::shown;

/// What a subscription shows as its topic once that is gone.
pub(super) const DELETED_TOPIC: &str = "_deleted-topic_";

/// The topic that a full name means.
pub(super) fn topic(name: &str) -> Result<EntityId, Status> {
    parse(name, EntityKind::Topic)
}

/// The subscription that a full name means.
pub(super) fn subscription(name: &str) -> Result<EntityId, Status> {
    parse(name, EntityKind::Subscription)
}

/// The full name of a snapshot, checked.
pub(super) fn snapshot(name: &str) -> Result<String, Status> {
    let shape = "it must read projects/{project}/snapshots/{snapshot}";
    parts(name, "snapshots", shape).map(|_| name.to_owned())
}

/// The project's ID in `projects/{project}`.
pub(super) fn project(name: &str) -> Result<String, Status> {
    let id = name
        .strip_prefix("projects/")
        .ok_or_else(|| invalid(name, "it must read projects/{project}"))?;
    check_project(id).map_err(|why| invalid(name, why))?;
    Ok(id.to_owned())
}

/// The full name of a topic or subscription.
pub(super) fn full(id: &EntityId) -> String {
    format!("projects/{}/{}/{}", id.scope, collection(id.kind), id.name)
}

/// Whether a project of this ID can be. Any that can is there.
fn check_project(id: &str) -> Result<(), &'static str> {
    // Domain-scoped projects read `example.com:project`.
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    if id.is_empty() || id.len() > 63 || !id.bytes().all(allowed) {
        return Err("a project's ID has 1 to 63 letters, digits, '-', '_', '.' and ':'");
    }
    Ok(())
}

fn parse(name: &str, kind: EntityKind) -> Result<EntityId, Status> {
    let (project, id) = parts(name, collection(kind), shape(kind))?;
    Ok(EntityId {
        service: Service::PubSub,
        kind,
        scope: project.to_owned(),
        name: id.to_owned(),
    })
}

/// The project and the last part of a full name.
fn parts<'n>(name: &'n str, collection: &str, shape: &str) -> Result<(&'n str, &'n str), Status> {
    let mut parts = name.split('/');
    let (Some("projects"), Some(project), Some(word), Some(id), None) = (
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
    ) else {
        return Err(invalid(name, shape));
    };
    if word != collection {
        return Err(invalid(name, shape));
    }
    check_project(project)
        .and_then(|()| check_id(id))
        .map_err(|why| invalid(name, why))?;
    Ok((project, id))
}

fn collection(kind: EntityKind) -> &'static str {
    if kind == EntityKind::Topic {
        "topics"
    } else {
        "subscriptions"
    }
}

fn shape(kind: EntityKind) -> &'static str {
    if kind == EntityKind::Topic {
        "it must read projects/{project}/topics/{topic}"
    } else {
        "it must read projects/{project}/subscriptions/{subscription}"
    }
}

fn check_id(id: &str) -> Result<(), &'static str> {
    if !(3..=255).contains(&id.len()) {
        return Err("the last part must be 3 to 255 characters long");
    }
    if !id.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return Err("the last part must start with a letter");
    }
    if !id
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-_.~+%".contains(&byte))
    {
        return Err("the last part may hold letters, digits and '-', '_', '.', '~', '+', '%' only");
    }
    if id.starts_with("goog") {
        return Err("the last part must not start with \"goog\"");
    }
    Ok(())
}

fn invalid(name: &str, why: &str) -> Status {
    Status::invalid_argument(format!(
        "Invalid resource name given (name={}): {why}. Refer to \
         https://cloud.google.com/pubsub/docs/pubsub-basics#resource_names for more information.",
        shown(name)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_names_come_apart_and_together() {
        let longest = format!("a{}", "9".repeat(254));
        for id in ["abc", "Orders-1_x.~+%", longest.as_str()] {
            let name = format!("projects/acme-prod/topics/{id}");
            let parsed = topic(&name).unwrap();
            assert_eq!(
                (parsed.scope.as_str(), parsed.name.as_str()),
                ("acme-prod", id)
            );
            assert_eq!(full(&parsed), name);
        }
        assert_eq!(
            subscription("projects/example.com:p/subscriptions/sub")
                .unwrap()
                .scope,
            "example.com:p"
        );
        assert_eq!(project("projects/acme").unwrap(), "acme");
    }

    #[test]
    fn bad_names_are_refused_with_the_rule_that_they_break() {
        let too_long = format!("projects/p/topics/a{}", "9".repeat(255));
        for (name, rule) in [
            ("", "must read projects/{project}/topics/{topic}"),
            ("abc", "must read"),
            ("projects/p/subscriptions/abc", "must read"),
            ("projects/p/topics/abc/x", "must read"),
            ("/projects/p/topics/abc", "must read"),
            ("projects//topics/abc", "project's ID"),
            ("projects/a b/topics/abc", "project's ID"),
            ("projects/p/topics/", "3 to 255"),
            ("projects/p/topics/ab", "3 to 255"),
            (too_long.as_str(), "3 to 255"),
            ("projects/p/topics/1abc", "start with a letter"),
            ("projects/p/topics/_deleted-topic_", "start with a letter"),
            ("projects/p/topics/ab$", "may hold"),
            ("projects/p/topics/abé", "may hold"),
            ("projects/p/topics/google", "goog"),
        ] {
            let status = topic(name).unwrap_err();
            assert_eq!(status.code(), tonic::Code::InvalidArgument);
            assert!(
                status.message().contains(rule),
                "{name}: {}",
                status.message()
            );
        }
        for name in ["", "p", "projects/", "projects/a/b"] {
            assert_eq!(
                project(name).unwrap_err().code(),
                tonic::Code::InvalidArgument,
                "{name}"
            );
        }
    }
}
