//! Time spans as the service writes them: ISO 8601 text over a count of 100-nanosecond ticks.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

const TICKS_PER_SECOND: u64 = 10_000_000;
const TICKS_PER_MINUTE: u64 = 60 * TICKS_PER_SECOND;
const TICKS_PER_HOUR: u64 = 60 * TICKS_PER_MINUTE;
const TICKS_PER_DAY: u64 = 24 * TICKS_PER_HOUR;
const FRACTION_DIGITS: usize = 7;

/// A .NET `TimeSpan` that is not negative: what every duration of an entity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct TimeSpan {
    ticks: u64,
}

/// A text that is no duration, or one that a `TimeSpan` cannot hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotATimeSpan;

impl TimeSpan {
    /// `TimeSpan.MaxValue`, by which the service says "never".
    pub(super) const MAX: TimeSpan = TimeSpan {
        ticks: i64::MAX.unsigned_abs(),
    };

    pub(super) const fn from_secs(seconds: u64) -> Self {
        TimeSpan {
            ticks: seconds * TICKS_PER_SECOND,
        }
    }

    /// The duration, or `None` for "never". Clients that cannot hold the last digits of
    /// [`TimeSpan::MAX`] send back a little less, so its last day counts as never too.
    pub(super) fn limit(self) -> Option<Duration> {
        let never = TimeSpan::MAX.ticks / TICKS_PER_DAY * TICKS_PER_DAY;
        (self.ticks < never).then(|| {
            let nanos = (self.ticks % TICKS_PER_SECOND) * 100;
            Duration::from_secs(self.ticks / TICKS_PER_SECOND) + Duration::from_nanos(nanos)
        })
    }
}

impl fmt::Display for TimeSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ticks == 0 {
            return f.write_str("PT0S");
        }
        let (days, in_day) = (self.ticks / TICKS_PER_DAY, self.ticks % TICKS_PER_DAY);
        f.write_str("P")?;
        if days > 0 {
            write!(f, "{days}D")?;
        }
        if in_day == 0 {
            return Ok(());
        }
        f.write_str("T")?;
        let (hours, in_hour) = (in_day / TICKS_PER_HOUR, in_day % TICKS_PER_HOUR);
        if hours > 0 {
            write!(f, "{hours}H")?;
        }
        let (minutes, in_minute) = (in_hour / TICKS_PER_MINUTE, in_hour % TICKS_PER_MINUTE);
        if minutes > 0 {
            write!(f, "{minutes}M")?;
        }
        let (seconds, fraction) = (in_minute / TICKS_PER_SECOND, in_minute % TICKS_PER_SECOND);
        match (seconds, fraction) {
            (0, 0) => Ok(()),
            (seconds, 0) => write!(f, "{seconds}S"),
            (seconds, fraction) => {
                let digits = format!("{fraction:07}");
                write!(f, "{seconds}.{}S", digits.trim_end_matches('0'))
            }
        }
    }
}

impl FromStr for TimeSpan {
    type Err = NotATimeSpan;

    /// Reads an `xsd:duration`. As in .NET a year is 365 days and a month 30.
    fn from_str(text: &str) -> Result<Self, NotATimeSpan> {
        let text = text.trim().strip_prefix('P').ok_or(NotATimeSpan)?;
        let (date, time) = match text.split_once('T') {
            Some((date, time)) if !time.is_empty() => (date, time),
            Some(_) => return Err(NotATimeSpan),
            None => (text, ""),
        };
        if date.is_empty() && time.is_empty() {
            return Err(NotATimeSpan);
        }
        let date = components(
            date,
            &[
                ('Y', 365 * TICKS_PER_DAY),
                ('M', 30 * TICKS_PER_DAY),
                ('D', TICKS_PER_DAY),
            ],
        )?;
        let time = components(
            time,
            &[
                ('H', TICKS_PER_HOUR),
                ('M', TICKS_PER_MINUTE),
                ('S', TICKS_PER_SECOND),
            ],
        )?;
        let ticks = date.checked_add(time).ok_or(NotATimeSpan)?;
        if ticks > TimeSpan::MAX.ticks {
            return Err(NotATimeSpan);
        }
        Ok(TimeSpan { ticks })
    }
}

/// The sum of `NUMBER UNIT` pairs, whose units come at most once each and in this order.
fn components(mut text: &str, units: &[(char, u64)]) -> Result<u64, NotATimeSpan> {
    let mut sum = 0_u64;
    let mut units = units.iter();
    while !text.is_empty() {
        let end = text
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .ok_or(NotATimeSpan)?;
        let unit = text[end..].chars().next().ok_or(NotATimeSpan)?;
        let &(_, ticks) = units.find(|(name, _)| *name == unit).ok_or(NotATimeSpan)?;
        sum = sum
            .checked_add(scaled(&text[..end], ticks, unit)?)
            .ok_or(NotATimeSpan)?;
        text = &text[end + unit.len_utf8()..];
    }
    Ok(sum)
}

