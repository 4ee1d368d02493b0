//! A file as text and tags, with the loops that these make.

use super::syntax::{self, Expression, Statement};
use super::token::{Reason, UNKNOWN};

/// What every tag begins with.
pub(super) const OPENING: &str = "<%";

/// How deep loops may be nested.
const MAX_NESTING: usize = 16;

/// A piece of a template.
#[derive(Debug)]
pub(super) enum Node<'a> {
    /// Stands there as it is.
    Text(&'a str),
    /// Is replaced by its value.
    Output(Expression),
    /// Comes again and again.
    For {
        variable: String,
        first: Expression,
        last: Expression,
        inclusive: bool,
        body: Vec<Piece<'a>>,
    },
}

/// A node and the source from its start on.
#[derive(Debug)]
pub(super) struct Piece<'a> {
    pub(super) from: &'a str,
    pub(super) node: Node<'a>,
}

/// What is wrong, and the source from there on.
pub(super) type Wrong<'a> = (&'a str, Reason);

/// The pieces of `source`.
///
/// # Errors
/// The first tag that is not understood, or not closed.
pub(super) fn parse(source: &str) -> Result<Vec<Piece<'_>>, Wrong<'_>> {
    let mut reader = Reader { rest: source, depth: 0 };
    reader.pieces(None)
}

/// The tag that `source` begins with, from `<%` to `%>` or to the end of the line.
pub(super) fn tag(source: &str) -> &str {
    let end = source.find("%>").map(|at| at + 2).or_else(|| source.find('\n'));
    let tag = end.and_then(|end| source.get(..end)).unwrap_or(source);
    tag.lines().next().unwrap_or_default()
}

struct Reader<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Reader<'a> {
    /// The pieces up to the end of the loop that starts at `opening`, or of the file.
    fn pieces(&mut self, opening: Option<&'a str>) -> Result<Vec<Piece<'a>>, Wrong<'a>> {
        let mut pieces = Vec::new();
        while let Some(start) = self.rest.find(OPENING) {
            let (text, from) = self.rest.split_at(start);
            pieces.push(Piece { from: self.rest, node: Node::Text(text) });
            if let Some(after) = from.strip_prefix("<%%") {
                pieces.push(Piece { from, node: Node::Text(OPENING) });
                self.rest = after;
                continue;
            }
            let closed = from.strip_prefix(OPENING).and_then(|inner| inner.split_once("%>"));
            let (inner, after) = closed.ok_or((from, "it is not closed"))?;
            self.rest = after;
            let wrong = |reason| (from, reason);
            if let Some(source) = inner.strip_prefix('=') {
                let node = Node::Output(syntax::expression(source).map_err(wrong)?);
                pieces.push(Piece { from, node });
            } else if !inner.starts_with('#') {
                match syntax::statement(inner).map_err(wrong)? {
                    Statement::End if opening.is_some() => return Ok(pieces),
                    Statement::End => return Err((from, "there is no loop that it ends")),
                    Statement::For { variable, first, last, inclusive } => {
                        let body = self.body(from)?;
                        let node = Node::For { variable, first, last, inclusive, body };
                        pieces.push(Piece { from, node });
                    }
                }
            }
        }
        if let Some(opening) = opening {
            return Err((opening, "the loop has no end"));
        }
        pieces.push(Piece { from: self.rest, node: Node::Text(self.rest) });
        Ok(pieces)
    }

    fn body(&mut self, opening: &'a str) -> Result<Vec<Piece<'a>>, Wrong<'a>> {
        if self.depth == MAX_NESTING {
            return Err((opening, UNKNOWN));
        }
        self.depth += 1;
        let body = self.pieces(Some(opening));
        self.depth -= 1;
        body
    }
}
