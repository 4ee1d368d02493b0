//! Ruby in fixture files: ERB templates, as far as fixtures use them.
//!
//! A file is split into plain text and tags ([`template`]); tags are read ([`syntax`]) and evaluated
//! ([`evaluate`]). A time before now cannot be put into the file as text, because the reader decides
//! when "now" is: it becomes a mark that the YAML reader turns into [`crate::Value::Ago`].

mod duration;
mod evaluate;
mod ruby;
mod syntax;
mod template;
mod token;

use evaluate::Variables;
use ruby::Ruby;
use template::{Node, Piece};
use token::{Reason, UNKNOWN};

use crate::ago::Ago;

/// Surrounds a time before now. It is a private-use character, which YAML takes for a letter and
/// no fixture has.
const TIME_MARK: char = '\u{E000}';

/// How often the loops of a file may go round, all together.
const MAX_ROUNDS: usize = 1_000_000;

/// How long a file may become.
const MAX_BYTES: usize = 256 << 20;

/// A tag that cannot be evaluated.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unknown {
    /// From 1.
    pub(crate) line: usize,
    /// From 1, in characters.
    pub(crate) column: usize,
    /// The tag from `<%` to `%>`.
    pub(crate) expression: String,
    /// Why not.
    pub(crate) reason: &'static str,
}

/// A file with every tag replaced by what it evaluates to.
#[derive(Debug, Default)]
pub(crate) struct Rendered {
    pub(crate) text: String,
    /// The line of the source for each line of the text, both from 1; none if all are the same.
    lines: Vec<usize>,
}

impl Rendered {
    /// The line of the source that the line `line` of the text comes from.
    pub(crate) fn source_line(&self, line: usize) -> usize {
        let known = line.checked_sub(1).and_then(|at| self.lines.get(at));
        known.or(self.lines.last()).copied().unwrap_or(line)
    }
}

/// `source` with every tag replaced by what it evaluates to, and loops by all their rounds.
///
/// # Errors
/// The first tag that is not understood or not closed, or that makes too much.
pub(crate) fn render(source: &str) -> Result<Rendered, Unknown> {
    if !source.contains(template::OPENING) {
        return Ok(Rendered { text: source.to_owned(), lines: Vec::new() });
    }
    let written = template::parse(source).and_then(|pieces| {
        let mut writer = Writer::new(source);
        writer.write(&pieces, &mut Variables::new())?;
        Ok(writer.rendered)
    });
    written.map_err(|(from, reason)| {
        let (line, column) = place(source, source.len() - from.len());
        Unknown { line, column, expression: template::tag(from).to_owned(), reason }
    })
}

struct Writer<'a> {
    rendered: Rendered,
    /// Where the source has its line ends.
    newlines: Vec<usize>,
    source: &'a str,
    rounds: usize,
}

impl<'a> Writer<'a> {
    fn new(source: &'a str) -> Self {
        let newlines = source.match_indices('\n').map(|(at, _)| at).collect();
        let rendered = Rendered { text: String::with_capacity(source.len()), lines: vec![1] };
        Self { rendered, newlines, source, rounds: 0 }
    }

    fn write<'p>(
        &mut self,
        pieces: &'p [Piece<'a>],
        variables: &mut Variables<'p>,
    ) -> Result<(), template::Wrong<'a>> {
        for piece in pieces {
            let wrong = |reason| (piece.from, reason);
            match &piece.node {
                Node::Text(text) => self.text(text, piece.from),
                Node::Output(expression) => {
                    let value = evaluate::value(expression, variables).map_err(wrong)?;
                    self.rendered.text.push_str(&output(&value).map_err(wrong)?);
                }
                Node::For { variable, first, last, inclusive, body } => {
                    let bound = |expression| match evaluate::value(expression, variables) {
                        Ok(Ruby::Integer(number)) => Ok(number),
                        Ok(_) => Err(wrong(UNKNOWN)),
                        Err(reason) => Err(wrong(reason)),
                    };
                    let (first, last) = (bound(first)?, bound(last)?);
                    let last = if *inclusive { last } else { last.saturating_sub(1) };
                    for number in first..=last {
                        self.rounds += 1;
                        if self.rounds > MAX_ROUNDS {
                            return Err(wrong("the loops of a file may go round a million times"));
                        }
                        variables.push((variable, number));
                        self.write(body, variables)?;
                        variables.pop();
                    }
                }
            }
            if self.rendered.text.len() > MAX_BYTES {
                return Err(wrong("the file becomes larger than 256 MiB"));
            }
        }
        Ok(())
    }

    /// Writes `text`, which stands at the start of `from`.
    fn text(&mut self, text: &str, from: &str) {
        self.rendered.text.push_str(text);
        let start = self.source.len() - from.len();
        let first = self.newlines.partition_point(|at| *at < start);
        let count = text.bytes().filter(|byte| *byte == b'\n').count();
        // The lines before the place and its own, and the one behind the first line end.
        self.rendered.lines.extend((first + 2)..(first + 2 + count));
    }
}

/// What stands in the place of a tag.
fn output(value: &Ruby) -> Result<String, Reason> {
    match value {
        Ruby::TimeText(ago) => Ok(format!("{TIME_MARK}{ago}{TIME_MARK}")),
        value => value.to_text().filter(|text| !text.contains('\n')).ok_or(UNKNOWN),
    }
}

