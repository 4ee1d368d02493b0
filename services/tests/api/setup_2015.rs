//! What `setup` and `unsetup` of users gave and took in 2015, and the pings of disks then.

use serde_json::{Value, json};

use super::api_server::{Answer, Server};
use super::{ACTIVE, error_text};

const TEST_VM: &str = "zzzzz-2x53u-382brsig8rp3064";
const ALL_USERS: &str = "zzzzz-j7d0g-fffffffffffffff";

fn setup(server: &Server, auth: &str, body: &Value) -> Answer {
    server.call(auth, "POST", "/arvados/v1/users/setup", body)
}

/// Tail, name and head of each link in an answer.
fn links(answer: &Value) -> Vec<[String; 3]> {
    let items = answer["items"].as_array().unwrap().iter();
    let links = items.filter(|item| item["kind"] == "arvados#link");
    let of = |link: &Value, name: &str| link[name].as_str().unwrap().to_owned();
    links.map(|link| ["tail_uuid", "name", "head_uuid"].map(|name| of(link, name))).collect()
}

#[test]
fn a_new_user_logs_in_by_openid_and_has_a_repository_and_a_machine() {
    let server = Server::start("2015");
    let wanted = json!({"user": {"email": "foo@example.com"}, "openid_prefix": "https://id.example",
        "repo_name": "bar", "vm_uuid": TEST_VM, "send_notification_email": false});
    let (status, made) = setup(&server, "admin", &wanted);
    assert_eq!((status, &made["kind"]), (200, &json!("arvados#HashList")), "{made}");
    let items = made["items"].as_array().unwrap();
    let user = items.iter().find(|item| item["kind"] == "arvados#user").unwrap();
    let uuid = user["uuid"].as_str().unwrap();
    let links = links(&made);
    assert_eq!(links[0], ["foo@example.com", "can_login", uuid]);
    assert_eq!(items[0]["properties"], json!({"identity_url_prefix": "https://id.example"}));
    assert_eq!((&links[1][0], &links[1][1]), (&uuid.to_owned(), &"can_manage".to_owned()));
    let (_, repository) = server.get("admin", &format!("repositories/{}", links[1][2]));
    assert_eq!((&repository["name"], &repository["owner_uuid"]), (&json!("foo/bar"), &json!(uuid)));
    assert_eq!(links[2], [uuid, "can_login", TEST_VM]);
    assert_eq!(links[3], [uuid, "can_read", ALL_USERS]);
    assert_eq!(links.len(), 4);

    // Once more it is the same, and the repository of one that is known has its whole name.
    let again = json!({"uuid": uuid, "repo_name": "foo/bar", "vm_uuid": TEST_VM});
    let (status, again) = setup(&server, "admin", &again);
    assert_eq!((status, self::links(&again)), (200, links.clone()));
    let path = format!("/arvados/v1/users/{uuid}/unsetup");
    assert_eq!(server.call("admin", "POST", &path, &json!({})).0, 200);
    let onto = format!("filters=[[%22head_uuid%22,%22=%22,%22{uuid}%22]]");
    assert_eq!(server.get("admin", &format!("links?{onto}")).1["items_available"], 0);
}

#[test]
fn what_set_up_lacks_is_told() {
    let server = Server::start("2015");
    let refused = |body: &Value| {
        let (status, refused) = setup(&server, "admin", body);
        assert_eq!(status, 422, "{refused}");
        error_text(&refused).to_owned()
    };
    assert_eq!(refused(&json!({})), "Required uuid or user");
    assert_eq!(refused(&json!({"user": {"first_name": "x"}})), "Require user email");
    let without_prefix = json!({"user": {"email": "foo@example.com"}});
    assert_eq!(refused(&without_prefix), "Required openid_prefix parameter is missing.");
    assert_eq!(setup(&server, "active", &json!({"uuid": ACTIVE})).0, 403);
    assert_eq!(setup(&server, "admin", &json!({"uuid": "zzzzz-tpzed-nobodynobodynob"})).0, 404);
}

