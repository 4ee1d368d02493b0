//! What the words within a tag are together: an expression, or the start or end of a loop.

use super::token::{Reason, Token, UNKNOWN, tokens};

/// How deep brackets and signs may be nested.
const MAX_NESTING: usize = 32;

/// An expression, as far as fixtures use them.
#[derive(Debug, PartialEq)]
pub(super) enum Expression {
    Integer(i64),
    Float(f64),
    Text(String),
    Symbol(String),
    /// A variable, a constant, `true`, `false` or `nil`.
    Name(String),
    Negative(Box<Expression>),
    /// Two operands and the sign between them.
    Arithmetic(Box<Expression>, &'static str, Box<Expression>),
    List(Vec<Expression>),
    Hash(Vec<(Expression, Expression)>),
    /// Receiver, method and arguments.
    Call(Box<Expression>, String, Vec<Expression>),
}

/// What a tag without output says.
#[derive(Debug, PartialEq)]
pub(super) enum Statement {
    /// The variable, its first value, its last, and whether that is one of them.
    For {
        variable: String,
        first: Expression,
        last: Expression,
        inclusive: bool,
    },
    End,
}

/// The expression that `source` is.
///
/// # Errors
/// When it is none, or none that fixtures use.
pub(super) fn expression(source: &str) -> Result<Expression, Reason> {
    let mut parser = Parser::new(source)?;
    let expression = parser.sum()?;
    parser.end()?;
    Ok(expression)
}

/// The statement that `source` is.
///
/// # Errors
/// When it is none, or none that fixtures use.
pub(super) fn statement(source: &str) -> Result<Statement, Reason> {
    let mut parser = Parser::new(source)?;
    let statement = match parser.name()?.as_str() {
        "end" => Statement::End,
        "for" => {
            let variable = parser.name()?;
            if parser.name()? != "in" {
                return Err(UNKNOWN);
            }
            let first = parser.sum()?;
            let inclusive = parser.takes("..");
            if !inclusive {
                parser.expect("...")?;
            }
            let last = parser.sum()?;
            parser.next_if(|token| *token == Token::Name("do".to_owned()));
            Statement::For { variable, first, last, inclusive }
        }
        _ => return Err(UNKNOWN),
    };
    parser.end()?;
    Ok(statement)
}

struct Parser {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
    depth: usize,
}

impl Parser {
    fn new(source: &str) -> Result<Self, Reason> {
        Ok(Self { tokens: tokens(source)?.into_iter().peekable(), depth: 0 })
    }

    fn next_if(&mut self, wanted: impl FnOnce(&Token) -> bool) -> Option<Token> {
        self.tokens.next_if(wanted)
    }

    fn takes(&mut self, sign: &'static str) -> bool {
        self.next_if(|token| *token == Token::Sign(sign)).is_some()
    }

    fn expect(&mut self, sign: &'static str) -> Result<(), Reason> {
        if self.takes(sign) { Ok(()) } else { Err(UNKNOWN) }
    }

    fn end(&mut self) -> Result<(), Reason> {
        if self.tokens.next().is_none() { Ok(()) } else { Err(UNKNOWN) }
    }

    fn name(&mut self) -> Result<String, Reason> {
        match self.tokens.next() {
            Some(Token::Name(name)) => Ok(name),
            _ => Err(UNKNOWN),
        }
    }

    fn sum(&mut self) -> Result<Expression, Reason> {
        self.arithmetic(&["+", "-"], Self::product)
    }

    fn product(&mut self) -> Result<Expression, Reason> {
        self.arithmetic(&["*", "/", "%"], Self::signed)
    }