/// What a rendered scalar says about times.
#[derive(Debug, PartialEq)]
pub(crate) enum Time {
    /// It has none: an ordinary scalar.
    Absent,
    /// It is one.
    Ago(Ago),
    /// It has one among other text, which cannot be kept relative to now.
    WithinText,
}

/// Finds the time that [`render`] marked in `scalar`.
pub(crate) fn time_of(scalar: &str) -> Time {
    if !scalar.contains(TIME_MARK) {
        return Time::Absent;
    }
    scalar
        .strip_prefix(TIME_MARK)
        .and_then(|rest| rest.strip_suffix(TIME_MARK)?.parse().ok())
        .map_or(Time::WithinText, Time::Ago)
}

/// Line and column, both from 1, of the byte at `offset`.
fn place(source: &str, offset: usize) -> (usize, usize) {
    let before = source.get(..offset).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(source: &str) -> String {
        render(source).unwrap().text
    }

    #[test]
    fn a_time_goes_through_as_a_mark() {
        let text = rendered("at: <%= 3.1.minute.ago.to_s(:db) %>\nb: 1");
        let scalar = text.lines().next().unwrap().strip_prefix("at: ");
        assert_eq!(time_of(scalar.unwrap()), Time::Ago(Ago { months: 0, seconds: 186.0 }));
        assert!(text.ends_with("\nb: 1"));
    }

    #[test]
    fn a_time_among_other_text_is_told() {
        assert_eq!(time_of(&rendered("at <%= 1.day.ago.to_s(:db) %>")), Time::WithinText);
        assert_eq!(time_of("2015-01-01"), Time::Absent);
    }

    #[test]
    fn loops_write_all_their_rounds() {
        for (source, expected) in [
            ("<% for i in 1..3 do %>a<%=i%> <% end %>.", "a1 a2 a3 ."),
            ("<% for i in 1...3 %><%= i.to_s.rjust(2, '0') %> <% end %>", "01 02 "),
            (
                "<% for i in 1..2 do %><% for j in i..2 do %><%= 10*i+j %> <% end %><% end %>",
                "11 12 22 ",
            ),
            ("<% for i in 2..1 do %>never<% end %>", ""),
            (
                "<% for i in 1..2 do %><% for i in 8..8 do %><%= i %><% end %><%= i %><% end %>",
                "8182",
            ),
            ("a<%# nothing %>b <%% c", "ab <% c"),
        ] {
            assert_eq!(rendered(source), expected, "{source}");
        }
    }

    #[test]
    fn every_line_knows_the_line_that_it_comes_from() {
        let plain = render("a\nb\n").unwrap();
        assert_eq!((plain.text.as_str(), plain.source_line(2)), ("a\nb\n", 2));
        let file = render("a\n<% for i in 1..2 do %>\nb\nc<% end %>\nd\n").unwrap();
        assert_eq!(file.text, "a\n\nb\nc\nb\nc\nd\n");
        let lines: Vec<usize> = (1..9).map(|line| file.source_line(line)).collect();
        assert_eq!(lines, [1, 2, 3, 4, 3, 4, 5, 6]);
    }

    #[test]
    fn other_ruby_is_refused_with_its_place() {
        for (tag, reason) in [
            ("<%= `id` %>", UNKNOWN),
            ("<% x = 1 %>", UNKNOWN),
            ("<%- 1 -%>", UNKNOWN),
            ("<%= 1.day %>", UNKNOWN),
            ("<%= i %>", UNKNOWN),
            ("<%= i", "it is not closed"),
            ("<% end %>", "there is no loop that it ends"),
            ("<% for i in 1..3 do %>", "the loop has no end"),
            ("<% for i in 1..'a' do %><% end %>", UNKNOWN),
            ("<%= 1/0 %>", "it divides by zero"),
        ] {
            let source = format!("a: é\nbé: {tag}");
            let unknown = render(&source).unwrap_err();
            assert_eq!((unknown.line, unknown.column, unknown.reason), (2, 5, reason), "{tag}");
            assert!(tag.starts_with(&unknown.expression), "{unknown:?}");
        }
    }

    #[test]
    fn loops_have_a_limit() {
        let most = format!("<% for i in 1..{MAX_ROUNDS} do %><% end %>");
        assert!(render(&most).is_ok());
        for source in [
            format!("<% for i in 0..{MAX_ROUNDS} do %><% end %>"),
            "<% for i in 1..9999 do %><% for j in 1..9999 do %><% end %><% end %>".to_owned(),
            "<% for i in 1..9223372036854775807 do %><% end %>".to_owned(),
        ] {
            assert!(render(&source).unwrap_err().reason.contains("a million"), "{source}");
        }
        let nested = |depth| "<% for i in 1..1 do %>".repeat(depth) + &"<% end %>".repeat(depth);
        assert!(render(&nested(16)).is_ok());
        assert_eq!(render(&nested(17)).unwrap_err().reason, UNKNOWN);
        let long = format!("<% for i in 1..1000000 do %>{}<% end %>", "x".repeat(300));
        assert!(render(&long).unwrap_err().reason.contains("256 MiB"));
    }
}
