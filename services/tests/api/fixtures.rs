//! Fixture folders as Rails has them, as clients see their records.

use serde_json::{Value, json};

use super::api_server::Server;
use super::{ACTIVE, NONE};

/// A folder of fixtures with the users and tokens of the project, and `collections`.
pub(super) fn folder(collections: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let builtin = sdk_fixtures::Fixtures::builtin();
    for name in ["users.yml", "api_client_authorizations.yml", "api_clients.yml"] {
        fs_err::copy(builtin.dir().join(name), folder.path().join(name)).unwrap();
    }
    fs_err::write(folder.path().join("collections.yml"), collections).unwrap();
    folder
}

const COLLECTIONS: &str = "
# Test Helper trims the rest of the file
<% for i in 1..12 do %>
number_<%=i%>:
  uuid: zzzzz-4zz18-number<%= i.to_s.rjust(9, '0') %>
  owner_uuid: zzzzz-tpzed-xurymjxw79nv3jz
  name: Number <%= i %>
  name: Number <%= i %> of 12
  manifest_text: \"\"
  created_at: <%= (2*(i-1)).hour.ago.to_s(:db) %>
  modified_at: 2014-02-03 17:22:54
  replication_desired: 010
  preserve_version: yes
  properties:
    started: <%= i.minute.ago.to_s(:db) %>
    at: 2014-02-03 17:22:54
    list: [no, 1:30, 'no', \"1:30\"]
    digest: <%= Digest::MD5.hexdigest(SafeJSON.dump({'a' => 1})) %>
<% end %>
";

fn seconds(time: &Value) -> i64 {
    let time: jiff::Timestamp = time.as_str().unwrap().parse().unwrap();
    time.as_second()
}

#[test]
fn records_of_a_loop_are_there_with_their_values() {
    let folder = folder(COLLECTIONS);
    let server = Server::start_on("current", folder.path());
    let (_, list) = server.get("active", "collections?order=uuid");
    // And the empty one that every cluster has.
    assert_eq!(list["items_available"], 13);
    let (status, seventh) = server.get("active", "collections/zzzzz-4zz18-number000000007");
    assert_eq!(status, 200);
    assert_eq!(seventh["name"], "Number 7 of 12");
    assert_eq!(seventh["owner_uuid"], ACTIVE);
    assert_eq!(seventh["replication_desired"], 8);
    assert_eq!(seventh["preserve_version"], true);
    assert_eq!(seventh["modified_at"], "2014-02-03T17:22:54.000000000Z");
    let properties = &seventh["properties"];
    assert_eq!(properties["list"], json!([false, 5400, "no", "1:30"]));
    assert_eq!(properties["at"], "2014-02-03T17:22:54.000000000Z");
    assert_eq!(properties["digest"], "bb6cb5c68df4652941caf652a366f2d8");
    let between = seconds(&properties["started"]) - seconds(&seventh["created_at"]);
    assert_eq!(between, 12 * 3600 - 7 * 60);
}

#[test]
fn a_reset_makes_times_relative_to_now_again() {
    let folder = folder(COLLECTIONS);
    let server = Server::start_on("current", folder.path());
    let first = || {
        let (_, first) = server.get("active", "collections/zzzzz-4zz18-number000000001");
        [&first["created_at"], &first["properties"]["started"]].map(seconds)
    };
    let before = first();
    // What was loaded a second ago at most is to be told apart from what is loaded now.
    while jiff::Timestamp::now().as_second() <= before[0] {
        std::thread::yield_now();
    }
    let moment = jiff::Timestamp::now().as_second();
    assert_eq!(server.call("admin", "POST", "/database/reset", &NONE).0, 200);
    let after = first();
    assert!(after[0] >= moment, "{before:?} {after:?}");
    assert_eq!(after[0] - after[1], 60);
}
