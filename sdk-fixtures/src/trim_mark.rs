//! The line behind which only Ruby reads on.
//!
//! Arvados' fixture files have loops in ERB at their end. A comment marks where readers in other
//! languages stop, for what follows is no YAML before Ruby has run.

const MARK: &str = "# Test Helper trims the rest of the file";

/// The part of `source` that stands before the marked line.
pub(crate) fn before_mark(source: &str) -> &str {
    let mut start = 0;
    for line in source.split_inclusive('\n') {
        if line.trim_end() == MARK {
            return &source[..start];
        }
        start += line.len();
    }
    source
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_the_mark_is_left_out() {
        let source = format!("a: {{}}\r\n{MARK}\r\n<% for i in 1..3 do %>\n");
        assert_eq!(before_mark(&source), "a: {}\r\n");
    }

    #[test]
    fn a_mark_within_a_value_is_none() {
        let source = format!("a:\n  b: \"{MARK}\"\n");
        assert_eq!(before_mark(&source), source);
    }
}
