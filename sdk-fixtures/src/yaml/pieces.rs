//! A large file in pieces of whole records, which all processors read at once.
//!
//! What is read at once lies in memory several times; of pieces that is little. A piece is read as a
//! file of its own, so an error in one, be it only an alias of what another piece has the anchor of,
//! means that the file has to be read as a whole: then the error has its place in it, too.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// A piece ends with the first record that ends behind so many bytes.
const PIECE: usize = 256 << 10;

/// Reads all pieces of `text` with `read`, in their order; `None` if it is too small for several, or
/// one of them cannot be read alone.
pub(super) fn read<T: Send>(text: &str, read: impl Fn(&str) -> Option<T> + Sync) -> Option<Vec<T>> {
    let pieces = untied(text, PIECE);
    if pieces.len() < 2 {
        return None;
    }
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some((place, piece)) = take(&pieces, &next) {
            let Some(piece) = read(piece) else {
                // The others need not go on.
                next.store(pieces.len(), Ordering::Relaxed);
                return None;
            };
            done.push((place, piece));
        }
        Some(done)
    };
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let done = thread::scope(|scope| {
        // Where no other thread is to be had, this one reads all.
        let start = |_| thread::Builder::new().spawn_scoped(scope, work).ok();
        let others: Vec<_> = (1..threads).filter_map(start).collect();
        let own = work();
        let others = others.into_iter().map(|thread| thread.join().ok()?);
        let done: Vec<_> = others.chain([own]).collect();
        done.into_iter().collect::<Option<Vec<_>>>()
    })?;
    let mut done: Vec<_> = done.into_iter().flatten().collect();
    done.sort_unstable_by_key(|(place, _)| *place);
    Some(done.into_iter().map(|(_, piece)| piece).collect())
}

fn take<'a>(pieces: &[&'a str], next: &AtomicUsize) -> Option<(usize, &'a str)> {
    let place = next.fetch_add(1, Ordering::Relaxed);
    Some((place, pieces.get(place).copied()?))
}

/// `text` cut as by [`pieces`], save that all from the first to the last with an anchor or an alias
/// are one: that an alias's anchor stands in another piece would only be found out while it is read.
fn untied(text: &str, length: usize) -> Vec<&str> {
    let mut pieces = pieces(text, length);
    let first = pieces.iter().position(|piece| is_tied(piece));
    let last = pieces.iter().rposition(|piece| is_tied(piece));
    if let (Some(first), Some(last)) = (first, last) {
        let start: usize = pieces[..first].iter().map(|piece| piece.len()).sum();
        let length: usize = pieces[first..=last].iter().map(|piece| piece.len()).sum();
        pieces.splice(first..=last, [&text[start..start + length]]);
    }
    pieces
}

/// Whether there may be an anchor or an alias in `piece`.
fn is_tied(piece: &str) -> bool {
    ["<<:", ": *", ": &"].iter().any(|sign| piece.contains(sign))
}

/// `text` cut before lines that begin a record, each piece longer than `length` save the last.
fn pieces(text: &str, length: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(end) = end_of_record(rest, length) {
        let (piece, others) = rest.split_at(end);
        pieces.push(piece);
        rest = others;
    }
    pieces.push(rest);
    pieces
}

/// Where the first record behind `from` begins.
fn end_of_record(text: &str, from: usize) -> Option<usize> {
    let behind = text.as_bytes().get(from..)?;
    let begins = |pair: &[u8]| pair[0] == b'\n' && is_start_of_label(pair[1]);
    behind.windows(2).position(begins).map(|place| from + place + 1)
}

/// Whether a line that begins so begins a record: what belongs to one is indented.
fn is_start_of_label(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_whole_records_and_together_the_file() {
        let text = "a:\n  x: 1\n# of b\nb:\n  y: é\n\nc: {}\n";
        let cut = |length| pieces(text, length);
        assert_eq!(cut(0), ["a:\n  x: 1\n# of b\n", "b:\n  y: é\n\n", "c: {}\n"]);
        assert_eq!(cut(12), ["a:\n  x: 1\n# of b\n", "b:\n  y: é\n\nc: {}\n"]);
        assert_eq!(cut(100), [text]);
        for length in 0..text.len() {
            assert_eq!(cut(length).concat(), text);
        }
    }

    #[test]
    fn pieces_that_may_refer_to_each_other_are_one() {
        let text = "a:\n  x: 1\nb: &b\n  x: 1\nc:\n  x: 2\nd:\n  <<: *b\ne:\n  x: 3\n";
        let tied = "b: &b\n  x: 1\nc:\n  x: 2\nd:\n  <<: *b\n";
        assert_eq!(untied(text, 0), ["a:\n  x: 1\n", tied, "e:\n  x: 3\n"]);
        assert_eq!(untied(tied, 0), [tied]);
    }

    /// A file of many pieces.
    fn large(record: &str) -> String {
        (0..3 * PIECE / record.len()).map(|number| format!("r{number}:\n{record}")).collect()
    }

    #[test]
    fn what_was_read_is_in_the_order_of_the_file() {
        let text = large("  x: 1\n");
        let read = read(&text, |piece| Some(piece.to_owned())).unwrap();
        assert!(read.len() > 2);
        assert_eq!(read.concat(), text);
    }

    #[test]
    fn a_piece_that_cannot_be_read_is_told() {
        let text = large("  x: 1\n");
        assert_eq!(read(&text, |piece| piece.starts_with("r0:").then_some(())), None);
        assert_eq!(read("a: {}\n", |_| Some(())), None, "one piece is the file");
        assert_eq!(read(&large("  <<: *other\n"), |_| Some(())), None, "nor can it be cut");
    }
}
