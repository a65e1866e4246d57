//! What the clouds do and tests ought to meet, switched on by name.

use std::time::Duration;

use jiff::SignedDuration;

/// A quirk's name and what it does, for `--help`, the docs and the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuirkInfo {
    /// As in `--quirk NAME`.
    pub name: &'static str,
    /// Whether it takes `=VALUE`, and which.
    pub value: Option<&'static str>,
    /// What happens when it is on.
    pub what: &'static str,
}

/// Every quirk there is.
pub const QUIRKS: &[QuirkInfo] = &[
    QuirkInfo {
        name: "sqs-deleted-recently",
        value: Some("duration, 60s"),
        what: "creating a queue within that time of its deletion fails with QueueDeletedRecently",
    },
    QuirkInfo {
        name: "sqs-attribute-lag",
        value: Some("duration, 5s"),
        what: "GetQueueAttributes shows a change only after that time",
    },
    QuirkInfo {
        name: "sqs-short-poll-misses",
        value: Some("rate, 0.3"),
        what: "that part of the receives that do not wait finds nothing, whatever the queue holds",
    },
    QuirkInfo {
        name: "sqs-duplicate-delivery",
        value: Some("rate, 0.05"),
        what: "that part of the messages of standard queues can be received again at once, as if not received",
    },
    QuirkInfo {
        name: "sqs-reordering",
        value: Some("rate, 0.1"),
        what: "that part of the receives from standard queues gives its messages in the opposite order",
    },
    QuirkInfo {
        name: "servicebus-40901",
        value: Some("rate, 0.2"),
        what: "that part of the writes is answered 409 SubCode=40901, another operation is in progress",
    },
    QuirkInfo {
        name: "servicebus-basic-tier",
        value: None,
        what: "the namespace is of the Basic tier",
    },
    QuirkInfo {
        name: "servicebus-premium-tier",
        value: None,
        what: "the namespace is of the Premium tier",
    },
    QuirkInfo {
        name: "pubsub-iam-required",
        value: None,
        what: "a policy that grants to a Pub/Sub service agent of another project number is refused, as in the cloud where that agent is not there; creating a subscription succeeds without the dead-letter grants, also as in the cloud",
    },
    QuirkInfo {
        name: "pubsub-not-found-after-create",
        value: Some("count, 2"),
        what: "the first that many reads of a new topic or subscription, or of its policy, answer NOT_FOUND",
    },
    QuirkInfo {
        name: "error-rate",
        value: Some("rate, 0.1"),
        what: "that part of all requests is answered with the service's own 500, half of them after the work was done",
    },
    QuirkInfo {
        name: "latency",
        value: Some("duration, 50ms"),
        what: "every answer waits that long",
    },
];

/// Which quirks are on. The default is none.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Quirks {
    /// `sqs-deleted-recently`
    pub sqs_deleted_recently: Option<Duration>,
    /// `sqs-attribute-lag`
    pub sqs_attribute_lag: Option<Duration>,
    /// `sqs-short-poll-misses`
    pub sqs_short_poll_misses: f64,
    /// `sqs-duplicate-delivery`
    pub sqs_duplicate_delivery: f64,
    /// `sqs-reordering`
    pub sqs_reordering: f64,
    /// `servicebus-40901`
    pub servicebus_40901: f64,
    /// `servicebus-basic-tier`
    pub servicebus_basic_tier: bool,
    /// `servicebus-premium-tier`
    pub servicebus_premium_tier: bool,
    /// `pubsub-iam-required`
    pub pubsub_iam_required: bool,
    /// `pubsub-not-found-after-create`
    pub pubsub_not_found_after_create: u32,
    /// `error-rate`
    pub error_rate: f64,
    /// `latency`
    pub latency: Duration,
}

/// A `--quirk` that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct QuirkError(pub(crate) String);

impl Quirks {
    /// Switches on what `NAME` or `NAME=VALUE` says. Without a value the one that [`QUIRKS`] shows
    /// is taken. A quirk that is given twice has its last value.
    ///
    /// Durations are written `50ms`, `60s` or `1m 30s`, rates are between 0 and 1.
    ///
    /// # Errors
    /// An unknown name (with the nearest one and the list), a value that the quirk cannot have,
    /// or a value for a quirk that has none. Nothing is switched on then.
    pub fn parse(&mut self, text: &str) -> Result<(), QuirkError> {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name.trim(), Some(value.trim())),
            None => (text.trim(), None),
        };
        match name {
            "sqs-deleted-recently" => {
                self.sqs_deleted_recently = Some(duration(name, value.unwrap_or("60s"))?);
            }
            "sqs-attribute-lag" => {
                self.sqs_attribute_lag = Some(duration(name, value.unwrap_or("5s"))?);
            }
            "sqs-short-poll-misses" => {
                self.sqs_short_poll_misses = rate(name, value.unwrap_or("0.3"))?;
            }
            "sqs-duplicate-delivery" => {
                self.sqs_duplicate_delivery = rate(name, value.unwrap_or("0.05"))?;
            }
            "sqs-reordering" => self.sqs_reordering = rate(name, value.unwrap_or("0.1"))?,
            "servicebus-40901" => self.servicebus_40901 = rate(name, value.unwrap_or("0.2"))?,
            "servicebus-basic-tier" => self.servicebus_basic_tier = flag(name, value)?,
            "servicebus-premium-tier" => self.servicebus_premium_tier = flag(name, value)?,
            "pubsub-iam-required" => self.pubsub_iam_required = flag(name, value)?,
            "pubsub-not-found-after-create" => {
                self.pubsub_not_found_after_create = count(name, value.unwrap_or("2"))?;
            }
            "error-rate" => self.error_rate = rate(name, value.unwrap_or("0.1"))?,
            "latency" => self.latency = duration(name, value.unwrap_or("50ms"))?,
            _ => return Err(unknown(name)),
        }
        if self.servicebus_basic_tier && self.servicebus_premium_tier {
            match name {
                "servicebus-basic-tier" => self.servicebus_basic_tier = false,
                _ => self.servicebus_premium_tier = false,
            }
            return Err(QuirkError(
                "the quirks `servicebus-basic-tier` and `servicebus-premium-tier` exclude each other: a namespace is of one tier".to_owned(),
            ));
        }
        Ok(())
    }
}