/// `number` times `ticks`; only seconds may have a fraction, of which 7 digits count.
fn scaled(number: &str, ticks: u64, unit: char) -> Result<u64, NotATimeSpan> {
    let (whole, fraction) = match number.split_once('.') {
        Some((whole, fraction)) if unit == 'S' => (whole, fraction),
        Some(_) => return Err(NotATimeSpan),
        None => (number, "0"),
    };
    if !fraction.bytes().all(|digit| digit.is_ascii_digit()) || fraction.is_empty() {
        return Err(NotATimeSpan);
    }
    let kept: String = fraction
        .chars()
        .chain("0000000".chars())
        .take(FRACTION_DIGITS)
        .collect();
    let fraction: u64 = kept.parse().map_err(|_| NotATimeSpan)?;
    let whole: u64 = whole.parse().map_err(|_| NotATimeSpan)?;
    whole
        .checked_mul(ticks)
        .and_then(|whole| whole.checked_add(fraction))
        .ok_or(NotATimeSpan)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn spans_read_and_write_as_the_service_writes_them() {
        for (text, ticks) in [
            ("PT0S", 0),
            ("PT5S", 50_000_000),
            ("PT1M", 600_000_000),
            ("PT1M30S", 900_000_000),
            ("P1D", 864_000_000_000),
            ("P14D", 12_096_000_000_000),
            ("P1DT1H", 900_000_000_000),
            ("PT0.5S", 5_000_000),
            ("PT0.0000001S", 1),
            ("P10675199DT2H48M5.4775807S", 9_223_372_036_854_775_807),
        ] {
            assert_eq!(text.parse(), Ok(TimeSpan { ticks }), "{text}");
            assert_eq!(TimeSpan { ticks }.to_string(), text);
        }
    }

    #[test]
    fn other_spellings_are_normalised() {
        for (given, normal) in [
            ("PT60S", "PT1M"),
            ("PT300S", "PT5M"),
            ("PT0H10M0S", "PT10M"),
            ("P0DT0H1M", "PT1M"),
            ("P1Y", "P365D"),
            ("P1M", "P30D"),
            ("PT1.50S", "PT1.5S"),
            ("PT1.12345678S", "PT1.1234567S"),
            ("P10675199DT10085.477539S", "P10675199DT2H48M5.477539S"),
            (" PT30S ", "PT30S"),
        ] {
            assert_eq!(
                given.parse::<TimeSpan>().map(|span| span.to_string()),
                Ok(normal.to_owned()),
                "{given}"
            );
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in [
            "",
            "P",
            "PT",
            "P1DT",
            "5",
            "300",
            "PT5",
            "5S",
            "-PT5S",
            "P-1D",
            "P1W",
            "PT1S1S",
            "PT1S1M",
            "P1H",
            "PT1D",
            "P1.5D",
            "PT.5S",
            "PT1.S",
            "PT1..5S",
            "PT1e3S",
            "00:01:00",
            "PT９S",
            "P1DT1H1",
            "pt5s",
            "P10675200D",
            "PT99999999999999999999S",
            "P10675199DT2H48M5.4775808S",
        ] {
            assert_eq!(text.parse::<TimeSpan>(), Err(NotATimeSpan), "{text}");
        }
    }

    #[test]
    fn the_last_day_before_the_maximum_is_never() {
        assert_eq!(TimeSpan::MAX.limit(), None);
        assert_eq!(
            "P10675199DT10085.477539S"
                .parse::<TimeSpan>()
                .map(TimeSpan::limit),
            Ok(None)
        );
        assert_eq!(
            TimeSpan::from_secs(30).limit(),
            Some(Duration::from_secs(30))
        );
        assert_eq!(
            TimeSpan { ticks: 5_000_001 }.limit(),
            Some(Duration::from_nanos(500_000_100))
        );
    }

    proptest! {
        #[test]
        fn every_span_survives_its_text(ticks in 0..=TimeSpan::MAX.ticks) {
            prop_assert_eq!(TimeSpan { ticks }.to_string().parse(), Ok(TimeSpan { ticks }));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "[PTYMDHS0-9.é-]{0,24}") {
            if let Ok(span) = text.parse::<TimeSpan>() {
                prop_assert_eq!(span.to_string().parse(), Ok(span));
            }
        }
    }
}
