//! The name of a service in front of its lines.

use anstyle::{AnsiColor, Color, Style};

/// One after the other, service for service.
const COLOURS: [AnsiColor; 6] = [
    AnsiColor::Cyan,
    AnsiColor::Yellow,
    AnsiColor::Green,
    AnsiColor::Magenta,
    AnsiColor::Blue,
    AnsiColor::Red,
];

/// What stands in front of the lines of each service, all of the same width.
pub(super) fn labels(services: &[String], coloured: bool) -> Vec<String> {
    let width = services.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let colours = COLOURS.iter().cycle();
    let label = |(name, colour): (&String, &AnsiColor)| {
        let style = match coloured {
            true => Style::new().fg_color(Some(Color::Ansi(*colour))),
            false => Style::new(),
        };
        format!("{style}{name:<width$} | {style:#}")
    };
    services.iter().zip(colours).map(label).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_have_one_width_with_and_without_colours() {
        let services = ["api".to_owned(), "keep0".to_owned()];
        assert_eq!(labels(&services, false), ["api   | ", "keep0 | "]);
        let coloured = ["\x1b[36mapi   | \x1b[0m", "\x1b[33mkeep0 | \x1b[0m"];
        assert_eq!(labels(&services, true), coloured);
    }
}
