//! Wrong usage and configuration: a clear message, exit code 2, and nothing started.

mod common;

use common::Checkout;

/// What went wrong, with the checkout's path taken out.
fn refused(checkout: &Checkout, arguments: &[&str]) -> String {
    let done = checkout.services(arguments);
    assert_eq!(done.code, Some(2), "{done:?}");
    assert_eq!(done.stdout, "");
    assert!(!checkout.root().join(".services").exists(), "nothing was started");
    done.stderr.replace(&checkout.root().display().to_string(), "ROOT")
}

#[test]
fn an_unknown_service_is_refused_with_the_nearest_name() {
    assert_eq!(
        refused(&Checkout::new(), &["up", "kepproxy"]),
        "error: unknown service kepproxy; did you mean keepproxy?\n"
    );
}

#[test]
fn a_stack_name_with_a_slash_is_refused() {
    assert_eq!(
        refused(&Checkout::new(), &["up", "--stack", "a/b"]),
        "error: \"a/b\" is no stack name: use up to 64 letters, digits, '-', '_' and '.', with a \
         letter or digit first\n"
    );
}

#[test]
fn an_unknown_key_in_services_yml_is_refused_with_its_place() {
    let checkout = Checkout::new();
    checkout.configure("  keepstores: 2", "  kepstores: 2");
    assert_eq!(
        refused(&checkout, &["up"]),
        "error: ROOT/xtask/services.yml:9:3: defaults: unknown key `kepstores`; did you mean \
         keepstores?\n"
    );
}

#[test]
fn a_wrong_type_in_services_yml_is_refused_with_its_place() {
    let checkout = Checkout::new();
    checkout.configure("keepstores: 2", "keepstores: many");
    assert_eq!(
        refused(&checkout, &["up"]),
        "error: ROOT/xtask/services.yml:9:15: defaults.keepstores: invalid type: string \"many\", \
         expected a whole number from 0 to 65535\n"
    );
}

#[test]
fn an_unknown_profile_provider_token_or_flag_is_refused() {
    let checkout = Checkout::new();
    let profile = refused(&checkout, &["up", "--profile", "sngle"]);
    assert_eq!(profile, "error: unknown profile sngle; did you mean single?\n");
    let provider = refused(&checkout, &["up", "--provider", "api"]);
    assert_eq!(provider, "error: --provider api: write SERVICE=PROVIDER\n");
    let program = refused(&checkout, &["up", "--provider", "keepstore=/no/such"]);
    assert_eq!(program, "error: keepstore: /no/such is no program that can be run\n");
    let token = refused(&checkout, &["up", "--auth", "activ"]);
    assert!(token.contains("did you mean \"active\"?"), "{token}");
    let flag = refused(&checkout, &["up", "--stak", "x"]);
    assert!(flag.contains("'--stack'"), "{flag}");
}

#[test]
fn fixtures_that_are_not_there_are_refused() {
    let refusal = refused(&Checkout::new(), &["up", "--fixtures", "/nowhere"]);
    assert!(refusal.contains("--fixtures /nowhere: No such file"), "{refusal}");
}

#[test]
fn a_dry_run_shows_the_plan_and_starts_nothing() {
    let checkout = Checkout::new();
    let done = checkout.services(&["up", "keepproxy", "--dry-run"]).ok();
    let plan = done.stdout.replace(&checkout.root().display().to_string(), "ROOT");
    let fixtures =
        concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures").replace("/xtask/", "/sdk-fixtures/");
    insta::assert_snapshot!(plan.replace(&fixtures, "FIXTURES"));
    assert!(!checkout.root().join(".services").exists());
}

#[test]
fn a_copied_checkout_is_a_checkout_of_its_own() {
    let checkout = Checkout::new();
    let program = checkout.root().join("target/debug/xtask");
    fs_err::create_dir_all(program.parent().unwrap()).unwrap();
    fs_err::create_dir_all(checkout.root().join("sdk-fixtures/fixtures")).unwrap();
    fs_err::copy(env!("CARGO_BIN_EXE_xtask"), &program).unwrap();
    let mut command = std::process::Command::new(program);
    command.args(["services", "up", "api", "--dry-run"]).env_remove("CARGO_MANIFEST_DIR");
    let plan = common::Done::from(command.output().unwrap()).ok().stdout;
    let fixtures = checkout.root().join("sdk-fixtures/fixtures");
    assert!(plan.contains(&format!("-fixtures={}\n", fixtures.display())), "{plan}");
}

#[test]
fn help_is_a_result_and_not_an_error() {
    let done = Checkout::new().run(&["--help"]).ok();
    insta::assert_snapshot!(done.stdout);
}
