//! What one entry under `clouds` and the environment say, before any call.

use mq_core::backend::{Access, Scope, SettingInfo, SettingKind};
use mq_core::error::{Error, ErrorKind, Result};
use mq_core::spec::Target;
use reqwest::Url;

/// Names of facts in the scope.
pub(crate) mod fact {
    pub(crate) const PROJECT: &str = "project";
    pub(crate) const PROJECT_NUMBER: &str = "project_number";
    pub(crate) const SERVICE_AGENT: &str = "service_agent";
}

/// Stands for the service agent where the project's number is not known yet.
pub(crate) const AGENT_UNKNOWN: &str = "(known after identify)";

const GRANTS: &[&str] = &["manage", "check", "skip"];

/// The keys of a `clouds` entry.
pub(crate) const SETTINGS: &[SettingInfo] = &[
    SettingInfo {
        name: "project",
        kind: SettingKind::Text,
        doc: "The project's id. Default: GOOGLE_CLOUD_PROJECT, then PUBSUB_PROJECT_ID.",
    },
    SettingInfo {
        name: "project_number",
        kind: SettingKind::Digits,
        doc: "The project's number, which the address of its Pub/Sub service agent is made of. Stated, Resource Manager is not asked for it.",
    },
    SettingInfo {
        name: "grants",
        kind: SettingKind::OneOf(GRANTS),
        doc: "The two rights without which Pub/Sub never dead-letters: `manage` makes and proves them, `check` only proves them, `skip` does neither. Default `manage`.",
    },
    SettingInfo {
        name: "service_agent",
        kind: SettingKind::Text,
        doc: "The address of the Pub/Sub service agent, where it is not service-NUMBER@gcp-sa-pubsub.iam.gserviceaccount.com.",
    },
    SettingInfo {
        name: "region",
        kind: SettingKind::Text,
        doc: "Sends administration to this region's endpoint, REGION-pubsub.googleapis.com. Default the global endpoint.",
    },
    SettingInfo {
        name: "endpoint",
        kind: SettingKind::Text,
        doc: "Sends administration to this address, such as a private endpoint: `https://…`. Excludes `region`.",
    },
];

/// What happens with the dead-letter grants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grants {
    Manage,
    Check,
    Skip,
}

/// Where calls go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Service {
    /// Google, at another address than the global one where there is one.
    Google(Option<String>),
    /// An emulator at this origin, with no credentials.
    Emulator(String),
}

/// One target, as far as it is known without a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Config {
    pub(crate) project: Option<String>,
    pub(crate) project_number: Option<String>,
    pub(crate) grants: Grants,
    pub(crate) service_agent: Option<String>,
    pub(crate) service: Service,
}

impl Config {
    pub(crate) fn new(target: &Target, access: &Access) -> Result<Self> {
        Ok(Config {
            project: project(target, access),
            // An emulator's project has a number of its own.
            project_number: if access.emulated() {
                None
            } else {
                project_number(target)?
            },
            grants: grants(target)?,
            service_agent: target.text("service_agent"),
            service: service(target, access)?,
        })
    }

    /// The project's id.
    ///
    /// # Errors
    /// `ConfigInvalid` when nothing states it.
    pub(crate) fn project(&self) -> Result<&str> {
        self.project.as_deref().ok_or_else(|| {
            Error::new(ErrorKind::ConfigInvalid, "no Google project is named").with_hint(
                "say `project:` under the file's `clouds` entry, or set GOOGLE_CLOUD_PROJECT",
            )
        })
    }

    /// Whether only Resource Manager can tell who the service agent is.
    pub(crate) fn needs_number(&self) -> bool {
        self.grants != Grants::Skip && self.service_agent.is_none() && self.project_number.is_none()
    }

    /// The scope, as far as these settings and a number that was read tell it.
    pub(crate) fn scope(&self, number_read: Option<&str>) -> Scope {
        let mut scope = Scope {
            label: self.project.clone().unwrap_or_default(),
            ..Scope::default()
        };
        let number = self.project_number.as_deref().or(number_read);
        if let Some(project) = &self.project {
            scope
                .facts
                .insert(fact::PROJECT.to_owned(), project.clone());
        }
        if let Some(number) = number {
            scope
                .facts
                .insert(fact::PROJECT_NUMBER.to_owned(), number.to_owned());
        }
        if self.grants != Grants::Skip {
            let agent = match (&self.service_agent, number) {
                (Some(agent), _) => agent.clone(),
                (None, Some(number)) => {
                    format!("service-{number}@gcp-sa-pubsub.iam.gserviceaccount.com")
                }
                (None, None) => AGENT_UNKNOWN.to_owned(),
            };
            scope.facts.insert(fact::SERVICE_AGENT.to_owned(), agent);
        }
        scope
    }
}

