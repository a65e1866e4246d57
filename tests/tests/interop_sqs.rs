//! SQS's data plane, judged case by case by the vendor's own clients for Python and JavaScript.
//!
//! `MQ_PYTHON` and `MQ_NODE` name the interpreters; `npm ci` in `tests/interop/js-sqs` installs what
//! the second needs.

use std::sync::Mutex;

use mq_tests::court::{Judge, interpreter, judge_by};

fn main() {
    judge_by([
        Judge {
            name: "boto3",
            interpreter: interpreter("MQ_PYTHON", "python3"),
            script: "sqs_boto3.py",
            probe: ["-c", "import boto3"],
            install: "tests/requirements.txt",
            restart: Some("reconnect_after_a_restart"),
            emulator: Mutex::default(),
        },
        Judge {
            name: "client-sqs",
            interpreter: interpreter("MQ_NODE", "node"),
            script: "js-sqs/sqs.mjs",
            probe: ["-e", "require('@aws-sdk/client-sqs')"],
            install: "`npm ci` in tests/interop/js-sqs",
            restart: Some("reconnectAfterARestart"),
            emulator: Mutex::default(),
        },
    ])
}
