//! The reader of `mq.yaml`, from outside.

mod common;
mod files;
mod mistakes;
mod schema;