fn invalid(message: impl Into<String>, hint: impl Into<String>) -> Error {
    Error::new(ErrorKind::ConfigInvalid, message).with_hint(hint)
}

/// The file before the environment; for an emulator the environment first, since an application
/// that is pointed at it looks in the project that its variables name.
fn project(target: &Target, access: &Access) -> Option<String> {
    let named = ["GOOGLE_CLOUD_PROJECT", "PUBSUB_PROJECT_ID"];
    let environment = || {
        named
            .iter()
            .find_map(|name| access.var(name))
            .map(str::to_owned)
    };
    let file = target.text("project");
    if access.emulated() {
        environment().or(file)
    } else {
        file.or_else(environment)
    }
}

fn project_number(target: &Target) -> Result<Option<String>> {
    let Some(number) = target.text("project_number") else {
        return Ok(None);
    };
    if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(Some(number));
    }
    Err(invalid(
        "`project_number` is not a number",
        "it is the number that `gcloud projects describe PROJECT --format='value(projectNumber)'` prints",
    ))
}

fn grants(target: &Target) -> Result<Grants> {
    match target.text("grants").as_deref() {
        None | Some("manage") => Ok(Grants::Manage),
        Some("check") => Ok(Grants::Check),
        Some("skip") => Ok(Grants::Skip),
        Some(_) => Err(invalid(
            "`grants` is none of its three words",
            "say `manage`, `check` or `skip`",
        )),
    }
}

fn service(target: &Target, access: &Access) -> Result<Service> {
    match access.var("PUBSUB_EMULATOR_HOST") {
        Some(host) => emulator(host, access.emulated()).map(Service::Emulator),
        None if access.emulated() => Err(invalid(
            "the emulator's environment has no PUBSUB_EMULATOR_HOST",
            "start the emulator with its Pub/Sub service",
        )),
        None => google(target).map(Service::Google),
    }
}

/// The vendor's variable holds a host and a port and no scheme.
fn emulator(host: &str, loopback_only: bool) -> Result<String> {
    let bare = host.strip_prefix("http://").unwrap_or(host);
    let bare = bare.strip_suffix('/').unwrap_or(bare);
    let origin = format!("http://{bare}");
    let url = Url::parse(&origin).ok().filter(|url| {
        url.path() == "/" && url.query().is_none() && url.username().is_empty() && url.has_host()
    });
    let Some(url) = url else {
        return Err(invalid(
            "PUBSUB_EMULATOR_HOST is not a host and a port",
            "set it to something like 127.0.0.1:8085",
        ));
    };
    if loopback_only && !is_loopback(&url) {
        return Err(invalid(
            "PUBSUB_EMULATOR_HOST is not on this machine's loopback",
            "an emulator is only spoken to on 127.0.0.1, ::1 or localhost; without `--emulator` any host is taken",
        ));
    }
    Ok(origin)
}

fn google(target: &Target) -> Result<Option<String>> {
    match (target.text("endpoint"), target.text("region")) {
        (None, None) => Ok(None),
        (Some(_), Some(_)) => Err(invalid(
            "`endpoint` and `region` exclude each other",
            "take one of the two out of the `clouds` entry",
        )),
        (None, Some(region)) => {
            let plain =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            if region.is_empty() || !region.bytes().all(plain) {
                return Err(invalid(
                    "`region` is not a region's name",
                    "write it as in `europe-west1`",
                ));
            }
            Ok(Some(format!("https://{region}-pubsub.googleapis.com")))
        }
        (Some(endpoint), None) => {
            let safe = Url::parse(&endpoint).is_ok_and(|url| {
                url.scheme() == "https" || url.scheme() == "http" && is_loopback(&url)
            });
            if safe {
                Ok(Some(endpoint))
            } else {
                Err(invalid(
                    "`endpoint` is not an https address",
                    "write it as in `https://pubsub.example.internal`: a token never goes out in the clear",
                ))
            }
        }
    }
}

fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else {
        return false;
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost")
        || bare
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn target(settings: serde_json::Value) -> Target {
        let serde_json::Value::Object(settings) = settings else {
            panic!("settings are an object");
        };
        Target {
            settings,
            ..Target::implied("gcp")
        }
    }

    fn access(variables: &[(&str, &str)]) -> Access {
        Access::vendor(
            variables
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        )
    }

    #[test]
    fn the_file_names_the_project_before_the_environment_does() {
        let environment = access(&[("PUBSUB_PROJECT_ID", "b"), ("GOOGLE_CLOUD_PROJECT", "a")]);
        let project = |settings| {
            let config = Config::new(&target(settings), &environment).expect("config");
            config.project.expect("a project")
        };
        assert_eq!(project(json!({"project": "c"})), "c");
        assert_eq!(project(json!({})), "a");
        let none =
            Config::new(&target(json!({})), &access(&[])).expect("no project is no error yet");
        let error = none.project().expect_err("none");
        assert_eq!(error.kind(), ErrorKind::ConfigInvalid);
        assert!(error.hint().expect("hint").contains("GOOGLE_CLOUD_PROJECT"));
    }

    #[test]
    fn an_emulator_has_a_project_and_a_number_of_its_own() {
        let settings = json!({"project": "acme-prod", "project_number": "4711"});
        let host = ("PUBSUB_EMULATOR_HOST".to_owned(), "127.0.0.1:1".to_owned());
        let named = ("GOOGLE_CLOUD_PROJECT".to_owned(), "mq-emulator".to_owned());
        for (variables, project) in [
            (vec![host.clone(), named], "mq-emulator"),
            (vec![host], "acme-prod"),
        ] {
            let access = Access::emulator(variables);
            let config = Config::new(&target(settings.clone()), &access).expect("config");
            assert_eq!(config.project.as_deref(), Some(project));
            assert!(
                config.needs_number(),
                "the stated number is another project's"
            );
        }
    }

    #[test]
    fn the_agent_is_stated_made_of_the_number_or_not_known_yet() {
        let agent = |settings, read| {
            let config = Config::new(&target(settings), &access(&[])).expect("config");
            config.scope(read).facts.get(fact::SERVICE_AGENT).cloned()
        };
        let of_number = |number: &str| {
            Some(format!(
                "service-{number}@gcp-sa-pubsub.iam.gserviceaccount.com"
            ))
        };
        assert_eq!(agent(json!({}), None).as_deref(), Some(AGENT_UNKNOWN));
        assert_eq!(agent(json!({}), Some("42")), of_number("42"));
        assert_eq!(
            agent(json!({"project_number": "4711"}), None),
            of_number("4711")
        );
        assert_eq!(
            agent(json!({"project_number": 4711}), None),
            of_number("4711")
        );
        assert_eq!(
            agent(
                json!({"service_agent": "a@x", "project_number": "4711"}),
                None
            )
            .as_deref(),
            Some("a@x")
        );
        assert_eq!(agent(json!({"grants": "skip"}), Some("42")), None);
    }

    #[test]
    fn settings_that_cannot_be_meant_are_refused() {
        for settings in [
            json!({"project_number": "acme"}),
            json!({"project_number": ""}),
            json!({"grants": "all"}),
            json!({"region": "eu west"}),
            json!({"region": "europe-west1", "endpoint": "https://x"}),
            json!({"endpoint": "http://pubsub.example.com"}),
            json!({"endpoint": "pubsub.example.com"}),
        ] {
            let error = Config::new(&target(settings.clone()), &access(&[])).expect_err("refused");
            assert_eq!(error.kind(), ErrorKind::ConfigInvalid, "{settings}");
            assert!(error.hint().is_some(), "{settings}");
        }
    }

    #[test]
    fn an_emulator_is_reached_only_on_loopback_when_it_must_be_one() {
        let with = |host: &str, emulated: bool| {
            let variables = [("PUBSUB_EMULATOR_HOST".to_owned(), host.to_owned())];
            let access = if emulated {
                Access::emulator(variables)
            } else {
                Access::vendor(variables)
            };
            Config::new(&target(json!({"region": "europe-west1"})), &access)
                .map(|config| config.service)
        };
        for host in [
            "127.0.0.1:8085",
            "localhost:8085",
            "[::1]:8085",
            "http://127.0.0.1:8085/",
        ] {
            let service = with(host, true).expect(host);
            assert!(matches!(service, Service::Emulator(origin) if origin.starts_with("http://")));
        }
        for host in [
            "10.0.0.1:8085",
            "pubsub.googleapis.com",
            "127.0.0.1.example.com:80",
        ] {
            assert!(with(host, true).is_err(), "{host}");
            assert!(with(host, false).is_ok(), "{host}");
        }
        for host in [
            "127.0.0.1:x",
            "user@127.0.0.1:1",
            "127.0.0.1:1/path",
            "",
            " ",
        ] {
            assert!(with(host, true).is_err(), "{host}");
        }
        let nothing = Access::emulator([]);
        assert!(Config::new(&target(json!({})), &nothing).is_err());
    }

    #[test]
    fn a_region_has_its_own_endpoint() {
        let config = Config::new(&target(json!({"region": "europe-west1"})), &access(&[]));
        assert_eq!(
            config.expect("config").service,
            Service::Google(Some(
                "https://europe-west1-pubsub.googleapis.com".to_owned()
            ))
        );
    }
}
