//! SQS with ever more keep-alive connections: throughput, and what one costs that does nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};

use super::closed_loop::{self, Load, as_f64};
use super::figures::{
    Goal, LOAD_COLUMNS, Rounds, median, print_absent, print_goals, ratio, ratio_cell, thousands,
};
use super::process::{Program, Server};
use super::sqs_client::{self, Cycling, SqsClient};
use super::{Absent, Effort, fixed_answer, open_files, ours};

const CONNECTIONS: [u16; 3] = [1, 100, 5_000];
/// The count at which the memory of one is more than the noise of all.
const MANY: u16 = 5_000;
/// As many are being opened at a time: a listener's queue is short.
const OPENING: usize = 50;
/// Before memory is read.
const REST: Duration = Duration::from_secs(1);
/// The goal for an idle connection.
const IDLE_KIB_MAX: f64 = 20.0;

/// What was seen of one server at one count.
#[derive(Debug, Default)]
struct Seen {
    rounds: Rounds,
    idle_kib: Vec<f64>,
}

/// By count and server.
type SeenAll = BTreeMap<u16, BTreeMap<String, Seen>>;

/// Measures and prints.
pub(crate) async fn run(effort: &Effort) {
    let mut absent = Vec::new();
    let mut seen = SeenAll::new();
    let programs = [fixed_answer(), ours(effort, "sqs")];
    for _ in 0..effort.rounds {
        for program in &programs {
            for connections in CONNECTIONS {
                match measure(program, effort, connections).await {
                    Ok((load, idle_kib)) => {
                        let of_count = seen.entry(connections).or_default();
                        let of_server = of_count.entry(program.name.clone()).or_default();
                        of_server.rounds.push(load);
                        of_server.idle_kib.push(idle_kib);
                    }
                    Err(why) => absent.push(why),
                }
            }
        }
    }
    print(&seen, &programs);
    let ours = seen.get(&MANY).and_then(|of_count| of_count.get("mq"));
    print_goals(&[Goal {
        what: format!("memory of one of {MANY} idle connections"),
        bound: IDLE_KIB_MAX,
        at_most: true,
        measured: ours.map(|seen| median(seen.idle_kib.clone())),
        unit: " KiB",
    }]);
    print_absent(&absent);
}

/// Opens all connections to a fresh server, reads its memory, and then puts load on all.
async fn measure(
    program: &Program,
    effort: &Effort,
    connections: u16,
) -> Result<(Load, f64), Absent> {
    let failed = |why| Absent::new(&program.name, format!("{connections} connections: {why}"));
    let server = Server::start(program, sqs_client::answers).await?;
    let _files = open_files::raise();
    let mut admin = SqsClient::new(server.address).map_err(failed)?;
    let url = admin.create("bench-connections").await.map_err(failed)?;
    tokio::time::sleep(REST).await;
    let before = server.resident_bytes();
    let clients: Vec<SqsClient> = stream::iter(0..connections)
        .map(|_| async {
            let mut client = SqsClient::new(server.address)?;
            client.open().await?;
            Ok::<_, String>(client)
        })
        .buffer_unordered(OPENING)
        .try_collect()
        .await
        .map_err(failed)?;
    tokio::time::sleep(REST).await;
    let grown = server.resident_bytes().saturating_sub(before);
    let idle_kib = as_f64(grown) / 1024.0 / f64::from(connections);
    let clients = clients.into_iter().map(|client| Cycling::new(client, &url));
    let load = closed_loop::run(clients.collect(), effort.span(), 1, &server).await;
    Ok((load, idle_kib))
}

fn print(seen: &SeenAll, programs: &[Program]) {
    println!("\nSendMessage, ReceiveMessage, DeleteMessage on ever more keep-alive connections:\n");
    println!(
        "| connections | server | {LOAD_COLUMNS} | of the fixed answer | KiB per idle connection | |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for (connections, of_count) in seen {
        let rate = |name: &str| of_count.get(name).and_then(|seen| seen.rounds.rate());
        for Program { name, .. } in programs {
            let Some(Seen { rounds, idle_kib }) = of_count.get(name) else {
                continue;
            };
            let idle = match connections {
                &MANY => format!("{:.1}", median(idle_kib.clone())),
                _ => "—".to_owned(),
            };
            println!(
                "| {} | {name} | {} | {} | {idle} | {} |",
                thousands(f64::from(*connections)),
                rounds.cells(),
                ratio_cell(ratio(rounds.rate(), rate("fixed answer"))),
                rounds.notes()
            );
        }
    }
}
