//! Writing HTML: tags are closed as they were opened, and nothing but what stands in our own code
//! gets into the page unescaped.

/// HTML that grows.
#[derive(Default)]
pub(super) struct Markup(String);

/// Names are our own, values anybody's.
pub(super) type Attributes<'a> = &'a [(&'static str, &'a str)];

impl Markup {
    /// An element, and what `content` writes into it.
    pub(super) fn element(
        &mut self,
        tag: &'static str,
        attributes: Attributes<'_>,
        content: impl FnOnce(&mut Self),
    ) {
        self.open(tag, attributes);
        content(self);
        self.0.push_str("</");
        self.0.push_str(tag);
        self.0.push('>');
        if matches!(
            tag,
            "article" | "details" | "div" | "footer" | "header" | "li" | "p" | "section" | "tr"
        ) {
            self.0.push('\n');
        }
    }

    /// An element with a text in it.
    pub(super) fn line(&mut self, tag: &'static str, attributes: Attributes<'_>, text: &str) {
        self.element(tag, attributes, |markup| markup.text(text));
    }

    /// A mark that says nothing that the text beside it does not say as well.
    pub(super) fn sign(&mut self, class: &str, sign: &'static str) {
        self.line("span", &[("class", class), ("aria-hidden", "true")], sign);
    }

    pub(super) fn text(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                // They would turn around what comes behind them, or are not allowed at all.
                '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => self.0.push('\u{fffd}'),
                c if c.is_control() && c != '\n' && c != '\t' => self.0.push('\u{fffd}'),
                c => self.0.push(c),
            }
        }
    }

    /// HTML of our own.
    pub(super) fn html(&mut self, html: &'static str) {
        self.0.push_str(html);
    }

    pub(super) fn finish(self) -> String {
        self.0
    }

    fn open(&mut self, tag: &'static str, attributes: Attributes<'_>) {
        self.0.push('<');
        self.0.push_str(tag);
        for (name, value) in attributes {
            self.0.push(' ');
            self.0.push_str(name);
            self.0.push_str("=\"");
            self.text(value);
            self.0.push('"');
        }
        self.0.push('>');
    }
}

/// A link to a file beside the page: never to another place, whatever its name is.
pub(super) fn address(path: &std::path::Path) -> String {
    use std::os::unix::ffi::OsStrExt;

    let mut address = if path.is_absolute() { "file://" } else { "./" }.to_owned();
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
                address.push(char::from(*byte));
            }
            byte => address.push_str(&format!("%{byte:02X}")),
        }
    }
    address
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn texts_and_values_are_escaped() {
        let mut markup = Markup::default();
        markup.line("p", &[("title", "\"><script>")], "<b>&'\u{202e}\u{0}\u{1b}");
        assert_eq!(
            markup.finish(),
            "<p title=\"&quot;&gt;&lt;script&gt;\">&lt;b&gt;&amp;&#39;\u{fffd}\u{fffd}\u{fffd}</p>\n"
        );
    }

    #[test]
    fn a_link_leads_to_a_file_whatever_its_name() {
        for (path, expected) in [
            ("output/a b#?%.log", "./output/a%20b%23%3F%25.log"),
            ("javascript:alert(1)", "./javascript%3Aalert%281%29"),
            ("//example.org/ü", "file:////example.org/%C3%BC"),
        ] {
            assert_eq!(address(Path::new(path)), expected);
        }
    }
}