fn duration(name: &str, value: &str) -> Result<Duration, QuirkError> {
    value
        .parse::<SignedDuration>()
        .ok()
        .and_then(|parsed| Duration::try_from(parsed).ok())
        .ok_or_else(|| unfit(name, value, "a duration such as 500ms or 60s"))
}

fn rate(name: &str, value: &str) -> Result<f64, QuirkError> {
    match value.parse::<f64>() {
        Ok(rate) if (0.0..=1.0).contains(&rate) => Ok(rate),
        _ => Err(unfit(name, value, "a rate between 0 and 1")),
    }
}

fn count(name: &str, value: &str) -> Result<u32, QuirkError> {
    value.parse().map_err(|_| unfit(name, value, "a count"))
}

fn flag(name: &str, value: Option<&str>) -> Result<bool, QuirkError> {
    match value {
        None => Ok(true),
        Some(_) => Err(QuirkError(format!("the quirk `{name}` takes no value"))),
    }
}

fn unfit(name: &str, value: &str, wanted: &str) -> QuirkError {
    QuirkError(format!("the quirk `{name}` takes {wanted}, not {value:?}"))
}

fn unknown(name: &str) -> QuirkError {
    let nearest = QUIRKS
        .iter()
        .map(|quirk| (strsim::jaro_winkler(name, quirk.name), quirk.name))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|left, right| left.0.total_cmp(&right.0));
    let names: Vec<&str> = QUIRKS.iter().map(|quirk| quirk.name).collect();
    let guess = nearest.map_or_else(String::new, |(_, near)| format!(", did you mean `{near}`?"));
    QuirkError(format!(
        "there is no quirk {name:?}{guess} (there are {})",
        names.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(texts: &[&str]) -> Result<Quirks, QuirkError> {
        let mut quirks = Quirks::default();
        for text in texts {
            quirks.parse(text)?;
        }
        Ok(quirks)
    }

    /// Every quirk that is listed can be switched on, and its listed value is its default.
    #[test]
    fn every_listed_quirk_parses_with_and_without_its_value() {
        for quirk in QUIRKS {
            let bare = parsed(&[quirk.name]).unwrap();
            assert_ne!(bare, Quirks::default(), "{} does nothing", quirk.name);
            let Some(value) = quirk.value else { continue };
            let (_, default) = value.split_once(", ").expect("kind, default");
            assert_eq!(
                parsed(&[&format!("{}={default}", quirk.name)]).unwrap(),
                bare,
                "{}",
                quirk.name
            );
        }
    }

    #[test]
    fn values_are_read_in_their_units() {
        let quirks = parsed(&[
            "sqs-deleted-recently=2s",
            "sqs-attribute-lag = 1m 30s",
            "servicebus-40901=1",
            "pubsub-not-found-after-create=7",
            "latency=250ms",
            "error-rate=0.5",
            "error-rate=0.25",
        ])
        .unwrap();
        assert_eq!(quirks.sqs_deleted_recently, Some(Duration::from_secs(2)));
        assert_eq!(quirks.sqs_attribute_lag, Some(Duration::from_secs(90)));
        assert_eq!((quirks.servicebus_40901, quirks.error_rate), (1.0, 0.25));
        assert_eq!(quirks.pubsub_not_found_after_create, 7);
        assert_eq!(quirks.latency, Duration::from_millis(250));
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_nearest_and_the_list() {
        let error = parsed(&["sqs-deleted-recent"]).unwrap_err().to_string();
        assert!(
            error.contains("did you mean `sqs-deleted-recently`?"),
            "{error}"
        );
        assert!(
            QUIRKS.iter().all(|quirk| error.contains(quirk.name)),
            "{error}"
        );
        let far = parsed(&["zzz"]).unwrap_err().to_string();
        assert!(!far.contains("did you mean"), "{far}");
    }

    #[test]
    fn values_that_cannot_be_are_refused() {
        for text in [
            "error-rate=1.5",
            "error-rate=-0.1",
            "error-rate=NaN",
            "latency=fast",
            "latency=-5s",
            "latency=",
            "pubsub-not-found-after-create=-1",
            "pubsub-iam-required=yes",
            "",
        ] {
            assert!(parsed(&[text]).is_err(), "{text:?} was taken");
        }
    }

    #[test]
    fn a_namespace_is_of_one_tier() {
        let mut quirks = parsed(&["servicebus-premium-tier"]).unwrap();
        assert!(quirks.parse("servicebus-basic-tier").is_err());
        assert!(quirks.servicebus_premium_tier && !quirks.servicebus_basic_tier);
    }
}
