//! `{{…}}` in case files: what is known of the cluster and of earlier answers, put in its place.

use std::collections::BTreeMap;

use anyhow::Context;
use sdk_fixtures::{Fixtures, Value as FixtureValue};
use serde_json::Value;

use crate::pattern::Part;

/// What placeholders stand for.
pub(crate) struct Known<'a> {
    pub(crate) fixtures: &'a Fixtures,
    /// `{{host}}`: the address that the request goes to.
    pub(crate) host: String,
    /// `{{run}}`: differs from run to run, for names that must not clash.
    pub(crate) run: &'a str,
    /// `{{kept.NAME}}`.
    pub(crate) kept: &'a BTreeMap<String, String>,
}

impl Known<'_> {
    /// `text` with its placeholders filled in.
    ///
    /// # Errors
    /// When a placeholder is unknown, or stands for what varies.
    pub(crate) fn text(&self, text: &str) -> anyhow::Result<String> {
        let mut filled = String::new();
        for part in self.parts(text)? {
            match part {
                Part::Literal(literal) => filled.push_str(&literal),
                _ => anyhow::bail!("{text:?}: only what is expected may vary"),
            }
        }
        Ok(filled)
    }

    /// The same for every text in a JSON value.
    ///
    /// # Errors
    /// As [`Known::text`].
    pub(crate) fn json(&self, value: &Value) -> anyhow::Result<Value> {
        Ok(match value {
            Value::String(text) => self.text(text)?.into(),
            Value::Array(items) => {
                items.iter().map(|item| self.json(item)).collect::<anyhow::Result<_>>()?
            }
            Value::Object(entries) => {
                let entries =
                    entries.iter().map(|(key, value)| Ok((key.clone(), self.json(value)?)));
                Value::Object(entries.collect::<anyhow::Result<_>>()?)
            }
            other => other.clone(),
        })
    }

    /// An expected text, with what is known filled in.
    ///
    /// # Errors
    /// When a placeholder is unknown.
    pub(crate) fn parts(&self, text: &str) -> anyhow::Result<Vec<Part>> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once("{{") {
            let (name, after) =
                behind.split_once("}}").with_context(|| format!("{text:?}: no }}}} follows"))?;
            parts.push(Part::Literal(before.to_owned()));
            parts.push(self.part(name).with_context(|| format!("placeholder {{{{{name}}}}}"))?);
            rest = after;
        }
        parts.push(Part::Literal(rest.to_owned()));
        Ok(parts)
    }

    fn part(&self, name: &str) -> anyhow::Result<Part> {
        let words: Vec<&str> = name.split('.').collect();
        Ok(match words[..] {
            ["any"] => Part::Any,
            ["digits"] => Part::Digits,
            ["hex", count] => Part::Hex(count.parse().context("not a number")?),
            ["host"] => Part::Literal(self.host.clone()),
            ["run"] => Part::Literal(self.run.to_owned()),
            ["token", label] => Part::Literal(self.fixtures.auth_token(label)?),
            ["kept", name] => {
                let kept = self.kept.get(name);
                Part::Literal(kept.context("no earlier case has kept it")?.clone())
            }
            [class, label, column] => Part::Literal(self.fixture(class, label, column)?),
            _ => anyhow::bail!("is unknown"),
        })
    }

    fn fixture(&self, class: &str, label: &str, column: &str) -> anyhow::Result<String> {
        let records = self.fixtures.class(class)?;
        let record = records.record(label).with_context(|| format!("no {label} in {class}"))?;
        match record.get(column) {
            Some(FixtureValue::Text(text)) => Ok(text.clone()),
            Some(FixtureValue::Integer(number)) => Ok(number.to_string()),
            _ => anyhow::bail!("{class} {label} has no text {column}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_filled_in_and_what_is_not_is_an_error() {
        let fixtures = Fixtures::builtin();
        let kept = BTreeMap::from([("uuid".to_owned(), "u1".to_owned())]);
        let known = Known { fixtures: &fixtures, host: "h:1".into(), run: "r", kept: &kept };
        assert_eq!(known.text("{{kept.uuid}} {{host}}/{{run}}").unwrap(), "u1 h:1/r");
        assert_eq!(known.text("{{users.admin.uuid}}").unwrap(), "zzzzz-tpzed-d9tiejq69daie8f");
        assert!(known.text("{{token.active}}").unwrap().starts_with("3kg6"));
        for wrong in
            ["{{kept.other}}", "{{nothing}}", "{{users.admin.shoe_size}}", "{{run", "{{any}}"]
        {
            assert!(known.text(wrong).is_err(), "{wrong}");
        }
    }
}
