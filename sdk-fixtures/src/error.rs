//! What can be wrong with a folder of fixtures, said so that it can be put right.

use std::path::PathBuf;

/// Why fixtures could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder could not be read; the message names it.
    #[error(transparent)]
    Io(#[from] std::io::Error),

    /// The folder has no file for the class.
    #[error("{} has no {class}.yml{}", dir.display(), hint(nearest))]
    UnknownClass {
        /// The folder.
        dir: PathBuf,
        /// The class asked for.
        class: String,
        /// The class there that has the most similar name.
        nearest: Option<String>,
    },

    /// The file has no record of that label.
    #[error("{} has no record {label:?}{}", path.display(), hint(nearest))]
    UnknownLabel {
        /// The fixture file.
        path: PathBuf,
        /// The label asked for.
        label: String,
        /// The label there that is the most similar.
        nearest: Option<String>,
    },

    /// A record lacks a column that it needs, or has something else there.
    #[error("{}: the record {label:?} has no proper {column}", path.display())]
    MissingColumn {
        /// The fixture file.
        path: PathBuf,
        /// The record.
        label: String,
        /// The column that should be text.
        column: &'static str,
    },

    /// The file is not YAML, or not a mapping from labels to columns.
    #[error("{}{}: {message}", path.display(), place(*position))]
    Yaml {
        /// The fixture file.
        path: PathBuf,
        /// Line and column, both from 1, where known.
        position: Option<(usize, usize)>,
        /// What is wrong there.
        message: String,
    },

    /// A piece of ERB (Ruby in a fixture file) that this crate cannot evaluate.
    #[error(
        "{}:{line}:{column}: cannot evaluate the ERB `{expression}`; {reason}",
        path.display()
    )]
    Erb {
        /// The fixture file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// From 1, in characters.
        column: usize,
        /// The tag as it is written.
        expression: String,
        /// Why not, or what is understood.
        reason: &'static str,
    },

    /// A program of the checkout could not be built.
    #[error("cannot build the program {program}: {reason}")]
    Build {
        /// The program, and the package that it is of.
        program: &'static str,
        /// What the system said, or how cargo ended.
        reason: String,
    },

    /// A git command failed.
    #[error("{command} failed: {reason}")]
    Git {
        /// The command line.
        command: String,
        /// What the system or git said.
        reason: String,
    },
}

fn hint(nearest: &Option<String>) -> String {
    nearest.as_ref().map(|name| format!("; did you mean {name:?}?")).unwrap_or_default()
}

fn place(position: Option<(usize, usize)>) -> String {
    position.map(|(line, column)| format!(":{line}:{column}")).unwrap_or_default()
}
