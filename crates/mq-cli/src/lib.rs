//! The mq command, as a library for its tests and generators.
