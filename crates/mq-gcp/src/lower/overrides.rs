//! Native attributes: from a key and a value under `overrides` to what is written.

use std::time::Duration;

use mq_core::resource::NativeAttribute;
use mq_core::units;
use mq_core::value::Value;

use crate::capability::{BACKOFF_MAX, FILTER_BYTES_MAX, RETENTION};
use crate::native::{NATIVE, TOPIC_PREFIX, attribute};

/// A native attribute from its key and value in the file, or why it is none.
pub(super) fn native(key: &str, value: &serde_json::Value) -> Result<NativeAttribute, String> {
    let name = key.strip_prefix(TOPIC_PREFIX).unwrap_or(key);
    if !NATIVE.iter().any(|known| known.name == key) {
        return Err("there is no such key".to_owned());
    }
    let value = match name {
        attribute::EXACTLY_ONCE | attribute::RETAIN_ACKED | attribute::ENFORCE_IN_TRANSIT => value
            .as_bool()
            .map(Value::Bool)
            .ok_or("it is `true` or `false`")?,
        attribute::MIN_BACKOFF | attribute::MAX_BACKOFF => {
            Value::Duration(native_duration(value, Duration::ZERO, BACKOFF_MAX)?)
        }
        attribute::RETENTION => {
            Value::Duration(native_duration(value, RETENTION.min, RETENTION.max)?)
        }
        attribute::FILTER => {
            let filter = value.as_str().ok_or("it is a text")?;
            if filter.is_empty() || filter.len() > FILTER_BYTES_MAX {
                return Err(format!("a filter is 1 to {FILTER_BYTES_MAX} bytes long"));
            }
            Value::text(filter)
        }
        _ => Value::Text(regions(value.as_str().ok_or("it is a text")?)?),
    };
    let attribute = NativeAttribute::new(name, value);
    Ok(if name == attribute::FILTER {
        attribute.immutable()
    } else {
        attribute
    })
}

fn native_duration(
    value: &serde_json::Value,
    min: Duration,
    max: Duration,
) -> Result<Duration, String> {
    let text = value.as_str().ok_or("it is a duration such as `30s`")?;
    let duration = units::parse_duration(text).map_err(|error| error.to_string())?;
    if duration < min || duration > max {
        return Err(format!(
            "the service takes {} to {}",
            units::duration(min),
            units::duration(max)
        ));
    }
    Ok(duration)
}

/// Regions in one spelling: sorted, with commas and without spaces.
fn regions(text: &str) -> Result<String, String> {
    let mut regions: Vec<&str> = text.split(',').map(str::trim).collect();
    regions.sort_unstable();
    regions.dedup();
    if regions.iter().any(|region| region.is_empty()) {
        return Err("it is one region or several with commas between them".to_owned());
    }
    Ok(regions.join(","))
}
