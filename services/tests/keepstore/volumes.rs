//! What is on disk.

use std::os::unix::fs::MetadataExt;

use super::*;

#[test]
fn a_corrupt_block_is_not_served_and_a_good_put_repairs_it() {
    for (era, status, text) in [
        ("2015", 500, "Hash mismatch in stored data\n"),
        ("current", 502, "checksum mismatch in stored data\n"),
    ] {
        let keepstore = Keepstore::start(era, &[]);
        let path = format!("/{FOO}");
        keepstore.send("PUT", &path, &[], b"foo");
        std::fs::write(keepstore.volume().join("acb").join(FOO), "fox").unwrap();
        let reply = keepstore.send("GET", &path, &[], b"");
        assert_eq!((reply.status, reply.text()), (status, text));
        assert_eq!(keepstore.send("HEAD", &path, &[], b"").status, status);
        assert_eq!(keepstore.send("PUT", &path, &[], b"foo").status, 200);
        assert_eq!(keepstore.send("GET", &path, &[], b"").body, b"foo");
    }
}

#[test]
fn other_content_with_the_same_hash_is_a_collision() {
    // Two blocks of one MD5 (Wang and others, 2004), that differ in six bytes.
    let first = "d131dd02c5e6eec4693d9a0698aff95c2fcab58712467eab4004583eb8fb7f89\
                 55ad340609f4b30283e488832571415a085125e8f7cdc99fd91dbdf280373c5b\
                 d8823e3156348f5bae6dacd436c919c6dd53e2b487da03fd02396306d248cda0\
                 e99f33420f577ee8ce54b67080a80d1ec69821bcb6a8839396f9652b6ff72a70";
    let mut one: Vec<u8> = (0..first.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&first[at..at + 2], 16).unwrap())
        .collect();
    let keepstore = Keepstore::start("2015", &[]);
    let path = format!("/{}", hash_of(&one));
    assert_eq!(keepstore.send("PUT", &path, &[], &one).status, 200);
    for at in [19, 45, 59, 83, 109, 123] {
        one[at] ^= 0x80;
    }
    assert_eq!(path, format!("/{}", hash_of(&one)));
    let reply = keepstore.send("PUT", &path, &[], &one);
    assert_eq!((reply.status, reply.text()), (500, "Collision\n"));
}

#[test]
fn a_volume_may_be_emptied_or_removed_while_it_is_served() {
    let keepstore = Keepstore::start("current", &[]);
    let path = format!("/{FOO}");
    for _ in 0..3 {
        assert_eq!(keepstore.send("PUT", &path, &[], b"foo").status, 200);
        std::fs::remove_dir_all(keepstore.volume()).unwrap();
        assert_eq!(keepstore.send("GET", &path, &[], b"").status, 404);
    }
}

#[test]
fn status_tells_about_the_volumes() {
    for era in ERAS {
        let keepstore = Keepstore::start(era, &[]);
        let status = keepstore.status();
        let volume = &status["volumes"][0];
        assert_eq!(volume["mount_point"], keepstore.volume().to_str().unwrap());
        assert_eq!(volume["device_num"], std::fs::metadata(keepstore.volume()).unwrap().dev());
        assert!(volume["bytes_free"].as_u64().unwrap() > 0);
        assert!(volume["bytes_used"].is_u64(), "{volume}");
        assert_eq!(status["BufferPool"]["BuffersMax"], 128);
        assert!(status["Memory"]["Alloc"].as_u64().unwrap() > 0);
    }
}

#[test]
fn a_full_or_read_only_volume_takes_nothing_and_another_one_does() {
    for (era, status, text) in [("2015", 503, "Full\n"), ("current", 507, "insufficient storage\n")]
    {
        let keepstore = Keepstore::start(era, &[]);
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let full = keepstore.volume().join("full");
        std::os::unix::fs::symlink(now.as_secs().to_string(), &full).unwrap();
        let put = || keepstore.send("PUT", &format!("/{FOO}"), &[], b"foo");
        let refused = put();
        assert_eq!((refused.status, refused.text()), (status, text));
        std::fs::remove_file(&full).unwrap();
        assert_eq!(put().status, 200);
        std::os::unix::fs::symlink(now.as_secs().to_string(), &full).unwrap();
        assert_eq!(put().status, 200, "it is there already");

        let other = tempfile::tempdir().unwrap();
        let read_only = format!("-volume={}", other.path().display());
        let place = other.path().join("37b");
        std::fs::create_dir(&place).unwrap();
        std::fs::write(place.join("37b51d194a7513e45b56f6524f2d51f2"), "bar").unwrap();
        let keepstore = Keepstore::start(era, &["-readonly", &read_only]);
        let bar = "/37b51d194a7513e45b56f6524f2d51f2";
        assert_eq!(keepstore.send("GET", bar, &[], b"").text(), "bar");
        assert_eq!(keepstore.send("PUT", &format!("/{FOO}"), &[], b"foo").status, 200);
        assert!(keepstore.volume().join("acb").join(FOO).exists());
        assert_eq!(files(other.path()).len(), 1);
    }
}

#[test]
fn a_keepstore_whose_volumes_are_all_read_only_takes_nothing() {
    for (era, status, text) in [("2015", 503, "Full\n"), ("current", 507, "insufficient storage\n")]
    {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("acb")).unwrap();
        std::fs::write(folder.path().join("acb").join(FOO), "foo").unwrap();
        let volume = format!("-volume={}", folder.path().display());
        let arguments = [format!("-era={era}"), "-readonly".to_owned(), volume];
        let service = Service::start("keepstore", &["keepstore"], &arguments, &[]);
        for content in [&b"bar"[..], &vec![3; 3 << 20]] {
            let path = format!("/{}", hash_of(content));
            let refused = send(service.addresses[0], "PUT", &path, &[], content);
            assert_eq!((refused.status, refused.text()), (status, text));
        }
        let got = send(service.addresses[0], "GET", &format!("/{FOO}"), &[], b"");
        assert_eq!((got.status, got.text()), (200, "foo"));
        assert_eq!(files(folder.path()).len(), 1);
    }
}

#[test]
fn a_block_too_large_for_memory_goes_around_a_volume_that_cannot_take_it() {
    // A folder that cannot be made, since a file has its name.
    let keepstore = Keepstore::start("current", &["-volume=FOLDER"]);
    let block = vec![3; 3 << 20];
    let hash = hash_of(&block);
    std::fs::write(keepstore.volume().join(&hash[..3]), "in the way").unwrap();
    for _ in 0..2 {
        assert_eq!(keepstore.send("PUT", &format!("/{hash}"), &[], &block).status, 200);
        assert!(keepstore.send("GET", &format!("/{hash}"), &[], b"").body == block);
    }
    assert!(keepstore.folder.path().join(&hash[..3]).join(&hash).exists());
}

#[test]
fn a_storage_class_that_no_volume_has_is_not_confirmed() {
    let keepstore = Keepstore::start("current", &[]);
    let put = |classes: &str| {
        let wish = format!("X-Keep-Storage-Classes: {classes}");
        let reply = keepstore.send("PUT", &format!("/{FOO}"), &[&wish], b"foo");
        (reply.status, reply.header("x-keep-storage-classes-confirmed").map(str::to_owned))
    };
    assert_eq!(put("archive"), (507, None));
    assert_eq!(put("default, archive"), (200, Some("default=1".to_owned())));
    assert_eq!(put(""), (200, Some("default=1".to_owned())));
}
