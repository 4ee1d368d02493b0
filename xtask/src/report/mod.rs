//! The reports of a run of `test-all`: for programs, for the machines that run it, and a page for
//! people.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::Context;

mod chain;
mod ends;
mod html;
mod json;
mod junit;
#[cfg(test)]
mod sample;
pub(crate) mod words;

use crate::results::Results;
use ends::Ends;

/// Writes `junit.xml`, `report.json` and `index.html` into the report's folder, where what the
/// suites have printed lies already.
///
/// # Errors
/// When one cannot be written.
pub(crate) fn write(results: &Results, folder: &Path) -> anyhow::Result<()> {
    let ends = Ends::read(results, folder);
    let host = nix::unistd::gethostname().unwrap_or_default();
    let reports = [
        ("junit.xml", junit::render(results, &ends).context("cannot write the JUnit report")?),
        ("report.json", json::render(results).context("cannot write the report as JSON")?),
        ("index.html", html::render(results, &ends, &host.to_string_lossy())),
    ];
    for (name, report) in reports {
        let path = folder.join(name);
        let cannot = || format!("cannot write {}", path.display());
        let mut file = tempfile::Builder::new()
            .permissions(PermissionsExt::from_mode(0o644))
            .tempfile_in(folder)
            .with_context(cannot)?;
        // There as a whole or not at all.
        file.write_all(report.as_bytes()).with_context(cannot)?;
        file.persist(&path).with_context(cannot)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_reports_are_written_and_outputs_that_are_gone_are_none_of_their_business() {
        let folder = tempfile::tempdir().unwrap();
        write(&sample::results(), folder.path()).unwrap();
        for name in ["junit.xml", "report.json", "index.html"] {
            let text = fs_err::read_to_string(folder.path().join(name)).unwrap();
            assert!(text.contains("python (many)") && text.ends_with('\n'), "{name}");
        }
    }

    #[test]
    fn a_folder_that_cannot_be_written_to_is_named() {
        let folder = Path::new("/nonexistent/report");
        let error = write(&sample::results(), folder).unwrap_err();
        assert!(format!("{error:#}").contains("/nonexistent/report/junit.xml"), "{error:#}");
    }

    /// Writes the run of which `docs/test-report.png` is a picture. Both anew:
    ///
    /// ```sh
    /// REPORT=/tmp/report cargo test -p xtask --bin xtask sample_report -- --ignored
    /// chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=1280,920 \
    ///     --blink-settings=preferredColorScheme=1 --screenshot=docs/test-report.png \
    ///     /tmp/report/index.html
    /// ```
    #[test]
    #[ignore = "it is for a look at the page"]
    fn sample_report() {
        let folder = std::env::var_os("REPORT").expect("REPORT is the folder to write to");
        let folder = Path::new(&folder);
        let results = sample::results();
        sample::write_outputs(folder);
        write(&results, folder).unwrap();
        let page = html::render(&results, &Ends::read(&results, folder), "build-7");
        fs_err::write(folder.join("index.html"), page).unwrap();
    }
}
