//! Whatever bytes come: an answer of the protocol, and nothing panics. Each `…_holds` is also the
//! body for a coverage-guided fuzzer.

use std::path::Path;

use mq_engine::Receipt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use super::super::receipt::{Handle, Seal};
use super::*;

/// Inputs that are made of the corpus, for each parser.
const GENERATED: usize = 20_000;
/// What parsers look for.
const WORDS: [&[u8]; 14] = [
    b"\"", b"{", b"}", b"[", b"]", b":", b",", b"\\ud83d", b"null", b"&", b"=", b"%", b".1.",
    b"A==",
];

/// One in which receives do not wait, with the queues that the corpus names.
fn subject() -> Client {
    let client = Client::new();
    client.front.stopping.cancel();
    let redrive = json!({ "deadLetterTargetArn": arn("q"), "maxReceiveCount": 1 });
    client.create("q", &json!({}));
    client.create("other", &json!({ "RedrivePolicy": redrive.to_string() }));
    client.create(
        "q.fifo",
        &json!({ "FifoQueue": "true", "ContentBasedDeduplication": "true" }),
    );
    client
}

/// The operation's name, a line's end, and the body.
fn json_holds(client: &Client, input: &[u8]) {
    let split = input.iter().position(|byte| *byte == b'\n');
    let (name, body) = input.split_at(split.unwrap_or(0));
    let name: String = name.iter().map(|byte| char::from(byte & 0x7f)).collect();
    let target = format!("AmazonSQS.{}", name.replace(char::is_control, ""));
    let reply = client.send(Request::post("/").header("x-amz-target", target), body);
    assert!(reply.status < 500, "{}", reply.body);
    if reply.status != 200 || !reply.body.is_empty() {
        let answer = reply.value();
        assert_eq!(
            answer["__type"].is_string(),
            reply.status != 200,
            "{answer}"
        );
    }
}

fn query_holds(client: &Client, input: &[u8]) {
    for path in ["/", "/000000000000/q"] {
        let reply = client.send(Request::post(path), input);
        assert!(reply.status < 500, "{}", reply.body);
        let mut reader = quick_xml::Reader::from_str(&reply.body);
        while reader.read_event().expect("well-formed XML") != quick_xml::events::Event::Eof {}
    }
}

/// What is read as a handle is what was written as one.
fn receipt_holds(seal: &Seal, input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    if let Some(handle) = Handle::read(&text, seal) {
        assert_eq!(handle.write(seal), text);
    }
}

fn corpus(parser: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/corpus/sqs")
        .join(parser);
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .expect("a folder of this repository")
        .map(|entry| entry.expect("a file").path())
        .collect();
    paths.sort();
    paths
        .iter()
        .map(|path| std::fs::read(path).expect("a file"))
        .collect()
}

/// Up to six changes to one of the corpus.
fn mutated(dice: &mut StdRng, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = corpus.choose(dice).cloned().unwrap_or_default();
    for _ in 0..dice.random_range(1..=6) {
        let at = dice.random_range(0..=bytes.len());
        let until = dice.random_range(at..=bytes.len().min(at + 16));
        match dice.random_range(0..6) {
            0 if at < bytes.len() => bytes[at] ^= 1 << dice.random_range(0..8),
            1 => bytes.truncate(at),
            2 => drop(bytes.drain(at..until)),
            3 => {
                let piece = bytes[at..until].to_vec();
                bytes.splice(at..at, piece);
            }
            4 => {
                let other = corpus.choose(dice).cloned().unwrap_or_default();
                let from = dice.random_range(0..=other.len());
                bytes.splice(at..until, other[from..].iter().copied().take(64));
            }
            _ => {
                let word = WORDS.choose(dice).copied().unwrap_or_default();
                bytes.splice(at..at, word.iter().copied());
            }
        }
    }
    bytes
}

/// The corpus as it is, and what is made of it.
fn replay(parser: &str, holds: impl Fn(&[u8])) {
    let corpus = corpus(parser);
    assert!(corpus.len() >= 9, "the corpus has {} files", corpus.len());
    corpus.iter().for_each(|input| holds(input));
    println!("seed 3");
    let mut dice = StdRng::seed_from_u64(3);
    for _ in 0..GENERATED {
        let input = mutated(&mut dice, &corpus);
        println!("{}", String::from_utf8_lossy(&input).escape_debug());
        holds(&input);
    }
}

#[test]
fn every_json_body_gets_an_answer() {
    let client = subject();
    replay("json", |input| json_holds(&client, input));
}

#[test]
fn every_form_gets_an_answer() {
    let client = subject();
    replay("query", |input| query_holds(&client, input));
}

#[test]
fn only_what_was_written_is_a_receipt() {
    let client = subject();
    let engine = client.front.shared.engine();
    let id = mq_engine::EntityId {
        service: mq_engine::Service::Sqs,
        kind: mq_engine::EntityKind::Queue,
        scope: "000000000000/us-east-1".to_owned(),
        name: "q".to_owned(),
    };
    let queue = engine.get(&id).expect("it was made");
    let seal = &Seal::of(queue, &client.front.secret);
    replay("receipt", |input| {
        assert_eq!(Handle::read(&String::from_utf8_lossy(input), seal), None);
        receipt_holds(seal, input);
    });
    // A true one, and everything that differs from it by one bit.
    let handle = Handle {
        receipt: Receipt {
            sequence: 7,
            lease: 9,
        },
        received: START,
    };
    let text = handle.write(seal);
    assert_eq!(Handle::read(&text, seal), Some(handle));
    for bit in 0..text.len() * 8 {
        let mut bytes = text.clone().into_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        receipt_holds(seal, &bytes);
        let other = String::from_utf8_lossy(&bytes);
        assert_eq!(Handle::read(&other, seal), None, "{other}");
    }
}
