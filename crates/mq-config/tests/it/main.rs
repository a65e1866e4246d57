//! The reader of `mq.yaml`, from outside.

mod common;
mod files;
mod limits;
mod mistakes;
mod properties;
mod schema;
mod values;
