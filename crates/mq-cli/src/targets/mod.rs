//! From the command line to clouds that are known, proved and planned for: everything before the
//! first write, on all of them.

mod input;
mod judgement;
mod open;

pub(crate) use input::{Input, now_seconds, today};
pub(crate) use judgement::{Judgement, Judging, judge};
pub(crate) use open::{
    Open, Opened, Scrutiny, Session, all_or_none, create_backends, factory_of, identify_all, open,
    reading, scrutinise, scrutinise_offline, unopened,
};
