//! What a checkout of Arvados says: its fixtures, and the configuration of its API server, so that a
//! server of that checkout and services of ours verify what the other has signed.

use std::path::{Path, PathBuf};

use serde_yaml::{Mapping, Value};

use super::layer::Layer;
use crate::failure::Usage;
use crate::yaml;

/// Of a Rails configuration file, the sections that count in a test, and the later one most.
const SECTIONS: [&str; 2] = ["common", "test"];

/// Where its API server is.
pub(crate) const API_SERVER: &str = "services/api";

/// The settings of the checkout in that folder. Of what it does not say, nothing is set.
///
/// # Errors
/// Wrong usage: the folder is no checkout, or a file of it cannot be read.
pub(super) fn settings(checkout: &Path) -> Result<Layer, Usage> {
    let wrong = |what: String| Usage(format!("--arvados-src {}: {what}", checkout.display()));
    let checkout = checkout.canonicalize().map_err(|error| wrong(error.to_string()))?;
    let api = checkout.join(API_SERVER);
    if !api.is_dir() {
        return Err(wrong(format!(
            "there is no {API_SERVER} in it, so it is no checkout of Arvados"
        )));
    }
    let configuration = configuration(&api.join("config"))?;
    let text = |key: &str| configuration.get(key).and_then(as_text);
    let number = |key: &str| configuration.get(key).and_then(Value::as_u64);
    let fixtures: PathBuf = api.join("test/fixtures");
    Ok(Layer {
        fixtures: Some(fixtures).filter(|folder| folder.is_dir()),
        arvados_src: Some(checkout),
        blob_signing_key: text("blob_signing_key"),
        // Its name has changed.
        blob_signature_ttl: number("blob_signature_ttl").or_else(|| number("blob_signing_ttl")),
        ..Layer::default()
    })
}

/// All keys: of the defaults, and over them those of the site.
fn configuration(folder: &Path) -> Result<Mapping, Usage> {
    let mut all = Mapping::new();
    for name in ["application.default.yml", "application.yml"] {
        let path = folder.join(name);
        // Checkouts of today have neither.
        if !path.exists() {
            continue;
        }
        let file: Value = yaml::load(&path)?;
        for section in SECTIONS {
            let section = file.get(section).and_then(Value::as_mapping).cloned();
            all.extend(section.unwrap_or_default());
        }
    }
    Ok(all)
}

/// A key is of letters and digits, and may be of digits only. One that is to be evaluated by Ruby is
/// not known here.
fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() && !text.contains("<%") => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A checkout with these files in its folder of configuration.
    fn checkout(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("services/api/config");
        fs_err::create_dir_all(&config).unwrap();
        for (name, text) in files {
            fs_err::write(config.join(name), text).unwrap();
        }
        folder
    }

    const DEFAULTS: &str = "
common:
  uuid_prefix: <%= Digest::MD5.hexdigest(`hostname`).to_i(16).to_s(36)[0..4] %>
  blob_signing_key: ~
  blob_signing_ttl: 1209600
test:
  blob_signing_key: fromthedefaults
";

    #[test]
    fn the_section_of_tests_counts_more_than_the_common_one_and_the_site_most() {
        let key = |files: &[(&str, &str)]| {
            let layer = settings(checkout(files).path()).unwrap();
            (layer.blob_signing_key, layer.blob_signature_ttl)
        };
        let defaults = ("application.default.yml", DEFAULTS);
        assert_eq!(key(&[defaults]), (Some("fromthedefaults".into()), Some(1_209_600)));
        let site = "common:\n  blob_signing_key: fromthesite\n  blob_signature_ttl: 60\n";
        let site = key(&[defaults, ("application.yml", site)]);
        assert_eq!(site, (Some("fromthesite".into()), Some(60)));
        assert_eq!(key(&[]), (None, None));
        let empty = key(&[defaults, ("application.yml", "test:\n  blob_signing_key:\n")]);
        assert_eq!(empty.0, None, "what the site empties is ours");
    }

    #[test]
    fn fixtures_are_those_of_the_checkout_where_it_has_some() {
        let folder = checkout(&[]);
        assert_eq!(settings(folder.path()).unwrap().fixtures, None);
        let fixtures = folder.path().canonicalize().unwrap().join("services/api/test/fixtures");
        fs_err::create_dir_all(&fixtures).unwrap();
        assert_eq!(settings(folder.path()).unwrap().fixtures, Some(fixtures));
    }

    #[test]
    fn what_is_no_checkout_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let error = settings(folder.path()).unwrap_err().0;
        assert!(error.ends_with("so it is no checkout of Arvados"), "{error}");
        assert!(settings(Path::new("/no/such")).unwrap_err().0.contains("No such file"));
        let broken = checkout(&[("application.yml", "test: [\n")]);
        assert!(settings(broken.path()).unwrap_err().0.contains("application.yml:"));
    }
}
