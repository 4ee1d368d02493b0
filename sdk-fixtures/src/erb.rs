//! Ruby in fixture files: ERB templates, as far as fixtures use them.
//!
//! A file is split into plain text and tags, and each tag is replaced by what it evaluates to. A
//! time before now cannot be put into the file as text, because the reader decides when "now" is:
//! it becomes a mark that the YAML reader turns into [`crate::Value::SecondsAgo`].

mod ago;

/// Surrounds the seconds of a time before now. It is a private-use character, which YAML takes
/// for a letter and no fixture has.
const TIME_MARK: char = '\u{E000}';

/// A tag that cannot be evaluated.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unknown {
    /// From 1.
    pub(crate) line: usize,
    /// From 1, in characters.
    pub(crate) column: usize,
    /// The tag from `<%` to `%>`.
    pub(crate) expression: String,
}

/// `source` with every tag replaced by what it evaluates to.
///
/// # Errors
/// The first tag that is not understood, or not closed.
pub(crate) fn render(source: &str) -> Result<String, Unknown> {
    let mut rendered = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(start) = rest.find("<%") {
        let (before, from_tag) = rest.split_at(start);
        let end = from_tag.find("%>").map_or(from_tag.len(), |end| end + 2);
        let (tag, after) = from_tag.split_at(end);
        let seconds = tag
            .strip_prefix("<%=")
            .and_then(|tag| ago::seconds(tag.strip_suffix("%>")?.trim()))
            .ok_or_else(|| unknown(source, source.len() - from_tag.len(), tag))?;
        rendered.push_str(before);
        rendered.push_str(&format!("{TIME_MARK}{seconds}{TIME_MARK}"));
        rest = after;
    }
    rendered.push_str(rest);
    Ok(rendered)
}

/// What a rendered scalar says about times.
#[derive(Debug, PartialEq)]
pub(crate) enum Time {
    /// It has none: an ordinary scalar.
    Absent,
    /// It is one: so many seconds before now.
    SecondsAgo(f64),
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
        .map_or(Time::WithinText, Time::SecondsAgo)
}

fn unknown(source: &str, offset: usize, tag: &str) -> Unknown {
    let before = &source[..offset];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    Unknown {
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
        expression: tag.lines().next().unwrap_or_default().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_goes_through_as_a_mark() {
        let rendered = render("at: <%= 3.1.minute.ago.to_s(:db) %>\nb: 1").unwrap();
        let scalar = rendered.lines().next().unwrap().strip_prefix("at: ");
        assert_eq!(time_of(scalar.unwrap()), Time::SecondsAgo(186.0));
        assert!(rendered.ends_with("\nb: 1"));
    }

    #[test]
    fn a_time_among_other_text_is_told() {
        let rendered = render("at <%= 1.day.ago.to_s(:db) %>").unwrap();
        assert_eq!(time_of(&rendered), Time::WithinText);
        assert_eq!(time_of("2015-01-01"), Time::Absent);
    }

    #[test]
    fn other_ruby_is_refused_with_its_place() {
        for tag in [
            "<%= `id` %>",
            "<% for i in 1..3 do %>",
            "<%= i",
            "<%# note %>",
        ] {
            let source = format!("a: é\nbé: {tag}");
            let expected = Unknown {
                line: 2,
                column: 5,
                expression: tag.to_owned(),
            };
            assert_eq!(render(&source), Err(expected));
        }
    }
}