#[test]
fn a_disk_is_known_by_its_secret_and_made_by_an_admin() {
    let server = Server::start("2015");
    let disk = "zzzzz-penuu-5w2o2t1q5wy7fhn";
    let secret = "z9xz2tc69dho51g1dmkdy5fnupdhsprahcwxdbjs0zms4eo6i";
    let ping =
        |auth: &str, body: &Value| server.call(auth, "POST", "/arvados/v1/keep_disks/ping", body);
    let told = json!({"id": disk, "ping_secret": secret, "bytes_free": 12345});
    let (status, pinged) = ping("", &told);
    assert_eq!((status, &pinged["uuid"]), (200, &json!(disk)), "{pinged}");
    assert_eq!((&pinged["ping_secret"], &pinged["bytes_free"]), (&json!(secret), &json!(12345)));
    assert_eq!(ping("", &json!({"id": disk, "ping_secret": "wrong"})).0, 404);
    assert_eq!(ping("admin", &json!({"id": disk, "ping_secret": "wrong"})).0, 404);
    let new = json!({"ping_secret": "", "filesystem_uuid": "eb1e77a1-db84-4193-b6e6-ca2894f67d5f"});
    assert_eq!(ping("", &new).0, 404);
    assert_eq!(ping("active", &new).0, 404);
    let (status, made) = ping("admin", &new);
    assert_eq!((status, &made["filesystem_uuid"]), (200, &new["filesystem_uuid"]), "{made}");
    assert_eq!(made["ping_secret"].as_str().unwrap().len(), 50);
    // Everybody sees all disks, and only admins their secrets.
    let path = format!("keep_disks/{}", made["uuid"].as_str().unwrap());
    let (status, seen) = server.get("active", &path);
    assert_eq!((status, seen.get("ping_secret")), (200, None));
    assert_eq!(server.get("admin", &path).1["ping_secret"], made["ping_secret"]);
}

#[test]
fn a_repository_has_its_owner_in_its_name() {
    let server = Server::start("2015");
    let create = |auth: &str, name: &str, owner: &str| {
        let body = json!({"repository": {"name": name, "owner_uuid": owner}});
        server.call(auth, "POST", "/arvados/v1/repositories", &body)
    };
    assert_eq!(create("active", "active/new", ACTIVE).0, 200);
    for wrong in ["new", "spectator/new", "active/", "active/1", "active/a-b"] {
        let (status, refused) = create("active", wrong, ACTIVE);
        assert_eq!(status, 422, "{wrong}");
        assert!(error_text(&refused).starts_with("Name must be the owner's username"), "{refused}");
    }
    let (status, refused) = create("active", "active/new", ACTIVE);
    assert_eq!((status, error_text(&refused)), (422, "Name has already been taken"));
    assert_eq!(create("admin", "shared", "zzzzz-tpzed-000000000000000").0, 200);
}

#[test]
fn a_public_key_is_one_and_ones_own() {
    for era in ["current", "2015"] {
        let server = Server::start(era);
        let create = |auth: &str, key: &str| {
            let body = json!({"authorized_key": {"key_type": "SSH", "public_key": key,
                "authorized_user_uuid": ACTIVE}});
            server.call(auth, "POST", "/arvados/v1/authorized_keys", &body)
        };
        let key = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQDtests me@example.com";
        assert_eq!(create("spectator", key).0, 422, "{era}");
        assert_eq!(create("active", key).0, 200, "{era}");
        let (status, refused) = create("admin", key);
        assert_eq!(status, 422, "{era}");
        assert!(error_text(&refused).starts_with("Public key already exists"), "{refused}");
        let (status, refused) = create("active", "no key");
        assert_eq!(status, 422, "{era}");
        assert!(error_text(&refused).contains("does not appear to be a valid"), "{refused}");
    }
}
