//! A folder of fixture files.

use std::path::{Path, PathBuf};

use crate::checkout;
use crate::class::{Class, Record};
use crate::content_hash::content_hash;
use crate::dangling::{self, Dangling, Reference};
use crate::error::Error;
use crate::nearest::nearest;
use crate::value::Value;
use crate::{erb, yaml};

/// A folder of Rails fixture YAML, one file `CLASS.yml` a class. Nothing is read before it is
/// asked for, and each time anew.
#[derive(Clone, Debug)]
pub struct Fixtures {
    dir: PathBuf,
}

impl Fixtures {
    /// The fixtures in `dir`; whether it exists shows when it is read.
    pub fn open(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// The fixtures that come with this crate.
    pub fn builtin() -> Self {
        Self::open(checkout::root().join("sdk-fixtures/fixtures"))
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The names of the classes that have a file, sorted: `"collections"`, `"users"`, …
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn classes(&self) -> Result<Vec<String>, Error> {
        let mut names = Vec::new();
        for entry in fs_err::read_dir(&self.dir)? {
            let name = entry?.file_name();
            names.extend(
                name.to_str().and_then(|name| name.strip_suffix(".yml")).map(str::to_owned),
            );
        }
        names.sort_unstable();
        Ok(names)
    }

    /// The records of the class `name`.
    ///
    /// # Errors
    /// When the folder has no such file, or the file is not what fixtures look like; the error
    /// says where.
    pub fn class(&self, name: &str) -> Result<Class, Error> {
        let records = self.map_class(name, |record| record)?;
        Ok(Class { name: name.to_owned(), records })
    }

    /// What `convert` makes of each record of the class `name`, in their order. All processors read
    /// and convert a large file at once. Of a label that comes twice the last record counts, but
    /// another may be converted as well.
    ///
    /// # Errors
    /// As [`Fixtures::class`].
    pub fn map_class<T: Send>(
        &self,
        name: &str,
        convert: impl Fn(Record) -> T + Sync,
    ) -> Result<Vec<T>, Error> {
        let (path, rendered) = self.rendered(name)?;
        yaml::map_records(&rendered.text, convert).map_err(|wrong| Error::Yaml {
            path,
            position: wrong.position.map(|(line, column)| (rendered.source_line(line), column)),
            message: wrong.message,
        })
    }

    /// The file of a class, and its text with the ERB in it evaluated.
    fn rendered(&self, class: &str) -> Result<(PathBuf, erb::Rendered), Error> {
        let path = self.file(class)?;
        let source = fs_err::read_to_string(&path)?;
        match erb::render(&source) {
            Ok(rendered) => Ok((path, rendered)),
            Err(unknown) => Err(Error::Erb {
                path,
                line: unknown.line,
                column: unknown.column,
                expression: unknown.expression,
                reason: unknown.reason,
            }),
        }
    }

    /// The references of all records to records that do not exist, in the order of the files. One
    /// that several records have from the same place is there once.
    ///
    /// # Errors
    /// As [`Fixtures::class`], for any of the classes.
    pub fn dangling(&self) -> Result<Vec<Dangling>, Error> {
        let names = self.classes()?;
        let classes = names.iter().map(|name| self.class(name)).collect::<Result<Vec<_>, _>>()?;
        let mut found: Vec<Dangling> = Vec::new();
        for reference in dangling::references(&classes) {
            let (path, rendered) = self.rendered(reference.class)?;
            let Reference { label, column, value, .. } = reference;
            let position = yaml::place(&rendered.text, label, column, value)
                .map(|(line, column)| (rendered.source_line(line), column));
            if position.is_some()
                && found.iter().any(|it| it.path == path && it.position == position)
            {
                continue;
            }
            found.push(Dangling {
                path,
                position,
                label: label.to_owned(),
                column: column.to_owned(),
                value: value.to_owned(),
                nearest: reference.nearest,
            });
        }
        Ok(found)
    }

    /// The API token of the record `label` of `api_client_authorizations`.
    ///
    /// # Errors
    /// As [`Fixtures::class`], and when there is no such record or it has no token.
    pub fn auth_token(&self, label: &str) -> Result<String, Error> {
        const CLASS: &str = "api_client_authorizations";
        const COLUMN: &str = "api_token";
        let class = self.class(CLASS)?;
        let path = || self.path_of(CLASS);
        let record = class.record(label).ok_or_else(|| Error::UnknownLabel {
            path: path(),
            label: label.to_owned(),
            nearest: nearest(label, class.records.iter().map(|r| r.label.as_str())),
        })?;
        match record.get(COLUMN) {
            Some(Value::Text(token) | Value::Plain(token)) => Ok(token.clone()),
            // A token of a few digits, which YAML takes for a number.
            Some(Value::Integer(digits)) => Ok(digits.to_string()),
            _ => {
                Err(Error::MissingColumn { path: path(), label: label.to_owned(), column: COLUMN })
            }
        }
    }

    /// Hexadecimal digits that change when a file's name or any of its bytes does.
    ///
    /// # Errors
    /// When the folder or a file cannot be read.
    pub fn content_hash(&self) -> Result<String, Error> {
        let mut files = Vec::new();
        for name in self.classes()? {
            let bytes = fs_err::read(self.path_of(&name))?;
            files.push((name, bytes));
        }
        let pieces = files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
        Ok(content_hash(pieces))
    }

    fn path_of(&self, class: &str) -> PathBuf {
        self.dir.join(format!("{class}.yml"))
    }

    /// The path of a class that the folder has: a name that is none, `../x` say, is never opened.
    fn file(&self, class: &str) -> Result<PathBuf, Error> {
        let known = self.classes()?;
        if known.iter().any(|name| name == class) {
            return Ok(self.path_of(class));
        }
        Err(Error::UnknownClass {
            dir: self.dir.clone(),
            class: class.to_owned(),
            nearest: nearest(class, known.iter().map(String::as_str)),
        })
    }
}
