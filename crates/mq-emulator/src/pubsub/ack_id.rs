//! Receipts as text.
//!
//! Short, since a refused one comes back in a header: two numbers and a byte that tells a
//! mistyped one from one of ours.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mq_engine::Receipt;

const BYTES: usize = 17;

/// The receipt's ack ID.
pub(super) fn write(receipt: Receipt) -> String {
    let mut bytes = [0; BYTES];
    bytes[..8].copy_from_slice(&receipt.sequence.to_be_bytes());
    bytes[8..16].copy_from_slice(&receipt.lease.to_be_bytes());
    bytes[16] = check(&bytes[..16]);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The receipt of an ack ID; `None` when it is malformed.
pub(super) fn read(text: &str) -> Option<Receipt> {
    let bytes: [u8; BYTES] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
    let (sequence, rest) = bytes.split_first_chunk::<8>()?;
    let (lease, _) = rest.split_first_chunk::<8>()?;
    let ours = bytes[16] == check(&bytes[..16]);
    ours.then_some(Receipt {
        sequence: u64::from_be_bytes(*sequence),
        lease: u64::from_be_bytes(*lease),
    })
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
    fn what_is_no_ack_id_is_none() {
        for text in ["", "x", "§", &"A".repeat(23), &"A".repeat(10_000)] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
