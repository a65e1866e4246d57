//! SQS with a long queue: a message's whole way must not take longer for those that wait.

use std::collections::BTreeMap;
use std::time::Duration;

use super::closed_loop;
use super::figures::{
    Goal, LOAD_COLUMNS, Rounds, print_absent, print_goals, ratio, ratio_cell, thousands,
};
use super::process::Server;
use super::sqs_client::{self, Cycling, SqsClient};
use super::{Absent, Effort, ours};

const FEW: u64 = 1_000;
const CONNECTIONS: usize = 10;
const FILL_TIMEOUT: Duration = Duration::from_secs(1200);
/// The goal: at least this part of the throughput with few.
const PART_MIN: f64 = 0.9;

/// Measures and prints.
pub(crate) async fn run(effort: &Effort, many: u64) {
    let mut rounds = BTreeMap::new();
    let mut absent = Vec::new();
    for _ in 0..effort.rounds {
        if let Err(why) = round(effort, many, &mut rounds).await {
            absent.push(why);
            break;
        }
    }
    println!(
        "\nSendMessage, ReceiveMessage, DeleteMessage at {CONNECTIONS} connections on a queue that \
         holds messages of {} bytes:\n",
        sqs_client::BODY_BYTES
    );
    println!("| messages in the queue | {LOAD_COLUMNS} | of that with few | |");
    println!("|---|---|---|---|---|---|---|---|");
    let rate = |backlog| rounds.get(&backlog).and_then(Rounds::rate);
    for (backlog, figures) in &rounds {
        println!(
            "| {} | {} | {} | {} |",
            thousands(closed_loop::as_f64(*backlog)),
            figures.cells(),
            ratio_cell(ratio(figures.rate(), rate(FEW))),
            figures.notes()
        );
    }
    print_goals(&[Goal {
        what: format!("throughput at {many} messages, of that at {FEW}"),
        bound: PART_MIN,
        at_most: false,
        measured: ratio(rate(many), rate(FEW)),
        unit: "",
    }]);
    print_absent(&absent);
}

/// Few and then many, on one server.
async fn round(
    effort: &Effort,
    many: u64,
    rounds: &mut BTreeMap<u64, Rounds>,
) -> Result<(), Absent> {
    let program = ours(effort, "sqs");
    let failed = |why| Absent::new(&program.name, why);
    let server = Server::start(&program, sqs_client::answers).await?;
    let mut admin = SqsClient::new(server.address).map_err(failed)?;
    for backlog in [FEW, many] {
        let name = format!("bench-backlog-{backlog}");
        let url = admin.create(&name).await.map_err(failed)?;
        let filled = sqs_client::fill(server.address, &url, backlog, FILL_TIMEOUT).await;
        match filled {
            Ok(filled) if filled >= backlog => {}
            Ok(filled) => {
                return Err(failed(format!(
                    "took {filled} of {backlog} messages in time"
                )));
            }
            Err(why) => return Err(failed(format!("filling {backlog}: {why}"))),
        }
        let cycling = |client| Cycling::new(client, &url);
        let clients = sqs_client::many(server.address, CONNECTIONS, cycling).map_err(failed)?;
        let load = closed_loop::run(clients, effort.span(), 1, &server).await;
        rounds.entry(backlog).or_default().push(load);
        admin.delete_queue(&url).await.map_err(failed)?;
    }
    Ok(())
}
