//! Fuzz bodies: one function for each parser that reads what anybody may send, replayed here over
//! the committed corpus and over inputs made of it.

use std::fs;
use std::path::Path;

use googleapis_tonic_google_pubsub_v1::google::pubsub::v1::PublishRequest;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::super::json::{self, Enums};
use super::super::{ack_id, filter, publish};

/// How many inputs are made for each parser.
const INPUTS: usize = 20_000;
const SEED: u64 = 1;

/// A filter is read or refused, and one that is read is no longer than it may be. Blanks around
/// it change nothing.
fn filter_body(input: &[u8]) -> bool {
    let text = String::from_utf8_lossy(input);
    match filter::parse(&text) {
        Ok(expression) => {
            assert!(text.len() <= 256);
            assert_eq!(filter::parse(text.trim_ascii()), Ok(expression));
            true
        }
        Err(why) => {
            assert!(why.len() < 200, "{why}");
            false
        }
    }
}

/// Each receipt of this process has one text only; the corpus is of another.
fn ack_id_body(input: &[u8]) -> bool {
    let text = String::from_utf8_lossy(input);
    let receipt = ack_id::read(&text);
    if let Some(receipt) = receipt
        && receipt != ack_id::OF_ANOTHER_PROCESS
    {
        assert_eq!(ack_id::write(receipt), text);
    }
    receipt.is_some()
}

/// A publish request is read or refused, and one that is read survives being written.
fn publish_json_body(input: &[u8]) -> bool {
    let Ok(value) = serde_json::from_slice(input) else {
        return false;
    };
    let request: PublishRequest = match json::read(value, "") {
        Ok(request) => request,
        Err(status) => {
            assert!(status.message().len() < 2_000, "{status}");
            return false;
        }
    };
    let written = json::write(&request, Enums::Names);
    let again: PublishRequest = json::read(written, "").unwrap();
    assert_eq!(again, request);
    publish::check(&request).is_ok()
}

/// The inputs of the corpus, in order of name.
fn corpus(parser: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/pubsub");
    let mut files: Vec<_> = fs::read_dir(folder.join(parser))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

/// An input made of one or two others by a few changes.
fn made(dice: &mut StdRng, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut input = corpus[dice.random_range(0..corpus.len())].clone();
    for _ in 0..dice.random_range(1..4) {
        let at = dice.random_range(0..=input.len());
        match dice.random_range(0..5) {
            0 => input.insert(at, dice.random()),
            1 => input.truncate(at),
            2 => {
                let other = &corpus[dice.random_range(0..corpus.len())];
                let from = dice.random_range(0..=other.len());
                let to = dice.random_range(from..=other.len().min(from + 40));
                input.splice(at..at, other[from..to].iter().copied());
            }
            3 if at < input.len() => input[at] ^= 1 << dice.random_range(0..8),
            _ if at < input.len() => drop(input.remove(at)),
            _ => {}
        }
    }
    input
}

/// Runs the body over everything; some inputs of each kind must be good and some bad, or it
/// proves nothing.
fn replay(parser: &str, body: fn(&[u8]) -> bool) {
    let corpus = corpus(parser);
    assert!(corpus.len() >= 10, "{} inputs", corpus.len());
    let good = corpus.iter().filter(|input| body(input)).count();
    assert!(good >= 3 && corpus.len() - good >= 5, "{good} are good");
    let mut dice = StdRng::seed_from_u64(SEED);
    let good = (0..INPUTS)
        .filter(|_| body(&made(&mut dice, &corpus)))
        .count();
    assert!(
        good > INPUTS / 1_000 && good < INPUTS * 9 / 10,
        "{good} of {INPUTS} are good"
    );
}

#[test]
fn filters() {
    replay("filter", filter_body);
}

#[test]
fn ack_ids() {
    replay("ack-id", ack_id_body);
}

#[test]
fn publish_requests_in_json() {
    replay("publish-json", publish_json_body);
}
