//! Bugs that this crate's own tests plant, to see that their checks find them.
//!
//! `planted!(Bug, wrong, right)` is `right`. Only in the build of the unit tests it is `wrong`
//! while that bug is on; no other build contains any of it.

#[cfg(not(test))]
macro_rules! planted {
    ($bug:ident, $wrong:expr, $right:expr) => {
        $right
    };
}

#[cfg(test)]
macro_rules! planted {
    ($bug:ident, $wrong:expr, $right:expr) => {
        if crate::planted::is_on(crate::planted::Bug::$bug) {
            $wrong
        } else {
            $right
        }
    };
}

#[cfg(test)]
pub(crate) use switch::{Bug, is_on, plant};

#[cfg(test)]
mod switch {
    use std::cell::Cell;

    thread_local! {
        static ON: Cell<Option<Bug>> = const { Cell::new(None) };
    }

    /// What could be wrong.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) enum Bug {
        LostMessage,
        DoubleDelivery,
        EarlyVisibility,
        DeadLetterLate,
        DeadLetterEarly,
        BrokenOrder,
        ShortDuplicateWindow,
        LongDuplicateWindow,
        PurgeLeaves,
        StaleReceiptAcks,
        ExpiredServed,
        GroupHandedToTwo,
        SessionStateLost,
        SessionLockIgnored,
        DeferredLost,
        CancelledDelivered,
        FanOutSkips,
        MoveDuplicates,
        MemoryKept,
        KeyNotRewound,
        BackoffIgnored,
        CountForgotten,
        SeekSkips,
        SnapshotForgets,
        RetentionRestarts,
        NobodyWoken,
        HolderNotWoken,
    }

    impl Bug {
        pub(crate) const ALL: [Bug; 27] = [
            Bug::LostMessage,
            Bug::DoubleDelivery,
            Bug::EarlyVisibility,
            Bug::DeadLetterLate,
            Bug::DeadLetterEarly,
            Bug::BrokenOrder,
            Bug::ShortDuplicateWindow,
            Bug::LongDuplicateWindow,
            Bug::PurgeLeaves,
            Bug::StaleReceiptAcks,
            Bug::ExpiredServed,
            Bug::GroupHandedToTwo,
            Bug::SessionStateLost,
            Bug::SessionLockIgnored,
            Bug::DeferredLost,
            Bug::CancelledDelivered,
            Bug::FanOutSkips,
            Bug::MoveDuplicates,
            Bug::MemoryKept,
            Bug::KeyNotRewound,
            Bug::BackoffIgnored,
            Bug::CountForgotten,
            Bug::SeekSkips,
            Bug::SnapshotForgets,
            Bug::RetentionRestarts,
            Bug::NobodyWoken,
            Bug::HolderNotWoken,
        ];
    }

    /// Whether this bug is on in this thread.
    pub(crate) fn is_on(bug: Bug) -> bool {
        ON.get() == Some(bug)
    }

    /// Puts one bug on in this thread, or all off.
    pub(crate) fn plant(bug: Option<Bug>) {
        ON.set(bug);
    }
}
