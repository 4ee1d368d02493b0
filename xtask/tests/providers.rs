//! Real programs in place of ours, one at a time: each is a stand-in that accepts the flags of the Go
//! programs of 2015 and no others, opens its socket itself, and has ours answer.
#![allow(clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod common;

use common::{Checkout, conformance};

/// What a kind's program accepts, as patterns of the shell.
const FLAGS: [(&str, &str); 3] = [
    (
        "keepstore",
        "-volume=/*|-listen=*:*|-permission-key-file=/*|-permission-ttl=[0-9]*|-pid=/*|\
         -data-manager-token-file=/*|-enforce-permissions=true|-enforce-permissions=false",
    ),
    ("keepproxy", "-listen=*:*|-default-replicas=[0-9]|-pid=/*"),
    ("arv-git-httpd", "-repo-root=/*|-address=*:*|-git-command=/*"),
];

/// Like the one of 2015, it reads which keepstores there are when it starts, and ends if that fails.
const KEEPSTORES_ARE_REGISTERED: &str = r#"
listed=$(curl --silent --fail --cacert "$SSL_CERT_FILE" --noproxy '*' \
    --header "Authorization: OAuth2 $ARVADOS_API_TOKEN" \
    "https://$ARVADOS_API_HOST/arvados/v1/keep_services/accessible") || exit 3
for disk in 0 1; do
    case $listed in *zzzzz-bi6l4-keepdisk000000$disk*) ;; *) echo "no keep$disk: $listed"; exit 4 ;; esac
done
"#;

/// A stand-in for that kind, and its path.
fn stand_in(checkout: &Checkout, kind: &str) -> String {
    let (_, flags) = FLAGS.into_iter().find(|(name, _)| *name == kind).unwrap();
    let before = if kind == "keepproxy" { KEEPSTORES_ARE_REGISTERED } else { "" };
    let script = format!(
        "#!/bin/sh\n\
         [ -z \"${{XTASK_LISTEN-}}\" ] || exit 5\n\
         for flag; do\n\
         case $flag in {flags}) ;; *) echo \"flag provided but not defined: $flag\"; exit 2 ;; esac\n\
         done\n{before}exec '{}' {kind} -era=current \"$@\"\n",
        common::services_binary().display()
    );
    common::executable(&checkout.root().join(kind), &script)
}

/// A cluster in which a stand-in plays that kind is as any other.
fn is_as_ours(kind: &str) {
    let checkout = Checkout::new();
    let provider = format!("{kind}={}", stand_in(&checkout, kind));
    // The cases are about today; the stand-ins are.
    checkout.up(&["--era", "current", "--provider", &provider]);
    conformance::passes(&checkout, &[]);
    checkout.services(&["reset"]).ok();
    checkout.services(&["restart", kind]).ok();
    conformance::passes(&checkout, &["keepproxy.yml", "git.yml"]);
    assert!(checkout.health().iter().all(|(_, ready)| *ready));
    checkout.services(&["down"]).ok();
    assert_eq!(checkout.processes(), [0; 0]);
}

#[test]
fn a_real_keepstore_is_as_ours() {
    is_as_ours("keepstore");
}

#[test]
fn a_real_keepproxy_is_as_ours_and_finds_the_keepstores_when_it_starts() {
    is_as_ours("keepproxy");
}

#[test]
fn a_real_arv_git_httpd_is_as_ours() {
    is_as_ours("arv-git-httpd");
}

#[test]
fn a_real_keepproxy_that_is_started_alone_finds_the_keepstores_too() {
    let checkout = Checkout::new();
    checkout.provide("keepproxy", &stand_in(&checkout, "keepproxy"));
    checkout.up(&["keepstore", "--era", "current"]);
    checkout.up(&["keepproxy"]);
    conformance::passes(&checkout, &["keepproxy.yml"]);
}

#[test]
fn with_a_go_program_the_era_is_that_of_2015_and_status_says_so() {
    let checkout = Checkout::new();
    let keepstore = stand_in(&checkout, "keepstore");
    let up = checkout.up(&["keepstore", "--provider", &format!("keepstore={keepstore}")]);
    assert!(up.stderr.contains("the era is 2015\n"), "{up:?}");
    assert_eq!(checkout.status(&[])["era"], "2015");
    let status = checkout.services(&["status"]).ok().stdout;
    assert!(status.ends_with("the era is 2015\n"), "{status}");
}

#[test]
fn every_profile_that_comes_with_us_says_who_plays_what() {
    let checkout = Checkout::new();
    let plan = checkout.services(&["up", "--dry-run", "--profile", "embedded"]).ok().stdout;
    assert_eq!(plan.lines().filter(|line| line.ends_with(" (embedded)")).count(), 6, "{plan}");
    let refused = checkout.services(&["up", "--profile", "system"]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("name that with --arvados-src DIR"), "{refused:?}");
}
