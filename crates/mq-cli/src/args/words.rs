//! Words on the command line that the program knows only when it runs: its clouds, the emulator's
//! quirks and ports. Help and completions tell them.

use std::ffi::OsStr;
use std::fmt::Write;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Command};
use mq_emulator::{Ports, QUIRKS};

/// Takes any word, since the file has names of its own, and offers the known ones.
#[derive(Debug, Clone)]
struct CloudParser(Vec<String>);

impl TypedValueParser for CloudParser {
    type Value = String;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.0.iter().map(PossibleValue::new)))
    }
}

/// The command with these clouds in its help and completions.
pub(crate) fn tell(command: Command, clouds: &[&str]) -> Command {
    command.mut_subcommands(|subcommand| {
        let subcommand = tell(subcommand, clouds);
        subcommand.mut_args(|argument| match argument.get_id().as_str() {
            "clouds" => argument
                .help(format!(
                    "The cloud ({}), or an entry under `clouds`; may be repeated, `all` is every entry",
                    clouds.join(", ")
                ))
                .value_parser(CloudParser(clouds.iter().chain(&["all"]).map(ToString::to_string).collect()))
                .hide_possible_values(true),
            "quirks" => argument.long_help(quirks()),
            "ports" => argument.help(format!(
                "The port of a service ({}), 0 for a free one; may be repeated",
                Ports::NAMES.join(", ")
            )),
            _ => argument,
        })
    })
}

fn quirks() -> String {
    let mut help = "What the clouds do and tests ought to meet; may be repeated:".to_owned();
    for quirk in QUIRKS {
        let value = quirk
            .value
            .map_or_else(String::new, |value| format!("[={value}]"));
        // Writing to a string cannot fail.
        let _ = write!(help, "\n- {}{value}: {}", quirk.name, quirk.what);
    }
    help
}
