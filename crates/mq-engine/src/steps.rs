//! Counts how many messages and groups are looked at, in the build of the unit tests only: what
//! an operation costs is checked by counting, and not by the clock.

#[cfg(not(test))]
macro_rules! count_step {
    () => {};
}

#[cfg(test)]
macro_rules! count_step {
    () => {
        crate::steps::count()
    };
}

#[cfg(test)]
pub(crate) use counter::{count, counted};

#[cfg(test)]
mod counter {
    use std::cell::Cell;

    thread_local! {
        static STEPS: Cell<u64> = const { Cell::new(0) };
    }

    /// Counts one.
    pub(crate) fn count() {
        STEPS.set(STEPS.get() + 1);
    }

    /// How many there were in this thread while this ran.
    pub(crate) fn counted<T>(work: impl FnOnce() -> T) -> (u64, T) {
        let before = STEPS.get();
        let result = work();
        (STEPS.get() - before, result)
    }
}
