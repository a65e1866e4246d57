//! What the messages weigh, and how much there may be.

use std::sync::Arc;

use crate::message::Content;
use crate::operation::Denied;

/// What one copy of a message takes beside its bytes: its record, its places in the indices, and
/// the allocator's share, rounded up.
pub(crate) const COPY_BYTES: u64 = 320;
/// What a remembered duplicate id takes beside its bytes.
pub(crate) const DUPLICATE_BYTES: u64 = 160;

/// An account of bytes. A body that several subscriptions share is counted once.
#[derive(Debug)]
pub(crate) struct Memory {
    pub(crate) held: u64,
    pub(crate) max: u64,
}

impl Default for Memory {
    fn default() -> Self {
        Memory {
            held: 0,
            max: u64::MAX,
        }
    }
}

impl Memory {
    /// Whether as much again still fits.
    pub(crate) fn check(&self, bytes: u64) -> Result<(), Denied> {
        if self.held.saturating_add(bytes) > self.max {
            return Err(Denied::MemoryFull {
                held: self.held,
                max: self.max,
            });
        }
        Ok(())
    }

    /// Counts a new content, and makes it shareable.
    pub(crate) fn hold(&mut self, content: Content) -> Arc<Content> {
        self.take(content.size());
        Arc::new(content)
    }

    /// Lets go of one owner of a content, and of its bytes with the last one.
    pub(crate) fn release(&mut self, content: Arc<Content>) {
        if let Some(content) = Arc::into_inner(content) {
            let size = content.size();
            self.give_back(planted!(MemoryKept, 0, size));
        }
    }

    /// Counts bytes that are taken.
    pub(crate) fn take(&mut self, bytes: u64) {
        self.held = self.held.saturating_add(bytes);
    }

    /// Counts bytes that are free again.
    pub(crate) fn give_back(&mut self, bytes: u64) {
        self.held = self.held.saturating_sub(bytes);
    }
}
