//! Pub/Sub: publishing, and a message's whole way, against every emulator that can be started.

use super::closed_loop::{self, Load, Span};
use super::figures::{
    Goal, LOAD_COLUMNS, Matrix, Rounds, print_absent, print_goals, ratio, ratio_cell,
};
use super::process::{Program, Server};
use super::pubsub_client::{self, Pair, Publishing, connect};
use super::{Absent, Effort, ours, rivals, sqs_client, streaming};

/// What a load does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Operation {
    /// Calls of so many messages each.
    Publish(usize),
    /// StreamingPull and ack of what was published before.
    Drain,
    /// Messages from publisher to ack.
    Stream,
}

impl Operation {
    fn name(self) -> String {
        match self {
            Operation::Publish(batch) => format!("Publish of {batch}"),
            Operation::Drain => "StreamingPull, ack of what has waited".to_owned(),
            Operation::Stream => format!(
                "Publish, StreamingPull, ack (a window of {} messages per connection)",
                streaming::WINDOW
            ),
        }
    }
}

const LOADS: [(Operation, usize); 9] = [
    (Operation::Publish(1), 1),
    (Operation::Publish(1), 10),
    (Operation::Publish(1), 100),
    (Operation::Publish(100), 1),
    (Operation::Publish(100), 10),
    (Operation::Drain, 1),
    (Operation::Drain, 10),
    (Operation::Stream, 1),
    (Operation::Stream, 10),
];
/// How many messages wait to be received, for each second of the other loads.
const DRAINED_PER_SECOND: u64 = 20_000;
/// The goal: ahead of each.
const TIMES_RIVAL_MIN: f64 = 1.0;

type Loads = Matrix<(Operation, usize)>;

/// Measures and prints.
pub(crate) async fn run(effort: &Effort) {
    let mut absent = Vec::new();
    let mut programs = vec![ours(effort, "pubsub")];
    for rival in rivals::pubsub() {
        match rival {
            Ok(program) => programs.push(program),
            Err(why) => absent.push(why),
        }
    }
    let mut loads = Loads::new();
    for _ in 0..effort.rounds {
        // Who does not start is not tried again.
        let mut started = Vec::new();
        for program in programs {
            match round(&program, effort.span(), &mut loads).await {
                Ok(()) => started.push(program),
                Err(why) => absent.push(why),
            }
        }
        programs = started;
    }
    print(&loads, &programs);
    print_goals(&goals(&loads, &programs));
    print_absent(&absent);
}

/// All loads on one server, after a first one that does not count: a virtual machine compiles what
/// it has run for a while.
async fn round(program: &Program, span: Span, loads: &mut Loads) -> Result<(), Absent> {
    let failed = |why| Absent::new(&program.name, why);
    let server = Server::start(program, pubsub_client::answers).await?;
    for operation in [Operation::Publish(1), Operation::Stream] {
        let warm = measure(&server, operation, 2, span).await;
        warm.map_err(failed)?;
    }
    for (operation, connections) in LOADS {
        let load = measure(&server, operation, connections, span).await;
        let of_load = loads.entry((operation, connections)).or_default();
        let rounds = of_load.entry(program.name.clone()).or_default();
        rounds.push(load.map_err(failed)?);
    }
    Ok(())
}

async fn measure(
    server: &Server,
    operation: Operation,
    connections: usize,
    span: Span,
) -> Result<Load, String> {
    let batch = match operation {
        Operation::Publish(batch) => batch,
        Operation::Stream => return streaming::run(server, connections, span).await,
        Operation::Drain => {
            let messages = DRAINED_PER_SECOND * span.measured.as_secs();
            let messages = usize::try_from(messages).map_err(|error| error.to_string())?;
            return streaming::drain(server, connections, messages).await;
        }
    };
    let admin = connect(server.address).await?;
    let pair = Pair::create(&admin, &format!("bench-publish-{batch}-{connections}")).await?;
    let mut clients = Vec::new();
    for _ in 0..connections {
        clients.push(Publishing::new(server.address, &pair, batch).await?);
    }
    let load = closed_loop::run(clients, span, batch as u64, server).await;
    pair.delete(&admin).await?;
    Ok(load)
}

fn print(loads: &Loads, programs: &[Program]) {
    println!(
        "\n{} byte bodies; the latency is that of a call, or a message's from publisher to \
         subscriber:\n",
        sqs_client::BODY_BYTES
    );
    println!("| load | connections | server | {LOAD_COLUMNS} | `mq` is so many times it | |");
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for ((operation, connections), of_load) in loads {
        let ours = of_load.get("mq").and_then(Rounds::rate);
        for Program { name, .. } in programs {
            let Some(rounds) = of_load.get(name) else {
                continue;
            };
            println!(
                "| {} | {connections} | {name} | {} | {} | {} |",
                operation.name(),
                rounds.cells(),
                ratio_cell(ratio(ours, rounds.rate())),
                rounds.notes()
            );
        }
    }
}

fn goals(loads: &Loads, programs: &[Program]) -> Vec<Goal> {
    let rivals = programs.iter().filter(|program| program.name != "mq");
    let rivals: Vec<_> = rivals.map(|program| &program.name).collect();
    let of_loads = loads
        .iter()
        .flat_map(|(load, of_load)| rivals.iter().map(move |rival| (load, of_load, *rival)));
    of_loads
        .map(|((operation, connections), of_load, rival)| {
            let rate = |name: &str| of_load.get(name).and_then(Rounds::rate);
            Goal {
                what: format!("{} at {connections}, of {rival}", operation.name()),
                bound: TIMES_RIVAL_MIN,
                at_most: false,
                measured: ratio(rate("mq"), rate(rival)),
                unit: "",
            }
        })
        .collect()
}
