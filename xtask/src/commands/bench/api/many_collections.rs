//! Fixtures like ours, with 100,000 collections in place of a few: a hundred in each project, and ten
//! of the projects are those of the user `active`.

use std::fmt::Write as _;
use std::path::Path;

use sdk_fixtures::Fixtures;

const PROJECTS: usize = 1000;

const COLLECTIONS_OF_EACH: usize = 100;

/// As many projects are of the user `active`; the others have no record.
const PROJECTS_OF_ACTIVE: usize = 10;

/// Writes them to the folder `at`.
///
/// # Errors
/// When a file cannot be read or written.
pub(super) fn write(at: &Path) -> anyhow::Result<()> {
    let ours = Fixtures::builtin();
    for entry in fs_err::read_dir(ours.dir())? {
        let entry = entry?;
        fs_err::copy(entry.path(), at.join(entry.file_name()))?;
    }
    let groups = at.join("groups.yml");
    fs_err::write(&groups, fs_err::read_to_string(&groups)? + &projects())?;
    fs_err::write(at.join("collections.yml"), collections())?;
    Ok(())
}

fn projects() -> String {
    let mut text = String::new();
    for project in 0..PROJECTS_OF_ACTIVE {
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "
bench_project_{project}:
  uuid: {}
  owner_uuid: zzzzz-tpzed-xurymjxw79nv3jz
  name: project {project} of the bench
  group_class: project
",
            uuid_of(project)
        );
    }
    text
}

fn uuid_of(project: usize) -> String {
    format!("zzzzz-j7d0g-0bench{project:09}")
}

fn collections() -> String {
    let mut text = String::new();
    for number in 0..PROJECTS * COLLECTIONS_OF_EACH {
        // Those of a project are scattered over the table and over time.
        let (project, owner) = (number % PROJECTS, uuid_of(number % PROJECTS));
        let (hour, minute, second) = (number / 3600 % 24, number / 60 % 60, number % 60);
        let _ = write!(
            text,
            "
generated_{number}:
  uuid: zzzzz-4zz18-0bench{number:09}
  owner_uuid: {owner}
  name: generated {number} of project {project}
  portable_data_hash: fa7aeb5140e2848d39b416daeef4ffc5+45
  manifest_text: \". 37b51d194a7513e45b56f6524f2d51f2+3 0:3:bar\\n\"
  created_at: 2014-02-03 17:22:54
  modified_at: 2014-02-0{} {hour:02}:{minute:02}:{second:02}
  properties: {{number: {number}}}
",
            1 + number / 86_400
        );
    }
    text
}
