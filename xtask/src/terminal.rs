//! The terminal that bars are drawn on, which may be closed at any moment: that is no failure of ours.

use std::io;

use console::Term;
use indicatif::{ProgressDrawTarget, TermLike};

/// Standard error.
#[derive(Debug)]
struct Terminal(Term);

/// Where bars are drawn.
pub(crate) fn draw_target() -> ProgressDrawTarget {
    ProgressDrawTarget::term_like(Box::new(Terminal(Term::buffered_stderr())))
}

/// Nobody is left to tell if it is gone.
fn ignored(_result: io::Result<()>) -> io::Result<()> {
    Ok(())
}

impl TermLike for Terminal {
    fn width(&self) -> u16 {
        self.0.size().1
    }

    fn height(&self) -> u16 {
        self.0.size().0
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        ignored(self.0.move_cursor_up(n))
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        ignored(self.0.move_cursor_down(n))
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        ignored(self.0.move_cursor_right(n))
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        ignored(self.0.move_cursor_left(n))
    }

    fn write_line(&self, s: &str) -> io::Result<()> {
        ignored(self.0.write_line(s))
    }

    fn write_str(&self, s: &str) -> io::Result<()> {
        ignored(self.0.write_str(s))
    }

    fn clear_line(&self) -> io::Result<()> {
        ignored(self.0.clear_line())
    }

    fn flush(&self) -> io::Result<()> {
        ignored(self.0.flush())
    }
}
