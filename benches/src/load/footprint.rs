//! What a server costs before anybody uses it, and what a message costs that it holds.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use super::closed_loop::as_f64;
use super::figures::{Goal, median, print_absent, print_goals, thousands};
use super::process::{Program, Server};
use super::sqs_client::{self, SqsClient};
use super::{Absent, Effort, ours, pubsub_client, rivals};

/// After the start, for what is done late.
const IDLE: Duration = Duration::from_secs(2);
/// After the messages, for what was freed to be given back.
const REST: Duration = Duration::from_secs(1);
/// Whoever takes longer is measured with what it has by then.
const FILL_TIMEOUT: Duration = Duration::from_secs(60);
const MIB: f64 = 1024.0 * 1024.0;
const READY_MS_MAX: f64 = 50.0;
const IDLE_MIB_MAX: f64 = 15.0;
const BINARY_MIB_MAX: f64 = 25.0;
const MESSAGE_BYTES_RATIO_MAX: f64 = 1.3;

/// The protocol by which a server is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Protocol {
    Sqs,
    Pubsub,
}

impl Protocol {
    fn name(self) -> &'static str {
        match self {
            Protocol::Sqs => "SQS",
            Protocol::Pubsub => "Pub/Sub",
        }
    }

    async fn answers(self, address: SocketAddr) -> bool {
        match self {
            Protocol::Sqs => sqs_client::answers(address).await,
            Protocol::Pubsub => pubsub_client::answers(address).await,
        }
    }

    async fn fill(self, address: SocketAddr, messages: u64) -> Result<u64, String> {
        match self {
            Protocol::Sqs => {
                let url = SqsClient::new(address)?.create("bench-footprint").await?;
                sqs_client::fill(address, &url, messages, FILL_TIMEOUT).await
            }
            Protocol::Pubsub => pubsub_client::fill(address, messages, FILL_TIMEOUT).await,
        }
    }
}

/// One server's figures, an entry per round.
#[derive(Debug, Default)]
struct Seen {
    ready_ms: Vec<f64>,
    idle_mib: Vec<f64>,
    /// Memory over bodies.
    message_ratio: Vec<f64>,
    /// How many messages that was.
    held: Vec<f64>,
    /// Why there is no such figure.
    unfilled: Option<String>,
}

type SeenAll = BTreeMap<(Protocol, String), Seen>;

/// Measures and prints.
pub(crate) async fn run(effort: &Effort, messages: u64) {
    let mut programs = vec![
        (Protocol::Sqs, Ok(ours(effort, "sqs"))),
        (Protocol::Pubsub, Ok(ours(effort, "pubsub"))),
    ];
    programs.extend(
        rivals::sqs()
            .into_iter()
            .map(|rival| (Protocol::Sqs, rival)),
    );
    programs.extend(
        rivals::pubsub()
            .into_iter()
            .map(|rival| (Protocol::Pubsub, rival)),
    );
    let mut absent = Vec::new();
    let mut seen = SeenAll::new();
    for _ in 0..effort.rounds {
        // Who does not start is not tried again.
        let mut started = Vec::new();
        for (protocol, program) in programs {
            match round(protocol, program, messages, &mut seen).await {
                Ok(program) => started.push((protocol, Ok(program))),
                Err(why) => absent.push(why),
            }
        }
        programs = started;
    }
    print(&seen, messages);
    print_goals(&goals(effort, &seen));
    print_absent(&absent);
}

/// One round of one server, if it is there.
async fn round(
    protocol: Protocol,
    program: Result<Program, Absent>,
    messages: u64,
    seen: &mut SeenAll,
) -> Result<Program, Absent> {
    let program = program?;
    let server = Server::start(&program, async |address| protocol.answers(address).await).await?;
    tokio::time::sleep(IDLE).await;
    let of_server = seen.entry((protocol, program.name.clone())).or_default();
    of_server.ready_ms.push(server.ready.as_secs_f64() * 1000.0);
    let idle = server.resident_bytes();
    of_server.idle_mib.push(as_f64(idle) / MIB);
    if of_server.unfilled.is_some() {
        return Ok(program);
    }
    match protocol.fill(server.address, messages).await {
        Ok(held) => {
            tokio::time::sleep(REST).await;
            let grown = server.resident_bytes().saturating_sub(idle);
            let bodies = held * sqs_client::BODY_BYTES as u64;
            of_server.held.push(as_f64(held));
            of_server.message_ratio.push(as_f64(grown) / as_f64(bodies));
        }
        Err(why) => of_server.unfilled = Some(why),
    }
    Ok(program)
}

fn print(seen: &SeenAll, messages: u64) {
    println!(
        "\nUntil the first answer, idle {} s later, and with {} messages of {} bytes held, or as many \
         as were taken in {} s:\n",
        IDLE.as_secs(),
        thousands(as_f64(messages)),
        sqs_client::BODY_BYTES,
        FILL_TIMEOUT.as_secs()
    );
    println!(
        "| protocol | server | ready ms | idle MiB | messages held | what they added, over their bodies | |\n\
         |---|---|---|---|---|---|---|"
    );
    for ((protocol, name), of_server) in seen {
        let filled = match &of_server.unfilled {
            None => format!(
                "{} | {:.2}",
                thousands(median(of_server.held.clone())),
                median(of_server.message_ratio.clone())
            ),
            Some(_) => "— | —".to_owned(),
        };
        println!(
            "| {} | {name} | {} | {:.1} | {filled} | {} |",
            protocol.name(),
            thousands(median(of_server.ready_ms.clone())),
            median(of_server.idle_mib.clone()),
            of_server.unfilled.as_deref().unwrap_or_default()
        );
    }
}

fn goals(effort: &Effort, seen: &SeenAll) -> Vec<Goal> {
    let ours = |protocol| seen.get(&(protocol, "mq".to_owned()));
    let size = std::fs::metadata(&effort.binary).map(|file| as_f64(file.len()) / MIB);
    let at_most = |what: &str, bound, measured, unit| Goal {
        what: what.to_owned(),
        bound,
        at_most: true,
        measured,
        unit,
    };
    // It is ready when both are.
    let worse = |figures: fn(&Seen) -> &Vec<f64>| {
        let of_protocols = [ours(Protocol::Sqs), ours(Protocol::Pubsub)];
        let of_protocols = of_protocols.into_iter().flatten();
        of_protocols
            .map(|seen| median(figures(seen).clone()))
            .reduce(f64::max)
    };
    let mut goals = vec![
        at_most(
            "time until ready",
            READY_MS_MAX,
            worse(|seen| &seen.ready_ms),
            " ms",
        ),
        at_most(
            "memory, idle",
            IDLE_MIB_MAX,
            worse(|seen| &seen.idle_mib),
            " MiB",
        ),
        at_most("the binary", BINARY_MIB_MAX, size.ok(), " MiB"),
    ];
    for protocol in [Protocol::Sqs, Protocol::Pubsub] {
        let filled = ours(protocol).filter(|seen| seen.unfilled.is_none());
        goals.push(at_most(
            &format!(
                "memory of held messages over their bodies, {}",
                protocol.name()
            ),
            MESSAGE_BYTES_RATIO_MAX,
            filled.map(|seen| median(seen.message_ratio.clone())),
            "",
        ));
    }
    goals
}
