//! The examples of our README.md and of the front page, so that they cannot rot.

use serde_json::Value;

/// The services that the example below that heading declares.
pub(crate) fn example(heading: &str) -> Value {
    let readme = include_str!("../../README.md");
    let section = readme.split(&format!("### {heading}\n")).nth(1).unwrap();
    let yaml = section.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    let example: Value = serde_yaml::from_str(yaml).unwrap();
    example["defaults"]["services"].clone()
}

/// The service that the front page shows.
pub(crate) fn front_page() -> Value {
    let readme = include_str!("../../../README.md");
    let lines = readme.lines().skip_while(|line| *line != "    redis:");
    let example: Vec<&str> = lines.take_while(|line| !line.is_empty()).collect();
    serde_yaml::from_str(&example.join("\n")).unwrap()
}
