//! Medians of rounds, and the tables that show them.

use std::collections::BTreeMap;

use super::closed_loop::{Load, as_f64};
use super::{Absent, Effort};

/// The middle one; 0 of none.
pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(0.0)
}

/// The rounds of one load on one server.
#[derive(Debug, Default)]
pub(crate) struct Rounds(Vec<Load>);

impl Rounds {
    /// Takes another round.
    pub(crate) fn push(&mut self, load: Load) {
        self.0.push(load);
    }

    /// The median of a figure of each round.
    pub(crate) fn median(&self, figure: impl Fn(&Load) -> f64) -> f64 {
        median(self.0.iter().map(figure).collect())
    }

    /// Messages per second, unless something went wrong.
    pub(crate) fn rate(&self) -> Option<f64> {
        let rate = self.median(Load::rate);
        (self.errors() == 0 && rate > 0.0).then_some(rate)
    }

    fn errors(&self) -> u64 {
        self.0.iter().map(|load| load.errors).sum()
    }

    /// What went wrong, and what else the reader must know.
    pub(crate) fn notes(&self) -> String {
        let errors = self.errors();
        let first = self.0.iter().find_map(|load| load.first_error.as_deref());
        if let Some(first) = first {
            let first = first.replace('|', "\\|").replace('\n', " ");
            return format!("no figure: {errors} errors, the first `{first}`");
        }
        if self.rate().is_none() {
            return "no figure: nothing was done in the measured time".to_owned();
        }
        let reconnects = self.median(|load| as_f64(load.reconnects));
        let operations = self.median(|load| as_f64(load.latency.len()));
        match reconnects {
            few if few <= operations / 2.0 => String::new(),
            _ => "closes the connection after each call".to_owned(),
        }
    }

    /// Rate, latencies and costs as the cells of [`LOAD_COLUMNS`].
    pub(crate) fn cells(&self) -> String {
        let Some(rate) = self.rate() else {
            return "— | — | — | — | —".to_owned();
        };
        let latency = |quantile| match self.0.iter().all(|load| load.latency.is_empty()) {
            true => "—".to_owned(),
            false => format!("{:.2}", self.median(|load| load.latency_ms(quantile))),
        };
        format!(
            "{} | {} | {} | {:.0} | {:.0}",
            thousands(rate),
            latency(0.5),
            latency(0.99),
            self.median(|load| load.per_message_us(load.server_processor)),
            self.median(|load| load.per_message_us(load.client_processor)),
        )
    }
}

/// The columns of [`Rounds::cells`].
pub(crate) const LOAD_COLUMNS: &str =
    "messages/s | p50 ms | p99 ms | server µs/message | client µs/message";

/// Of every load, by what it is and then by server.
pub(crate) type Matrix<K> = BTreeMap<K, BTreeMap<String, Rounds>>;

/// How often `reference` goes into `measured`.
pub(crate) fn ratio(measured: Option<f64>, reference: Option<f64>) -> Option<f64> {
    Some(measured? / reference?)
}

/// As `0.62`, or a dash where there is none.
pub(crate) fn ratio_cell(ratio: Option<f64>) -> String {
    match ratio {
        None => "—".to_owned(),
        Some(ratio) if ratio >= 10.0 => format!("{ratio:.0}"),
        Some(ratio) => format!("{ratio:.2}"),
    }
}

/// A number with its thousands apart.
pub(crate) fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// One goal and how far it is reached.
#[derive(Debug)]
pub(crate) struct Goal {
    /// What is to be reached.
    pub(crate) what: String,
    /// At least this, or at most where `at_most`.
    pub(crate) bound: f64,
    /// Which side of the bound is good.
    pub(crate) at_most: bool,
    /// The figure, where there is one.
    pub(crate) measured: Option<f64>,
    /// Its unit.
    pub(crate) unit: &'static str,
}

impl Goal {
    fn verdict(&self) -> &'static str {
        match self.measured {
            None => "not measured",
            Some(measured) if self.at_most && measured <= self.bound => "reached",
            Some(measured) if !self.at_most && measured >= self.bound => "reached",
            Some(_) => "missed",
        }
    }
}

/// Prints goals beside what was measured.
pub(crate) fn print_goals(goals: &[Goal]) {
    println!("\n| goal | bound | measured | |\n|---|---|---|---|");
    for goal in goals {
        let side = if goal.at_most { "at most" } else { "at least" };
        let Goal {
            what, bound, unit, ..
        } = goal;
        let measured = match goal.measured {
            None => "—".to_owned(),
            measured => format!("{}{unit}", ratio_cell(measured)),
        };
        println!(
            "| {what} | {side} {bound}{unit} | {measured} | {} |",
            goal.verdict()
        );
    }
}

/// Prints who could not be compared with.
pub(crate) fn print_absent(absent: &[Absent]) {
    for Absent { name, why } in absent {
        println!("\nAbsent: {name} ({why}).");
    }
}

/// Prints the machine and the way of measuring.
pub(crate) fn print_conditions(effort: &Effort) {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let version = std::process::Command::new(&effort.binary)
        .arg("--version")
        .output()
        .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        .unwrap_or_default();
    println!(
        "{version} on {cores} cores ({}, {}), medians of {} rounds of {} s each, \
         generator and server on the same machine.",
        std::env::consts::ARCH,
        std::env::consts::OS,
        effort.rounds,
        effort.seconds
    );
    if cfg!(debug_assertions) {
        println!("\n**A debug build: these are no figures.**");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn goal(at_most: bool, measured: Option<f64>) -> Goal {
        Goal {
            what: String::new(),
            bound: 0.6,
            at_most,
            measured,
            unit: "",
        }
    }

    #[test]
    fn a_goal_is_reached_on_its_side_of_the_bound_and_on_it() {
        for (at_most, measured, verdict) in [
            (false, Some(0.6), "reached"),
            (false, Some(0.7), "reached"),
            (false, Some(0.5), "missed"),
            (true, Some(0.6), "reached"),
            (true, Some(0.5), "reached"),
            (true, Some(0.7), "missed"),
            (true, None, "not measured"),
        ] {
            let goal = goal(at_most, measured);
            assert_eq!(goal.verdict(), verdict, "{goal:?}");
        }
    }

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!(thousands(999.4), "999");
        assert_eq!(thousands(1_000.0), "1,000");
        assert_eq!(thousands(1_234_567.0), "1,234,567");
        assert_eq!(ratio_cell(Some(0.618)), "0.62");
        assert_eq!(ratio_cell(Some(41.7)), "42");
        assert_eq!(ratio_cell(None), "—");
    }

    #[test]
    fn the_middle_one_of_several_rounds() {
        assert!((median(vec![3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!(median(Vec::new()).abs() < 1e-9);
    }
}
