//! Planning ten times as many queues, and the memory that it takes.

use std::process::Command;
use std::time::{Duration, Instant};

use mq_core::PlanOptions;
use mq_tests::files;
use mq_tests::world::{World, backend_ids};

use crate::{Row, compared, median, milliseconds, runtime};

const FEW: usize = 1_000;
const MANY: usize = 10_000;
const PARALLELISM: usize = 10;

pub(crate) fn run(rounds: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    for backend in backend_ids() {
        let (mut few, mut many) = (Vec::new(), Vec::new());
        let mut peak = 0;
        for _ in 0..rounds {
            few.push(child(backend, FEW).0);
            let (time, memory) = child(backend, MANY);
            many.push(time);
            peak = peak.max(memory);
        }
        let (few, many) = (median(few), median(many));
        let name = format!("plan {MANY} queues with dead letters, {backend}");
        rows.push(compared(
            name,
            many,
            few,
            &format!("{FEW} queues"),
            "10 (linear)",
        ));
        rows.push(Row {
            name: format!("memory of that, {backend}"),
            measured: if peak == 0 {
                "not told by this system".to_owned()
            } else {
                format!("{peak} MiB")
            },
            reference: format!(
                "peak of the process, emulator included, {} to plan",
                milliseconds(many)
            ),
            ratio: "—".to_owned(),
            goal: "200 MiB",
        });
    }
    rows
}

/// Plans in a process of its own, whose peak is then that of the plan.
fn child(backend: &str, queues: usize) -> (Duration, u64) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--plan-alone", backend, &queues.to_string()])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).unwrap();
    let mut figures = text
        .split_whitespace()
        .map(|figure| figure.parse::<u64>().unwrap());
    (
        Duration::from_micros(figures.next().unwrap()),
        figures.next().unwrap(),
    )
}

/// The child's side: microseconds and MiB.
pub(crate) fn alone(backend: &str, queues: usize) {
    let yaml: String = (0..queues)
        .map(|index| format!("  queue-{index}: {{ dead_letter: {{ max_deliveries: 5 }} }}\n"))
        .collect();
    let elapsed = runtime().block_on(async {
        let world = World::start(&[], 0).await;
        let session = world.direct_session(backend, PARALLELISM).await.unwrap();
        let start = Instant::now();
        let queues = files::with(&yaml, backend);
        let plan = session
            .plan(&queues, &PlanOptions::default())
            .await
            .unwrap();
        let elapsed = start.elapsed();
        assert!(plan.tally().add >= queues.len());
        elapsed
    });
    println!("{} {}", elapsed.as_micros(), peak_mib());
}

/// The most memory that this process has held, where the system tells; 0 elsewhere.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.map_or(0, |kib| kib / 1024)
}
