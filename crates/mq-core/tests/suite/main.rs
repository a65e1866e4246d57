//! The portable logic against a cloud in memory that misbehaves as it is told.

mod collection;
mod converge;
mod lowering;
mod merging;
mod order;
mod ownership;
mod proof;
mod removal;
mod retries;
mod scale;
mod specs;
mod toy;
mod world;
