//! How much memory clients take.

use super::*;

/// How many clients there are at once.
const CLIENTS: usize = 200;

#[test]
fn blocks_that_come_slowly_are_not_in_memory() {
    let cluster = Cluster::start("current", 0, &[]);
    let block = vec![0; 1 << 20];
    let head = http::head("PUT", &format!("/{FOO}"), &[GOOD], block.len());
    let start = || {
        let mut stream = connect(cluster.proxy.addresses[0]);
        stream.write_all(&head).unwrap();
        stream.write_all(&block[1..]).unwrap();
        stream
    };
    let unfinished: Vec<_> = (0..CLIENTS).map(|_| start()).collect();
    for mut stream in unfinished {
        stream.write_all(&block[..1]).unwrap();
        assert_eq!(receive(&mut stream, "PUT").status, 503);
    }
    let peak = memory::peak_memory(cluster.proxy.child.id());
    assert!(peak < (CLIENTS * block.len() / 2) as u64, "{} MiB", peak >> 20);
}
