//! Pub/Sub's data plane, judged case by case by the vendor's own client for Python.
//!
//! `MQ_PYTHON` names the interpreter that has it.

use std::sync::Mutex;

use mq_tests::court::{Judge, interpreter, judge_by};

fn main() {
    judge_by([Judge {
        name: "google-cloud-pubsub",
        interpreter: interpreter("MQ_PYTHON", "python3"),
        script: "pubsub_python.py",
        probe: ["-c", "import google.cloud.pubsub_v1"],
        install: "tests/requirements.txt",
        restart: None,
        emulator: Mutex::default(),
    }])
}
