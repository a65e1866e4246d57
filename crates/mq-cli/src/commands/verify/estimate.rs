//! What a run on the clouds themselves may cost, said before it begins.

use std::fmt::Write;
use std::time::Duration;

use mq_core::{BackendInfo, units};
use mq_suite::{Case, Subject};

use crate::args::PaceArgs;
use crate::render::text::{count, line};

/// What one request takes on a service, roughly, there and back.
const REQUEST_TAKES: Duration = Duration::from_millis(150);

/// The most that a run asks of one cloud.
#[derive(Debug, Default, PartialEq, Eq)]
struct Most {
    cases: usize,
    requests: u64,
}

impl Most {
    fn of(cases: &[Case], subject: usize, reruns: u32) -> Most {
        let mut most = Most::default();
        let chosen = |case: &&Case| case.chosen && case.subject == subject;
        for case in cases.iter().filter(chosen) {
            most.cases += 1;
            most.requests += u64::from(case.behaviour.requests_max) * (u64::from(reruns) + 1);
        }
        most
    }

    fn time(&self, parallelism: u16) -> Duration {
        let one_by_one = u128::from(self.requests) * REQUEST_TAKES.as_millis();
        let millis = one_by_one / u128::from(parallelism.max(1));
        Duration::from_secs(u64::try_from(millis.div_ceil(1000)).unwrap_or(u64::MAX))
    }
}

/// For each cloud: how many cases and requests, what they cost and how long they take.
pub(super) fn estimate(
    subjects: &[Subject],
    infos: &[&BackendInfo],
    cases: &[Case],
    pace: PaceArgs,
) -> String {
    let mut out = String::new();
    for (index, (subject, info)) in subjects.iter().zip(infos).enumerate() {
        let most = Most::of(cases, index, pace.reruns);
        let place = &subject.scope().label;
        let _ = writeln!(
            out,
            "{} ({}): {}, at most {}, {}; about {}",
            line(subject.name()),
            line(place),
            count(most.cases, "case"),
            requests(most.requests),
            price(most.requests, info.request_price.value),
            units::duration(most.time(pace.parallelism)),
        );
    }
    out
}

fn requests(number: u64) -> String {
    format!("{number} request{}", if number == 1 { "" } else { "s" })
}

/// The price of so many requests, each at so many billionths of a US dollar.
fn price(requests: u64, each: u32) -> String {
    let billionths = u128::from(requests) * u128::from(each);
    if billionths == 0 {
        return "no charge".to_owned();
    }
    // Rounded up: an estimate that says less than the bill is none.
    let hundredths_of_cents = billionths.div_ceil(100_000);
    let (dollars, rest) = (hundredths_of_cents / 10_000, hundredths_of_cents % 10_000);
    format!("at most {dollars}.{rest:04} US dollars at list price")
}

#[cfg(test)]
mod tests {
    use mq_suite::{Selection, listed};

    use super::*;

    #[test]
    fn a_price_is_never_less_than_the_bill() {
        assert_eq!(price(0, 500), "no charge");
        assert_eq!(price(5000, 0), "no charge");
        assert_eq!(price(1, 500), "at most 0.0001 US dollars at list price");
        assert_eq!(price(3000, 500), "at most 0.0015 US dollars at list price");
        assert_eq!(
            price(3_000_001, 500),
            "at most 1.5001 US dollars at list price"
        );
    }

    #[test]
    fn reruns_count_and_cases_of_others_do_not() {
        let mut cases = listed(&["orders".to_owned()], 2, &Selection::default());
        let whole = Most::of(&cases, 0, 0);
        assert!(whole.cases > 10 && whole.requests > whole.cases as u64);
        assert_eq!(Most::of(&cases, 0, 2).requests, whole.requests * 3);
        assert_eq!(Most::of(&cases, 1, 0), whole);
        for case in &mut cases {
            case.chosen = case.subject == 1;
        }
        assert_eq!(Most::of(&cases, 0, 0), Most::default());
        assert_eq!(Most::default().time(4), Duration::ZERO);
        assert!(whole.time(1) > whole.time(4));
    }
}
