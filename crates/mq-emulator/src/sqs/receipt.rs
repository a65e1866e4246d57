//! Receipt handles, message ids and sequence numbers: what the engine's numbers look like outside.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mq_engine::{Entity, EntityId, Receipt, Timestamp};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The bytes of a handle before its seal: the message, the lease, and when it began.
const PLAIN_BYTES: usize = 24;
const SEAL_BYTES: usize = 16;
/// Where the sequence numbers of FIFO queues begin: all have 20 digits, so that they are in the
/// same order as text.
const SEQUENCE_BASE: u64 = 10_000_000_000_000_000_000;

/// What makes the handles and ids of one emulator its own.
#[derive(Clone)]
pub(super) struct Secret([u8; 16]);

impl Secret {
    pub(super) fn random() -> Self {
        Secret(Uuid::new_v4().into_bytes())
    }

    /// The id of a message, the same for as long as it lives.
    pub(super) fn message_id(&self, id: u64) -> String {
        self.uuid("message", id)
    }

    /// The id of a move task.
    pub(super) fn task_id(&self, task: u64) -> String {
        self.uuid("task", task)
    }

    fn uuid(&self, of: &str, number: u64) -> String {
        let mut bytes = [0; 16];
        let digest = self.digest(&[of.as_bytes(), &number.to_be_bytes()]);
        bytes.copy_from_slice(&digest[..16]);
        uuid::Builder::from_random_bytes(bytes)
            .into_uuid()
            .to_string()
    }

    fn digest(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut digest = Sha256::new();
        digest.update(self.0);
        for part in parts {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        digest.finalize().into()
    }
}

/// What makes the handles of one queue its own, and not those of a later one of the same name.
#[derive(Clone)]
pub(super) struct Seal {
    secret: Secret,
    queue: EntityId,
    created: Timestamp,
}

impl Seal {
    pub(super) fn of(queue: &Entity, secret: &Secret) -> Self {
        Seal {
            secret: secret.clone(),
            queue: queue.id.clone(),
            created: queue.created,
        }
    }

    fn over(&self, plain: &[u8]) -> [u8; SEAL_BYTES] {
        let digest = self.secret.digest(&[
            self.queue.scope.as_bytes(),
            self.queue.name.as_bytes(),
            &self.created.0.to_be_bytes(),
            plain,
        ]);
        let mut bytes = [0; SEAL_BYTES];
        bytes.copy_from_slice(&digest[..SEAL_BYTES]);
        bytes
    }
}

/// What a receipt handle says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Handle {
    pub(super) receipt: Receipt,
    /// When the message was handed out.
    pub(super) received: Timestamp,
}

impl Handle {
    /// The handle as a client gets it.
    pub(super) fn write(self, seal: &Seal) -> String {
        let mut bytes = Vec::with_capacity(PLAIN_BYTES + SEAL_BYTES);
        for number in [self.receipt.sequence, self.receipt.lease, self.received.0] {
            bytes.extend(number.to_be_bytes());
        }
        bytes.extend(seal.over(&bytes));
        STANDARD.encode(bytes)
    }

    /// What was written under this seal; `None` for everything else.
    pub(super) fn read(text: &str, seal: &Seal) -> Option<Self> {
        let mut bytes = [0; PLAIN_BYTES + SEAL_BYTES + 2];
        let length = STANDARD.decode_slice(text, &mut bytes).ok()?;
        let (plain, sealed) = bytes[..length].split_at_checked(PLAIN_BYTES)?;
        if sealed != seal.over(plain) {
            return None;
        }
        let number = |at: usize| {
            let eight = plain.get(at..at + 8)?.try_into().ok()?;
            Some(u64::from_be_bytes(eight))
        };
        Some(Handle {
            receipt: Receipt {
                sequence: number(0)?,
                lease: number(8)?,
            },
            received: Timestamp(number(16)?),
        })
    }

    /// How long after the message was handed out this is.
    pub(super) fn age(self, now: Timestamp) -> Duration {
        now.since(self.received)
    }
}

/// A sequence number as FIFO queues show it.
pub(super) fn sequence_number(sequence: u64) -> String {
    SEQUENCE_BASE.saturating_add(sequence).to_string()
}
