//! The examples of README.md, so that they cannot rot.

use serde_json::Value;

/// The services that the example below that heading declares.
pub(crate) fn example(heading: &str) -> Value {
    let readme = include_str!("../../README.md");
    let section = readme.split(&format!("### {heading}\n")).nth(1).unwrap();
    let yaml = section.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    let example: Value = serde_yaml::from_str(yaml).unwrap();
    example["defaults"]["services"].clone()
}
