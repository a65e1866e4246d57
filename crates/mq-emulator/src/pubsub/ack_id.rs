//! Receipts as text.
//!
//! Short, since a refused one comes back in a header: two numbers, a mark of the process that gave
//! them, and a byte that tells a mistyped one from one of ours.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mq_engine::Receipt;

const BYTES: usize = 21;

/// An emulator that is started again counts from one again. What a client kept from before must not
/// ack what came since.
static PROCESS: LazyLock<[u8; 4]> = LazyLock::new(rand::random);

/// Given out by nobody: what it stands for is gone.
pub(super) const OF_ANOTHER_PROCESS: Receipt = Receipt {
    sequence: 0,
    lease: 0,
};

/// The receipt's ack ID.
pub(super) fn write(receipt: Receipt) -> String {
    let mut bytes = [0; BYTES];
    bytes[..8].copy_from_slice(&receipt.sequence.to_be_bytes());
    bytes[8..16].copy_from_slice(&receipt.lease.to_be_bytes());
    bytes[16..20].copy_from_slice(&*PROCESS);
    bytes[20] = check(&bytes[..20]);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The receipt of an ack ID, or one that is never given out where another process gave it; `None`
/// when it is malformed.
pub(super) fn read(text: &str) -> Option<Receipt> {
    let bytes: [u8; BYTES] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
    let (sequence, rest) = bytes.split_first_chunk::<8>()?;
    let (lease, rest) = rest.split_first_chunk::<8>()?;
    let (process, _) = rest.split_first_chunk::<4>()?;
    let whole = bytes[20] == check(&bytes[..20]);
    let receipt = if *process == *PROCESS {
        Receipt {
            sequence: u64::from_be_bytes(*sequence),
            lease: u64::from_be_bytes(*lease),
        }
    } else {
        OF_ANOTHER_PROCESS
    };
    whole.then_some(receipt)
}

fn check(bytes: &[u8]) -> u8 {
    bytes
        .iter()
        .fold(0x5a, |sum: u8, byte| sum.rotate_left(3) ^ byte)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_receipt_survives_its_text(sequence in any::<u64>(), lease in any::<u64>()) {
            let receipt = Receipt { sequence, lease };
            prop_assert_eq!(read(&write(receipt)), Some(receipt));
        }

        #[test]
        fn a_changed_byte_is_seen(
            sequence in any::<u64>(), lease in any::<u64>(), at in 0..BYTES, flip in 1..=255_u8,
        ) {
            let text = write(Receipt { sequence, lease });
            let mut bytes = URL_SAFE_NO_PAD.decode(text).unwrap();
            bytes[at] ^= flip;
            prop_assert_eq!(read(&URL_SAFE_NO_PAD.encode(bytes)), None);
        }
    }

    #[test]
    fn what_another_process_gave_stands_for_nothing() {
        let text = write(Receipt {
            sequence: 1,
            lease: 1,
        });
        let mut bytes = URL_SAFE_NO_PAD.decode(text).unwrap();
        bytes[17] ^= 1;
        bytes[20] = check(&bytes[..20]);
        let other = URL_SAFE_NO_PAD.encode(bytes);
        assert_eq!(read(&other), Some(OF_ANOTHER_PROCESS));
    }

    #[test]
    fn what_is_no_ack_id_is_none() {
        for text in ["", "x", "§", &"A".repeat(28), &"A".repeat(10_000)] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