    fn arithmetic(
        &mut self,
        signs: &[&'static str],
        operand: fn(&mut Self) -> Result<Expression, Reason>,
    ) -> Result<Expression, Reason> {
        let mut left = operand(self)?;
        let mut terms = 0;
        while let Some(sign) = signs.iter().copied().find(|sign| self.takes(sign)) {
            // What follows another is evaluated around it.
            terms += 1;
            if terms > MAX_NESTING {
                return Err(UNKNOWN);
            }
            left = Expression::Arithmetic(Box::new(left), sign, Box::new(operand(self)?));
        }
        Ok(left)
    }

    fn signed(&mut self) -> Result<Expression, Reason> {
        self.depth += 1;
        if self.depth > MAX_NESTING {
            return Err(UNKNOWN);
        }
        let signed = match self.takes("-") {
            true => Expression::Negative(Box::new(self.signed()?)),
            false => self.calls()?,
        };
        self.depth -= 1;
        Ok(signed)
    }

    fn calls(&mut self) -> Result<Expression, Reason> {
        let mut receiver = self.primary()?;
        let mut calls = 0;
        while self.takes(".") {
            calls += 1;
            if calls > MAX_NESTING {
                return Err(UNKNOWN);
            }
            let method = self.name()?;
            let arguments = match self.takes("(") {
                true => self.items(")", Self::sum)?,
                false => Vec::new(),
            };
            receiver = Expression::Call(Box::new(receiver), method, arguments);
        }
        Ok(receiver)
    }

    fn primary(&mut self) -> Result<Expression, Reason> {
        Ok(match self.tokens.next().ok_or(UNKNOWN)? {
            Token::Integer(number) => Expression::Integer(number),
            Token::Float(number) => Expression::Float(number),
            Token::Text(text) => Expression::Text(text),
            Token::Symbol(name) => Expression::Symbol(name),
            Token::Name(name) => Expression::Name(name),
            Token::Sign("(") => {
                let inner = self.sum()?;
                self.expect(")")?;
                inner
            }
            Token::Sign("[") => Expression::List(self.items("]", Self::sum)?),
            Token::Sign("{") => Expression::Hash(self.items("}", Self::pair)?),
            Token::Sign(_) => return Err(UNKNOWN),
        })
    }

    fn pair(&mut self) -> Result<(Expression, Expression), Reason> {
        let key = self.sum()?;
        self.expect("=>")?;
        Ok((key, self.sum()?))
    }

    /// What stands between commas, up to `close`.
    fn items<T>(
        &mut self,
        close: &'static str,
        item: fn(&mut Self) -> Result<T, Reason>,
    ) -> Result<Vec<T>, Reason> {
        let mut items = Vec::new();
        while !self.takes(close) {
            items.push(item(self)?);
            if !self.takes(",") {
                self.expect(close)?;
                break;
            }
        }
        Ok(items)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_names_its_variable_and_its_bounds() {
        for (source, inclusive) in
            [("for i in 1..60 do", true), (" for i in 1..60", true), ("for i in 1...60 do", false)]
        {
            let expected = Statement::For {
                variable: "i".to_owned(),
                first: Expression::Integer(1),
                last: Expression::Integer(60),
                inclusive,
            };
            assert_eq!(statement(source), Ok(expected), "{source}");
        }
        assert_eq!(statement(" end "), Ok(Statement::End));
    }

    #[test]
    fn other_statements_are_refused() {
        for source in
            ["", "x", "i = 1", "if i", "for i in", "for i in x do", "for i in 1..2 end", "end end"]
        {
            assert_eq!(statement(source), Err(UNKNOWN), "{source}");
        }
    }

    #[test]
    fn nesting_has_a_limit_and_not_the_stack() {
        let brackets = |depth: usize| format!("{}1{}", "(".repeat(depth), ")".repeat(depth));
        assert!(expression(&brackets(MAX_NESTING - 1)).is_ok());
        assert_eq!(expression(&brackets(MAX_NESTING)), Err(UNKNOWN));
        for (before, after) in [("(", ""), ("-", "1"), ("[", ""), ("1+", "1"), ("i.", "to_s")] {
            let source = format!("{}{after}", before.repeat(100_000));
            assert_eq!(expression(&source), Err(UNKNOWN), "{before}");
        }
    }
}
