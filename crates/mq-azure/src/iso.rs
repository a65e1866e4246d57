//! Durations as the administration API writes them: ISO 8601, as in `PT30S` or `P4D`.

use std::time::Duration;

/// What the service writes for "never": the largest `TimeSpan` of .NET.
pub(crate) const NEVER: &str = "P10675199DT2H48M5.4775807S";

/// From this many days on a duration means "never".
const NEVER_DAYS: u64 = 10_675_199;

const SECONDS_PER_DAY: u64 = 86_400;

/// A duration that the service wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Span {
    /// No end.
    Never,
    /// This long.
    Of(Duration),
}

/// Reads `PnDTnHnMn.nS`; every part may be missing. `None` for anything else, negative durations
/// and years or months (whose length is not fixed) among it.
pub(crate) fn parse(text: &str) -> Option<Span> {
    let body = text.strip_prefix('P').filter(|body| !body.is_empty())?;
    let (date, time) = match body.split_once('T') {
        Some((_, "")) => return None,
        Some((date, time)) => (date, time),
        None => (body, ""),
    };
    let mut total = Duration::ZERO;
    for (rest, units) in [
        (date, &[('D', SECONDS_PER_DAY)][..]),
        (time, &[('H', 3600), ('M', 60), ('S', 1)][..]),
    ] {
        total = total.checked_add(sum(rest, units)?)?;
    }
    if total.as_secs() / SECONDS_PER_DAY >= NEVER_DAYS {
        return Some(Span::Never);
    }
    Some(Span::Of(total))
}

/// Adds up `nXnYnZ` whose letters come in the order of `units`; only seconds may have a fraction.
fn sum(mut text: &str, units: &[(char, u64)]) -> Option<Duration> {
    let mut total = Duration::ZERO;
    for (letter, seconds) in units {
        let Some((number, rest)) = text.split_once(*letter) else {
            continue;
        };
        let (whole, fraction) = match number.split_once('.') {
            Some((whole, fraction)) if *letter == 'S' => (whole, Some(fraction)),
            Some(_) => return None,
            None => (number, None),
        };
        let whole = digits(whole)?.checked_mul(*seconds)?;
        let nanos = fraction.map_or(Some(0), nanoseconds)?;
        total = total.checked_add(Duration::new(whole, nanos))?;
        text = rest;
    }
    text.is_empty().then_some(total)
}

fn digits(text: &str) -> Option<u64> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

/// The digits after the point, as nanoseconds; digits beyond the ninth are below what counts.
fn nanoseconds(fraction: &str) -> Option<u32> {
    digits(fraction)?;
    let nine: String = fraction
        .chars()
        .chain(std::iter::repeat('0'))
        .take(9)
        .collect();
    nine.parse().ok()
}

/// Writes a duration the way the service does: days, then hours, minutes and seconds.
pub(crate) fn format(value: Duration) -> String {
    let (days, rest) = (
        value.as_secs() / SECONDS_PER_DAY,
        value.as_secs() % SECONDS_PER_DAY,
    );
    // The service counts in ticks of 100 ns.
    let ticks = value.subsec_nanos() / 100;
    let mut time = String::new();
    for (number, letter) in [(rest / 3600, 'H'), (rest % 3600 / 60, 'M')] {
        if number > 0 {
            time += &format!("{number}{letter}");
        }
    }
    if ticks > 0 {
        let fraction = format!("{ticks:07}");
        time += &format!("{}.{}S", rest % 60, fraction.trim_end_matches('0'));
    } else if rest % 60 > 0 || value.is_zero() {
        time += &format!("{}S", rest % 60);
    }
    match (days, time.as_str()) {
        (0, time) => format!("PT{time}"),
        (days, "") => format!("P{days}D"),
        (days, time) => format!("P{days}DT{time}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_as_the_service_and_its_clients_write_them() {
        for (text, millis) in [
            ("PT30S", 30_000),
            ("PT1M", 60_000),
            ("PT5M", 300_000),
            ("P4D", 345_600_000),
            ("P14D", 1_209_600_000),
            ("P1DT12H", 129_600_000),
            ("PT60S", 60_000),
            ("PT1.5S", 1_500),
            ("PT0S", 0),
            ("P0DT0H0M5.000S", 5_000),
        ] {
            let read = parse(text);
            assert_eq!(
                read,
                Some(Span::Of(Duration::from_millis(millis))),
                "{text}"
            );
        }
        assert_eq!(parse(NEVER), Some(Span::Never));
        assert_eq!(parse("P10675199DT2H48M5.477539S"), Some(Span::Never));
    }

    #[test]
    fn what_is_no_duration_is_none() {
        for text in [
            "",
            "P",
            "PT",
            "P1",
            "30",
            "PT30",
            "P1Y",
            "P1M",
            "-PT1S",
            "PT1S1M",
            "PT1.5M",
            "PT.S",
            "PT1,5S",
            "P1DT",
            "PT99999999999999999999S",
            "pt1s",
            "PT1S ",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn written_the_way_the_service_writes() {
        for (millis, text) in [
            (30_000, "PT30S"),
            (60_000, "PT1M"),
            (345_600_000, "P4D"),
            (129_600_000, "P1DT12H"),
            (1_500, "PT1.5S"),
            (0, "PT0S"),
            (86_400_500, "P1DT0.5S"),
        ] {
            assert_eq!(format(Duration::from_millis(millis)), text);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(ticks in 0u64..9_000_000_000_000_000_000) {
            let value = Duration::new(ticks / 10_000_000, (ticks % 10_000_000) as u32 * 100);
            let expected = if value.as_secs() / SECONDS_PER_DAY >= NEVER_DAYS {
                Span::Never
            } else {
                Span::Of(value)
            };
            prop_assert_eq!(parse(&format(value)), Some(expected));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,24}") {
            let _ = parse(&text);
        }
    }
}
