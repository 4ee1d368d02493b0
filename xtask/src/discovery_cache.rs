//! What clients remember of an API server that had the address before.
//!
//! The Python SDK keeps a server's description for a day or more, by its URL. On an address that is
//! given to another server, its clients would ask for what that does not have. Only this address is
//! forgotten: the user's other clusters are none of our business.

use std::path::PathBuf;

use md5::{Digest, Md5};

/// Looks up a variable of the environment.
type Variable<'a> = &'a dyn Fn(&str) -> Option<PathBuf>;

/// Makes clients of this user ask `HOST:PORT` for its description again.
///
/// That a file cannot be removed is no failure: it is a help for the user's other programs.
pub(crate) fn forget(address: &str) {
    let port = address.rsplit_once(':').map_or("443", |(_, port)| port);
    let addresses = [address.to_owned(), format!("localhost:{port}")];
    let digests = addresses.map(|address| digest(&url(&address)));
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
    for folder in folders(&variable) {
        let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        for entry in entries {
            let name = entry.file_name();
            if digests.iter().any(|digest| is_of(&name.to_string_lossy(), digest)) {
                let _left_as_it_is = std::fs::remove_file(entry.path());
            }
        }
    }
}

/// As the SDK asks for it.
fn url(address: &str) -> String {
    format!("https://{address}/discovery/v1/apis/arvados/v1/rest")
}

/// Where the SDK has its cache: of 2015 and later below the home folder, of today where the system
/// or the user has caches.
fn folders(variable: Variable<'_>) -> Vec<PathBuf> {
    let home = variable("HOME").map(|home| home.join(".cache"));
    let of_user = [home, variable("XDG_CACHE_HOME")].into_iter().flatten();
    let of_system = variable("CACHE_DIRECTORY").into_iter();
    let all = of_user.map(|folder| folder.join("arvados")).chain(of_system);
    all.filter(|folder| folder.is_absolute()).map(|folder| folder.join("discovery")).collect()
}

/// Whether a file of the cache is that of the URL with this digest: `DIGEST.tmp` of the SDK's own
/// cache, and `NAME,DIGEST` of the one that httplib2 has, which it used in 2015.
fn is_of(name: &str, digest: &str) -> bool {
    name.strip_suffix(".tmp") == Some(digest)
        || name.rsplit_once(',').is_some_and(|(_, last)| last == digest)
}

fn digest(url: &str) -> String {
    Md5::digest(url.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_those_that_the_clients_give() {
        let digest = digest(&url("127.0.0.1:8000"));
        // As hashlib.md5(b"https://127.0.0.1:8000/discovery/v1/apis/arvados/v1/rest") has it.
        assert_eq!(digest, "2f652a53fc3891e95925272b38ead10b");
        assert!(is_of("2f652a53fc3891e95925272b38ead10b.tmp", &digest));
        let of_httplib2 =
            "127.0.0.18000discoveryv1apisarvadosv1rest,2f652a53fc3891e95925272b38ead10b";
        assert!(is_of(of_httplib2, &digest));
        assert!(
            !is_of("2f652a53fc3891e95925272b38ead10b.tmp.tmp", &digest) && !is_of("x.tmp", &digest)
        );
    }

    #[test]
    fn caches_are_looked_for_where_each_generation_has_them() {
        let variable = |name: &str| match name {
            "HOME" => Some("/home/me".into()),
            "XDG_CACHE_HOME" => Some("/cache".into()),
            "CACHE_DIRECTORY" => Some("/var/cache/arvados".into()),
            _ => None,
        };
        let wanted = [
            "/home/me/.cache/arvados/discovery",
            "/cache/arvados/discovery",
            "/var/cache/arvados/discovery",
        ];
        assert_eq!(folders(&variable), wanted.map(PathBuf::from));
        assert!(folders(&|_| Some("relative".into())).is_empty());
    }
}
