//! Which requests lead to a repository, and that none leads anywhere else.

use std::os::unix::fs::symlink;

use crate::cluster::{GitCluster, UUID, has_git, run};
use crate::http;
use crate::service::Service;

const GOOD: &str = "Authorization: OAuth2 good";

#[test]
fn unknown_tokens_names_and_paths_are_refused() {
    if !has_git() {
        return;
    }
    let cluster = GitCluster::start();
    cluster.push("work", b"text");
    for (path, header, status, text) in [
        ("/active/foo.git/info/refs?service=git-upload-pack", GOOD, 200, None),
        ("/active/foo.git/info/refs?service=git-upload-pack&api_token=good", "", 200, None),
        ("/active/foo.git/info/refs", "Authorization: Bearer good", 200, None),
        // "any:good"
        ("/active/foo.git/info/refs", "Authorization: Basic YW55Omdvb2Q=", 200, None),
        ("/active/foo.git/info/refs", "Authorization: Bearer bad", 500, None),
        ("/active/foo.git/info/refs", "", 401, Some("no credentials provided")),
        ("/active/foo", "", 401, Some("no credentials provided")),
        ("/active/foo", GOOD, 400, Some("bad request")),
        ("/", GOOD, 400, Some("bad request")),
        ("/active/other.git/info/refs", GOOD, 404, Some("not found")),
        ("/.git/config", GOOD, 404, Some("not found")),
        // Listed, and without a folder.
        ("/active/bare.git/info/refs", GOOD, 404, Some("content not found")),
        ("/active/foo.git/", GOOD, 404, None),
        ("/active/foo.git/config", GOOD, 404, None),
        ("/active/foo.git/hooks/update.sample", GOOD, 404, None),
        ("/active/foo.git/HEAD", GOOD, 200, Some("ref: refs/heads/main\n")),
        ("/active%2Ffoo.git%2FHEAD", GOOD, 200, Some("ref: refs/heads/main\n")),
        ("/zzzzz-s0uqq-382brsig8rp3666.git/HEAD", GOOD, 200, Some("ref: refs/heads/main\n")),
        ("/zzzzz-s0uqq-382brsig8rp3666/.git/HEAD", GOOD, 200, Some("ref: refs/heads/main\n")),
        ("/zzzzz-s0uqq-382brsig8rp9999.git/HEAD", GOOD, 404, Some("not found")),
        ("/active/foo.git/a%00b", GOOD, 400, Some("bad request")),
        ("/active%00/foo.git/HEAD", GOOD, 400, Some("bad request")),
    ] {
        let reply = cluster.ask("GET", path, header);
        assert_eq!(reply.status, status, "{path} {header}");
        if let Some(text) = text {
            assert_eq!(reply.text(), text, "{path} {header}");
        }
    }
    let asked = cluster.ask("GET", "/x.git/HEAD", "");
    assert_eq!(asked.header("www-authenticate"), Some("Basic realm=\"git\""));
    assert_eq!(asked.header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(asked.header("x-content-type-options"), None);
}

#[test]
fn a_path_that_climbs_leads_to_the_path_that_it_means() {
    if !has_git() {
        return;
    }
    let cluster = GitCluster::start();
    for (path, location) in [
        ("//active/foo.git/HEAD", "/active/foo.git/HEAD"),
        ("/active//foo.git/info/refs?service=x", "/active/foo.git/info/refs?service=x"),
        ("/active/foo.git/../../key.pem", "/key.pem"),
        ("/active/foo.git/%2e%2e/%2e%2e/key.pem", "/key.pem"),
        ("/active/foo.git/%2e%2e%2f%2E%2e%2Fetc/passwd", "/etc/passwd"),
        ("/../../../../etc/passwd", "/etc/passwd"),
        ("/active/foo.git/./HEAD", "/active/foo.git/HEAD"),
    ] {
        let reply = cluster.ask("GET", path, "");
        assert_eq!((reply.status, reply.header("location")), (301, Some(location)), "{path}");
        assert!(reply.text().ends_with(">Moved Permanently</a>.\n\n"), "{path}");
    }
    // git follows it.
    let url = format!("http://any:good@{}//active//foo.git", cluster.git.addresses[0]);
    run(cluster.folder.path(), &["ls-remote", &url]);
}

#[test]
fn no_symbolic_link_leads_out_of_the_root() {
    if !has_git() {
        return;
    }
    let cluster = GitCluster::start();
    let inside = cluster.root().join("elsewhere.git");
    std::fs::rename(cluster.repository(), &inside).unwrap();
    symlink(&inside, cluster.repository()).unwrap();
    let path = "/active/foo.git/HEAD";
    assert_eq!(cluster.ask("GET", path, GOOD).status, 200);
    let outside = cluster.folder.path().join("outside.git");
    std::fs::rename(&inside, &outside).unwrap();
    std::fs::remove_file(cluster.repository()).unwrap();
    symlink(&outside, cluster.repository()).unwrap();
    let reply = cluster.ask("GET", path, GOOD);
    assert_eq!((reply.status, reply.text()), (404, "content not found"));
}

#[test]
fn the_same_repository_is_served_from_a_checkout_and_under_either_form_of_its_path() {
    if !has_git() {
        return;
    }
    let cluster = GitCluster::start();
    std::fs::remove_dir_all(cluster.repository()).unwrap();
    let work = cluster.commit("work", b"text");
    std::fs::rename(work, cluster.root().join(UUID)).unwrap();
    for form in ["active/foo.git", "active/foo/.git"] {
        let url = format!("http://any:good@{}/{form}", cluster.git.addresses[0]);
        run(cluster.folder.path(), &["ls-remote", "--exit-code", &url, "HEAD"]);
    }
}

#[test]
fn a_folder_is_also_found_by_the_name_of_the_repository() {
    if !has_git() {
        return;
    }
    let cluster = GitCluster::start();
    std::fs::create_dir(cluster.root().join("active")).unwrap();
    std::fs::rename(cluster.repository(), cluster.root().join("active/foo.git")).unwrap();
    assert_eq!(cluster.ask("GET", "/active/foo/.git/HEAD", GOOD).status, 200);
}

#[test]
fn the_first_of_four_folders_is_served() {
    if !has_git() {
        return;
    }
    let cluster = GitCluster::start();
    let work = cluster.commit("work", b"text");
    let folders = [
        format!("{UUID}.git"),
        format!("{UUID}/.git"),
        "active/foo.git".to_owned(),
        "active/foo/.git".to_owned(),
    ]
    .map(|name| cluster.root().join(name));
    for (number, folder) in folders.iter().enumerate() {
        let at = folder.to_str().unwrap();
        run(cluster.folder.path(), &["init", "-q", "--bare", at]);
        run(&work, &["push", "-q", at, &format!("HEAD:refs/heads/folder-{number}")]);
    }
    let path = "/active/foo.git/info/refs";
    for (number, folder) in folders.iter().enumerate() {
        let reply = cluster.ask("GET", path, GOOD);
        let end = format!("\trefs/heads/folder-{number}\n");
        assert!(reply.text().ends_with(&end), "{folder:?}: {}", reply.text());
        std::fs::remove_dir_all(folder).unwrap();
    }
    assert_eq!(cluster.ask("GET", path, GOOD).text(), "content not found");
}

#[test]
fn the_working_folder_is_the_root_unless_another_is_named() {
    if !has_git() {
        return;
    }
    let cluster = GitCluster::start();
    cluster.push("work", b"text");
    let environment = cluster.api.environment();
    let service = "arv-git-httpd";
    let inside = Service::start_in(&cluster.root(), service, &[service], &[], &environment);
    let outside = Service::start_in(cluster.folder.path(), service, &[service], &[], &environment);
    for (git, status) in [(inside, 200), (outside, 404)] {
        let reply = http::send(git.addresses[0], "GET", "/active/foo.git/HEAD", &[GOOD], b"");
        assert_eq!(reply.status, status, "{}", reply.text());
    }
}

#[test]
fn a_repository_of_another_owner_is_served() {
    if !has_git() || !nix::unistd::geteuid().is_root() {
        eprintln!("skipped: only root can give files away");
        return;
    }
    let cluster = GitCluster::start();
    let work = cluster.commit("work", b"text");
    let chown =
        std::process::Command::new("chown").args(["-R", "65534"]).arg(cluster.root()).status();
    assert!(chown.unwrap().success());
    let url = cluster.url("good", "active/foo");
    run(&work, &["push", "-q", &url, "HEAD:refs/heads/main"]);
    run(&work, &["ls-remote", "--exit-code", &url, "main"]);
}
