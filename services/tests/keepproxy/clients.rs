//! What else clients may ask.

use super::*;

#[test]
fn blocks_of_all_keepstores_are_listed_today() {
    let cluster = Cluster::start("current", 2, &[]);
    cluster.send("PUT", &format!("/{FOO}"), &[GOOD], b"foo");
    let index = cluster.send("GET", "/index/acb", &[GOOD], b"");
    let lines: Vec<_> = index.text().split('\n').collect();
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert!(lines[..2].iter().all(|line| line.starts_with(&format!("{FOO}+3 "))), "{lines:?}");
    assert_eq!(cluster.send("GET", "/index/fff", &[GOOD], b"").text(), "\n");
    cluster.api.known.lock().unwrap().tokens.insert("user".to_owned());
    // Keepstores list their blocks for the data manager only.
    let user = "Authorization: Bearer user";
    assert_eq!(cluster.send("GET", "/index", &[user], b"").status, 502);
    assert_eq!(cluster.send("GET", "/index", &[], b"").status, 403);
}

#[test]
fn the_token_of_a_shared_link_reads_today_and_never_writes() {
    for (era, reads) in [("current", 200), ("2015", 403)] {
        let cluster = Cluster::start(era, 2, &[]);
        cluster.api.known.lock().unwrap().shared.insert("link".to_owned());
        let link = "Authorization: OAuth2 link";
        assert_eq!(cluster.send("PUT", &format!("/{FOO}"), &[link], b"foo").status, 403);
        assert_eq!(cluster.send("PUT", &format!("/{FOO}"), &[GOOD], b"foo").status, 200);
        assert_eq!(cluster.send("GET", &format!("/{FOO}+3"), &[link], b"").status, reads);
        assert_eq!(cluster.send("PUT", &format!("/{FOO}"), &[link], b"foo").status, 403);
    }
}

#[test]
fn a_request_that_has_been_here_goes_no_further_today() {
    for (era, via, status) in [("current", Some("HTTP/1.1 keepproxy"), 500), ("2015", None, 404)] {
        let cluster = Cluster::start(era, 1, &[]);
        let path = format!("/{FOO}");
        assert_eq!(cluster.send("GET", &path, &[GOOD], b"").header("via"), via);
        let again = cluster.send("GET", &path, &[GOOD, "Via: HTTP/1.1 keepproxy"], b"");
        assert_eq!(again.status, status);
    }
}

#[test]
fn keepstores_hear_of_the_wish_for_a_storage_class() {
    let cluster = Cluster::start("current", 2, &[]);
    let put = |classes: &str| {
        let wish = format!("X-Keep-Storage-Classes: {classes}");
        let reply = cluster.send("PUT", &format!("/{FOO}"), &[GOOD, &wish], b"foo");
        (reply.status, reply.header("x-keep-replicas-stored").map(str::to_owned))
    };
    assert_eq!(put("archive"), (503, Some("0".to_owned())));
    assert_eq!(put("default"), (200, Some("2".to_owned())));
}

#[test]
fn a_block_goes_on_until_it_is_in_every_wished_storage_class() {
    let mut cluster = Cluster::start("current", 0, &["-default-replicas=1"]);
    cluster.keepstores = ["hot", "cold", "hot"].map(Keepstore::with_class).into();
    cluster.register();
    for (wished, replicas, confirmed) in [
        ("hot, cold", "2", "cold=1, hot=1"),
        ("hot", "1", "hot=1"),
        ("cold, archive", "1", "cold=1"),
    ] {
        let wish = format!("X-Keep-Storage-Classes: {wished}");
        let put = cluster.send("PUT", &format!("/{FOO}"), &[GOOD, &wish], b"foo");
        assert_eq!((put.status, put.header("x-keep-replicas-stored")), (200, Some(replicas)));
        assert_eq!(put.header("x-keep-storage-classes-confirmed"), Some(confirmed));
    }
    assert!(cluster.copies(FOO) >= 2);
}

#[test]
fn a_connection_goes_on_after_every_refusal_of_a_short_body() {
    let cluster = Cluster::start("current", 2, &[]);
    let mut stream = connect(cluster.proxy.addresses[0]);
    let bar = "/37b51d194a7513e45b56f6524f2d51f2";
    for (method, path, header, status) in [
        ("PUT", bar, GOOD, 503),
        ("PUT", bar, "", 403),
        ("PUT", "/no-locator", GOOD, 400),
        ("DELETE", bar, GOOD, 400),
        ("GET", bar, GOOD, 404),
    ] {
        stream.write_all(&http::head(method, path, &[header], 3)).unwrap();
        stream.write_all(b"foo").unwrap();
        let reply = receive(&mut stream, method);
        assert_eq!((reply.status, reply.header("connection")), (status, None), "{method} {path}");
    }
}

#[test]
fn wrong_flags_are_told_as_go_programs_do() {
    let mut refused = std::process::Command::new(env!("CARGO_BIN_EXE_services"));
    let output = refused.args(["keepproxy", "-default-replicas", "none"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let fault = "invalid value \"none\" for flag -default-replicas: parse error\n";
    assert!(said.starts_with(&format!("{fault}Usage of keepproxy:\n")), "{said}");
    assert_eq!(output.status.code(), Some(2));
}
