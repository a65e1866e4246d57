//! The namespace's tier, and what it allows.

use crate::quirks::Quirks;

/// The pricing tier, which decides what a queue may have
/// (<https://learn.microsoft.com/azure/service-bus-messaging/service-bus-premium-messaging>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tier {
    Basic,
    Standard,
    Premium,
}

impl Tier {
    pub(super) fn of(quirks: &Quirks) -> Self {
        match (quirks.servicebus_basic_tier, quirks.servicebus_premium_tier) {
            (_, true) => Tier::Premium,
            (true, false) => Tier::Basic,
            (false, false) => Tier::Standard,
        }
    }

    /// As in `MessagingSKU`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Tier::Basic => "Basic",
            Tier::Standard => "Standard",
            Tier::Premium => "Premium",
        }
    }

    /// The values that `MaxSizeInMegabytes` may have.
    pub(super) fn sizes_mb(self) -> &'static [u64] {
        match self {
            Tier::Basic | Tier::Standard => &[1024, 2048, 3072, 4096, 5120],
            Tier::Premium => &[1024, 2048, 3072, 4096, 5120, 10_240, 20_480, 40_960, 81_920],
        }
    }

    /// What `MaxMessageSizeInKilobytes` is when it is not set.
    pub(super) fn message_size_kb(self) -> u64 {
        match self {
            Tier::Basic | Tier::Standard => 256,
            Tier::Premium => 1024,
        }
    }
}
