//! What holds for all manifests, tried on random ones.

use std::collections::BTreeSet;

use md5::{Digest, Md5};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::RngSeed;

use super::manifest::{
    self, FileTotals, file_totals, map_locators, portable_data_hash, without_signatures,
};
use crate::locator::Locator;
use crate::signature::to_hex;

/// A block: hash, size and hints.
type Block = (String, u32, Vec<String>);

/// A line: the stream's name, its blocks, and position, length and name of its files.
type Stream = (String, Vec<Block>, Vec<(u64, u32, String)>);

fn name() -> impl Strategy<Value = String> {
    let pieces = ["a", "B", "\\040", "ü", "-", "..", ":", "\\303\\274", "+", "0"];
    prop::collection::vec(select(pieces.to_vec()), 1..4)
        .prop_map(|pieces| pieces.concat())
        .prop_filter("dots alone are no name", |name| name != "..")
}

fn path() -> impl Strategy<Value = String> {
    prop::collection::vec(name(), 1..3).prop_map(|names| names.join("/"))
}

fn block() -> impl Strategy<Value = Block> {
    let hint = prop_oneof![
        "K[a-z]{5}",
        "A[0-9a-f]{40}@[0-9a-f]{8}",
        "R[a-z0-9]{5}-[0-9a-f]{6}@[0-9a-f]{3}"
    ];
    ("[0-9a-f]{32}", any::<u32>(), prop::collection::vec(hint, 0..3))
}

fn streams() -> impl Strategy<Value = Vec<Stream>> {
    let stream = prop_oneof![Just(".".to_owned()), path().prop_map(|path| format!("./{path}"))];
    let file = (0..1_u64 << 40, any::<u32>(), path());
    let line = (stream, prop::collection::vec(block(), 1..4), prop::collection::vec(file, 1..4));
    prop::collection::vec(line, 0..4)
}

fn locator((hash, size, hints): &Block, keep: impl Fn(&str) -> bool) -> String {
    let hints = hints.iter().filter(|hint| keep(hint)).map(|hint| format!("+{hint}"));
    format!("{hash}+{size}{}", hints.collect::<String>())
}

/// The manifest, with those hints that are to be kept.
fn print(streams: &[Stream], keep: impl Fn(&str) -> bool + Copy) -> String {
    let line = |(stream, blocks, files): &Stream| {
        let blocks = blocks.iter().map(|block| locator(block, keep));
        let files = files.iter().map(|(at, length, name)| format!("{at}:{length}:{name}"));
        let words: Vec<_> = [stream.clone()].into_iter().chain(blocks).chain(files).collect();
        format!("{}\n", words.join(" "))
    };
    streams.iter().map(line).collect()
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1),
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_manifest_is_valid_and_keeps_what_it_is_made_of(streams in streams()) {
        let text = print(&streams, |_| true);
        prop_assert_eq!(manifest::validate(&text), Ok(()));
        // Each locator is found once, and all that is around stays.
        let mut found = Vec::new();
        let same = map_locators(&text, |_, locator| {
            found.push(locator.to_owned());
            locator.to_owned()
        });
        prop_assert_eq!(&same, &text);
        let blocks = streams.iter().flat_map(|(_, blocks, _)| blocks);
        prop_assert_eq!(found, blocks.map(|block| locator(block, |_| true)).collect::<Vec<_>>());
    }

    #[test]
    fn signatures_come_and_go_and_the_hash_stays(streams in streams()) {
        let text = print(&streams, |_| true);
        let unsigned = print(&streams, |hint| !hint.starts_with('A'));
        prop_assert_eq!(&without_signatures(&text), &unsigned);
        let signature = format!("+A{}@ffffffff", "0".repeat(40));
        let signed = map_locators(&unsigned, |_, locator| format!("{locator}{signature}"));
        prop_assert_eq!(manifest::validate(&signed), Ok(()));
        prop_assert_eq!(&without_signatures(&signed), &unsigned);
        let bare = print(&streams, |_| false);
        let expected = format!("{}+{}", to_hex(&Md5::digest(&bare)), bare.len());
        for text in [text, unsigned, signed, bare] {
            prop_assert_eq!(&portable_data_hash(&text), &expected);
        }
    }

    #[test]
    fn files_are_told_by_their_paths(streams in streams()) {
        let files = streams.iter().flat_map(|(stream, _, files)| {
            files.iter().map(move |(_, length, name)| ((stream, name), *length))
        });
        let size = files.clone().map(|(_, length)| u64::from(length)).sum();
        let names: BTreeSet<_> = files.map(|(name, _)| name).collect();
        let count = names.len() as u64;
        prop_assert_eq!(file_totals(&print(&streams, |_| true)), FileTotals { count, size });
    }

    /// Whatever the text is, there is no panic, and stripping it changes neither its worth nor its
    /// hash.
    #[test]
    fn no_text_is_too_strange(text in strange_text()) {
        let valid = manifest::validate(&text).is_ok();
        let stripped = without_signatures(&text);
        prop_assert_eq!(manifest::validate(&stripped).is_ok(), valid);
        prop_assert_eq!(portable_data_hash(&stripped), portable_data_hash(&text));
        prop_assert_eq!(file_totals(&stripped), file_totals(&text));
    }

    #[test]
    fn a_locator_has_the_parts_that_it_is_made_of(block in block()) {
        let text = locator(&block, |_| true);
        let parsed = Locator::parse(&text).unwrap();
        prop_assert_eq!((parsed.hash, parsed.size), (block.0.as_str(), Some(block.1.into())));
        prop_assert_eq!(parsed.hints().collect::<Vec<_>>(), block.2.clone());
        let mut signatures = block.2.iter().filter_map(|hint| hint.strip_prefix('A')?.split_once('@'));
        prop_assert_eq!(parsed.permission(), signatures.next_back());
    }

    #[test]
    fn a_strange_locator_is_refused_or_read_to_its_end(
        text in prop_oneof!["[0-9a-f]{31,33}[+]?[0-9]{0,21}([+][A-Za-z0-9@_-]{0,4}){0,3}[+]?", any::<String>()]
    ) {
        if let Some(parsed) = Locator::parse(&text) {
            let size = text.split('+').nth(1).filter(|_| parsed.size.is_some());
            let parts: Vec<_> = [parsed.hash].into_iter().chain(size).chain(parsed.hints()).collect();
            prop_assert_eq!(parts.join("+"), text);
        }
    }
}

fn strange_text() -> impl Strategy<Value = String> {
    let block = "acbd18db4cc2f85cedef654fccc4a4d8+3";
    let pieces = [
        ".",
        "./a",
        " ",
        "  ",
        "\n",
        block,
        "+Aabc@12",
        "0:3:foo",
        ":",
        "\\",
        "\\04",
        "ü",
        "\0",
        "99999999999999999999:1:x",
        "+",
        "\\303\\274",
        ". acbd18db4cc2f85cedef654fccc4a4d8+3 0:3:a\n",
    ];
    let of_pieces = prop::collection::vec(select(pieces.to_vec()), 0..10);
    prop_oneof![9 => of_pieces.prop_map(|pieces| pieces.concat()), 1 => any::<String>()]
}
