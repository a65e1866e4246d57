//! Colour: which styles there are, and whether a stream takes them. Never the only signal.

use anstyle::{AnsiColor, Style};

use crate::args::Color;
use crate::environment::Environment;

/// The styles of a stream: all plain where it takes no colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Palette {
    /// Errors, and what is removed.
    pub(crate) bad: Style,
    /// Warnings, and what is changed.
    pub(crate) notice: Style,
    /// What is added, and what is well.
    pub(crate) good: Style,
    /// Hints.
    pub(crate) hint: Style,
    /// Headings.
    pub(crate) strong: Style,
    /// Remarks.
    pub(crate) faint: Style,
}

impl Palette {
    pub(crate) fn coloured() -> Self {
        let bold = |color: AnsiColor| Style::new().fg_color(Some(color.into())).bold();
        Palette {
            bad: bold(AnsiColor::Red),
            notice: bold(AnsiColor::Yellow),
            good: bold(AnsiColor::Green),
            hint: bold(AnsiColor::Cyan),
            strong: Style::new().bold(),
            faint: Style::new().dimmed(),
        }
    }

    pub(crate) fn is_coloured(self) -> bool {
        self != Palette::default()
    }

    /// That of a stream, by the flag, the variables and who reads it.
    pub(crate) fn of(choice: Color, terminal: bool, environment: &Environment) -> Self {
        if takes_colour(choice, terminal, environment) {
            Palette::coloured()
        } else {
            Palette::default()
        }
    }
}

/// Whether a stream takes colour. `NO_COLOR` is <https://no-color.org>, the two `CLICOLOR`s are
/// <https://bixense.com/clicolors/>.
fn takes_colour(choice: Color, terminal: bool, environment: &Environment) -> bool {
    match choice {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            let forced = environment
                .get("CLICOLOR_FORCE")
                .is_some_and(|value| value != "0");
            let refused = environment.get("NO_COLOR").is_some();
            let unable =
                environment.get("TERM") == Some("dumb") || environment.get("CLICOLOR") == Some("0");
            !refused && (forced || (terminal && !unable))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_follows_the_flag_then_the_variables_then_the_terminal() {
        let environment = |pairs: &[(&str, &str)]| pairs.iter().copied().collect::<Environment>();
        for (choice, terminal, variables, coloured) in [
            (Color::Auto, true, &[][..], true),
            (Color::Auto, false, &[], false),
            (Color::Auto, true, &[("NO_COLOR", "1")], false),
            (Color::Auto, true, &[("NO_COLOR", "")], true),
            (Color::Auto, true, &[("TERM", "dumb")], false),
            (Color::Auto, true, &[("CLICOLOR", "0")], false),
            (Color::Auto, false, &[("CLICOLOR_FORCE", "1")], true),
            (Color::Auto, false, &[("CLICOLOR_FORCE", "0")], false),
            (
                Color::Auto,
                false,
                &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")],
                false,
            ),
            (Color::Always, false, &[("NO_COLOR", "1")], true),
            (Color::Never, true, &[("CLICOLOR_FORCE", "1")], false),
        ] {
            assert_eq!(
                takes_colour(choice, terminal, &environment(variables)),
                coloured,
                "{choice:?} terminal={terminal} {variables:?}"
            );
        }
    }
}
