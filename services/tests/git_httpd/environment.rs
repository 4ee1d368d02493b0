//! What is around the service: the API server, and the variables that git gets to see.

use crate::fake_api::FakeApi;
use crate::http;
use crate::service::Service;

const GOOD: &str = "Authorization: OAuth2 good";
const HEAD: &str = "/active/foo.git/HEAD";

/// Starts it with a shell in place of git, and more variables than those that lead to `api`.
fn start(api: &FakeApi, root: &tempfile::TempDir, more: &[(&'static str, &str)]) -> Service {
    let arguments =
        [format!("-repo-root={}", root.path().display()), "-git-command=/bin/sh".to_owned()];
    let mut environment = api.environment();
    environment.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
    Service::start("arv-git-httpd", &["arv-git-httpd"], &arguments, &environment)
}

#[test]
fn without_an_api_server_nothing_is_found_out() {
    let (api, root) = (FakeApi::start(), tempfile::tempdir().unwrap());
    let git = start(&api, &root, &[("ARVADOS_API_HOST", "127.0.0.1:9")]);
    let ask = |header| http::send(git.addresses[0], "GET", HEAD, &[header], b"").status;
    assert_eq!([ask(GOOD), ask("")], [500, 401]);
}

#[test]
fn git_sees_no_variables_of_ours_but_the_path_and_those_of_gitolite() {
    let (api, root) = (FakeApi::start(), tempfile::tempdir().unwrap());
    let uuid = "zzzzz-s0uqq-382brsig8rp3666";
    api.known.lock().unwrap().repositories.insert("active/foo".to_owned(), uuid.to_owned());
    std::fs::create_dir(root.path().join(format!("{uuid}.git"))).unwrap();
    // The shell finds it in its working folder, as it is told to run this command.
    let script = "text=$(env)
        printf 'Content-Length: %s\\r\\n\\r\\n%s' ${#text} \"$text\"";
    std::fs::write(root.path().join("http-backend"), script).unwrap();
    let kept =
        [("GITOLITE_HTTP_HOME", "/our-own/gitolite"), ("GL_BYPASS_ACCESS_CHECKS", "our-own")];
    let dropped = [
        ("HOME", "/our-own/home"),
        ("USER", "our-own"),
        ("LD_LIBRARY_PATH", "/our-own/libraries"),
        ("GIT_DIR", "/our-own/repository"),
        ("GIT_CONFIG_GLOBAL", "/our-own/settings"),
        ("GIT_COMMITTER_NAME", "our-own"),
    ];
    let git = start(&api, &root, &[&kept[..], &dropped].concat());
    let reply = http::send(git.addresses[0], "GET", HEAD, &[GOOD], b"");
    assert_eq!(reply.status, 200);
    let lines: Vec<_> = reply.text().lines().collect();
    let path = format!("PATH={}", std::env::var("PATH").unwrap());
    assert!(lines.contains(&&*path), "{lines:?}");
    let mut ours: Vec<_> = lines.into_iter().filter(|line| line.contains("our-own")).collect();
    ours.sort_unstable();
    assert_eq!(ours, kept.map(|(name, value)| format!("{name}={value}")));
}
