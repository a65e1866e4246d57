//! SQS: sending, and a message's whole way, against every emulator that can be started.

use super::closed_loop::{self, Load, Span};
use super::figures::{
    Goal, LOAD_COLUMNS, Matrix, Rounds, print_absent, print_goals, ratio, ratio_cell,
};
use super::process::{Program, Server};
use super::sqs_client::{self, Cycling, Sending, SqsClient};
use super::{Absent, Effort, fixed_answer, ours, rivals};

const CONNECTIONS: [usize; 3] = [1, 10, 100];

/// What a load does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Operation {
    /// One call.
    Send,
    /// Three calls, which take one message in and out again.
    Cycle,
}

impl Operation {
    fn name(self) -> &'static str {
        match self {
            Operation::Send => "SendMessage",
            Operation::Cycle => "SendMessage, ReceiveMessage, DeleteMessage",
        }
    }

    /// The goal: at least this part of the fixed answer's throughput.
    fn limit_part_min(self) -> f64 {
        match self {
            Operation::Send => 0.6,
            Operation::Cycle => 0.5,
        }
    }
}

/// The goal: at least so many times moto's throughput.
const TIMES_MOTO_MIN: f64 = 10.0;

type Loads = Matrix<(Operation, usize)>;

/// Measures and prints.
pub(crate) async fn run(effort: &Effort) {
    let mut absent = Vec::new();
    let mut programs = vec![fixed_answer(), ours(effort, "sqs")];
    for rival in rivals::sqs() {
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
    for operation in [Operation::Send, Operation::Cycle] {
        print(&loads, operation, &programs);
    }
    print_goals(&goals(&loads, &programs));
    print_absent(&absent);
}

/// All loads on one server.
async fn round(program: &Program, span: Span, loads: &mut Loads) -> Result<(), Absent> {
    let server = Server::start(program, sqs_client::answers).await?;
    for operation in [Operation::Send, Operation::Cycle] {
        for connections in CONNECTIONS {
            let load = measure(&server, operation, connections, span)
                .await
                .map_err(|why| Absent::new(&program.name, why))?;
            let of_load = loads.entry((operation, connections)).or_default();
            of_load.entry(program.name.clone()).or_default().push(load);
        }
    }
    Ok(())
}

/// One load on a queue of its own, which is deleted after it.
async fn measure(
    server: &Server,
    operation: Operation,
    connections: usize,
    span: Span,
) -> Result<Load, String> {
    let mut admin = SqsClient::new(server.address)?;
    let name = format!("bench-{operation:?}-{connections}");
    let url = admin.create(&name).await?;
    let load = match operation {
        Operation::Send => {
            let clients = sqs_client::many(server.address, connections, |client| {
                Sending::new(client, &url)
            })?;
            closed_loop::run(clients, span, 1, server).await
        }
        Operation::Cycle => {
            let clients = sqs_client::many(server.address, connections, |client| {
                Cycling::new(client, &url)
            })?;
            closed_loop::run(clients, span, 1, server).await
        }
    };
    admin.delete_queue(&url).await?;
    Ok(load)
}

fn print(loads: &Loads, operation: Operation, programs: &[Program]) {
    println!(
        "\n{}, {} byte bodies, a closed loop on keep-alive connections:\n",
        operation.name(),
        sqs_client::BODY_BYTES
    );
    println!(
        "| connections | server | {LOAD_COLUMNS} | of the fixed answer | `mq` is so many times it | |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for connections in CONNECTIONS {
        let Some(of_load) = loads.get(&(operation, connections)) else {
            continue;
        };
        let rate = |name: &str| of_load.get(name).and_then(Rounds::rate);
        for Program { name, .. } in programs {
            let Some(rounds) = of_load.get(name) else {
                continue;
            };
            println!(
                "| {connections} | {name} | {} | {} | {} | {} |",
                rounds.cells(),
                ratio_cell(ratio(rounds.rate(), rate("fixed answer"))),
                ratio_cell(ratio(rate("mq"), rounds.rate())),
                rounds.notes()
            );
        }
    }
}

fn goals(loads: &Loads, programs: &[Program]) -> Vec<Goal> {
    let mut goals = Vec::new();
    let moto = programs
        .iter()
        .find(|program| program.name.starts_with("moto"));
    for ((operation, connections), of_load) in loads {
        let rate = |name: &str| of_load.get(name).and_then(Rounds::rate);
        let mut goal = |against: &str, bound, reference| {
            goals.push(Goal {
                what: format!("{} at {connections}, of {against}", operation.name()),
                bound,
                at_most: false,
                measured: ratio(rate("mq"), reference),
                unit: "",
            });
        };
        goal(
            "the fixed answer",
            operation.limit_part_min(),
            rate("fixed answer"),
        );
        let moto = moto.and_then(|moto| rate(&moto.name));
        goal("moto", TIMES_MOTO_MIN, moto);
    }
    goals
}
