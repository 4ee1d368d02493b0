//! On what the programs really print, which is in `samples`: that they were trimmed is all that was
//! done to them.

use super::*;

fn read(output: &[u8]) -> Read {
    let mut reader = Reader::new();
    reader.push(output);
    reader.finish()
}

fn sample(name: &str) -> Vec<u8> {
    let path = format!("{}/src/results/reader/samples/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    fs_err::read(path).unwrap()
}

fn numbers(read: &Read) -> Option<(u64, u64, u64)> {
    read.count.map(|count| (count.passed, count.failed, count.skipped))
}

fn of(output: &str) -> Option<(u64, u64, u64)> {
    numbers(&read(output.as_bytes()))
}

/// `+name`, `-name` and `~name` for one that passed, failed and was skipped.
fn named(read: &Read) -> Vec<String> {
    let sign = |verdict| match verdict {
        Verdict::Passed => '+',
        Verdict::Failed => '-',
        Verdict::Skipped => '~',
    };
    read.tests.iter().map(|test| format!("{}{}", sign(test.verdict), test.name)).collect()
}

fn length(read: &Read, name: &str) -> Option<f64> {
    read.tests.iter().find(|test| test.name == name)?.length.map(|it| it.as_secs_f64())
}

#[test]
fn our_own_closing_line_is_counted() {
    assert_eq!(of("3 passed, 0 failed, 4 skipped\n"), Some((3, 0, 4)));
    assert_eq!(of("3 passed, 1 failed"), Some((3, 1, 0)));
    assert_eq!(of("3 passed, 1 failed\r\n1 passed, 0 failed, 2 skipped\r\n"), Some((4, 1, 2)));
}

#[test]
fn output_that_only_talks_of_tests_is_not() {
    for line in [
        "",
        "\n\n",
        "passed, failed",
        "1 passed",
        "3 passed, 1 failed, 2 skipped, 1 lost",
        "so 3 passed, 1 failed",
        "test foo ... ok",
        "    test result: ok. 4 passed; 1 failed; 2 ignored",
        "ok",
        "OK",
        "FAILED (failures=1)",
        "ok then",
        "FAIL",
        "# pass the salt",
        "3 ways in 2 s",
        "12 files in 0.3s",
        "1..3",
        "finished in 0.3s",
        "Tests: none",
        "         Summary [   0.139s] 5 tests run: 3 passed",
    ] {
        assert_eq!(read(line.as_bytes()), Read::default(), "{line:?}");
    }
}

#[test]
fn cargo_test_is_read() {
    let read = read(&sample("cargo"));
    assert_eq!(numbers(&read), Some((4, 2, 1)));
    assert_eq!(
        named(&read),
        [
            "-cr tests::bad",
            "-cr tests::flaky",
            "~cr tests::ig",
            "+cr tests::ok",
            "+cr tests::sp",
            "+it inte",
            "+src/lib.rs - f (line 1)",
        ]
    );
}

#[test]
fn cargo_tests_that_print_or_report_times_are_read() {
    let output = "test a ... ok <0.012s>\ntest b ... one\ntwo\nok\ntest c ... FAILED <1.5s>\n\
                  test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 9 filtered out\n";
    let read = read(output.as_bytes());
    assert_eq!(named(&read), ["+a", "+b", "-c"]);
    assert_eq!((length(&read, "a"), length(&read, "c")), (Some(0.012), Some(1.5)));
}

#[test]
fn nextest_is_read() {
    for (name, count) in [("nextest", (3, 2, 1)), ("nextest-coloured", (0, 2, 1))] {
        assert_eq!(numbers(&read(&sample(name))), Some(count), "{name}");
    }
    let read = read(&sample("nextest"));
    assert_eq!(
        named(&read),
        ["-cr tests::flaky", "-cr tests::bad", "+cr tests::ok", "+cr::it inte", "+cr tests::sp"]
    );
    assert_eq!(length(&read, "cr tests::bad"), Some(0.072));
}

#[test]
fn of_a_test_that_nextest_tried_again_the_last_try_counts() {
    let read = read(&sample("nextest-retries"));
    assert_eq!(numbers(&read), Some((5, 1, 0)));
    assert_eq!(
        named(&read),
        [
            "+cr tests::flaky",
            "-cr tests::bad",
            "+cr tests::ig",
            "+cr tests::ok",
            "+cr tests::sp",
            "+cr::it inte"
        ]
    );
}

#[test]
fn older_nextest_and_its_rarer_verdicts_are_read() {
    let output = "     TIMEOUT [  60.002s] a slow\n     SIGSEGV [   0.012s] a b::crash\n        \
                  SLOW [> 60.000s] a c\n        LEAK [   0.1s] a d\n       XFAIL [   0.1s] a e\n     \
                  Summary [  60.0s] 9 tests run: 4 passed (1 slow, 1 leaky), 2 failed, 1 exec \
                  failed, 1 timed out, 1 skipped\n";
    let read = read(output.as_bytes());
    assert_eq!(numbers(&read), Some((4, 4, 1)));
    assert_eq!(named(&read), ["-a slow", "-a b::crash", "+a d", "-a e"]);
}

#[test]
fn pytest_is_read() {
    let all = [
        "+test_x.py::test_ok",
        "-test_x.py::test_bad",
        "~test_x.py::test_skip",
        "+test_x.py::test_xf",
        "+test_x.py::test_xp",
        "-test_x.py::test_err",
        "+test_x.py::test_p[x y]",
        "+test_x.py::test_p[\\xfc]",
        "+test_x.py::test_p[a::b PASSED]",
        "+test_x.py::TestC::test_m",
    ];
    for name in ["pytest-v", "pytest-coloured", "pytest-xdist"] {
        let read = read(&sample(name));
        assert_eq!(numbers(&read), Some((7, 2, 1)), "{name}");
        let (mut named, mut all) = (named(&read), all.to_vec());
        if name == "pytest-xdist" {
            named.sort();
            all.sort_unstable();
        }
        assert_eq!(named, all, "{name}");
    }
}

#[test]
fn pytest_that_names_only_what_failed_is_counted_all_the_same() {
    for name in ["pytest", "pytest-q"] {
        let read = read(&sample(name));
        assert_eq!(numbers(&read), Some((7, 2, 1)), "{name}");
        assert_eq!(named(&read), ["-test_x.py::test_bad", "-test_x.py::test_err"], "{name}");
    }
    assert_eq!(of("=== no tests ran in 0.01s ==="), Some((0, 0, 0)));
    assert_eq!(of("== no tests collected (10 deselected) in 0.01s =="), Some((0, 0, 0)));
    assert_eq!(of("== 2 passed, 3 warnings in 75.10s (0:01:15) =="), Some((2, 0, 0)));
}

#[test]
fn unittest_is_read() {
    let read = read(&sample("unittest"));
    // Two parts of one test failed, and what prepares a class did: three failures more than tests.
    assert_eq!(numbers(&read), Some((4, 6, 1)));
    assert_eq!(
        named(&read),
        [
            "-__main__.A.test_bad",
            "+__main__.A.test_doc",
            "-__main__.A.test_err",
            "+__main__.A.test_ok",
            "+__main__.A.test_prints",
            "~__main__.A.test_skip",
            "-__main__.A.test_sub (i=0)",
            "-__main__.A.test_sub (i=2)",
            "+__main__.A.test_xf",
            "-__main__.A.test_xp",
            "-__main__.B.setUpClass",
        ]
    );
}

#[test]
fn unittest_that_names_only_what_failed_is_counted_all_the_same() {
    let rule = "=".repeat(70);
    let failed = format!(
        "..F\n{rule}\nFAIL: test_a (m.A)\n---\nRan 3 tests in 0.1s\n\nFAILED \
                          (failures=1)\n"
    );
    let read = read(failed.as_bytes());
    assert_eq!((numbers(&read), named(&read)), (Some((2, 1, 0)), vec!["-m.A.test_a".to_owned()]));
    assert_eq!(of("Ran 3 tests in 0.1s\n\nOK (skipped=1)"), Some((2, 0, 1)));
    assert_eq!(of("Ran 0 tests in 0.0s\n\nNO TESTS RAN"), Some((0, 0, 0)));
}

#[test]
fn go_is_read() {
    let verbose = "=== RUN   TestA\n--- PASS: TestA (0.01s)\n=== RUN   TestB\n=== RUN   TestB/one\n    \
                   b_test.go:7: no\n--- FAIL: TestB (0.20s)\n    --- FAIL: TestB/one (0.20s)\n--- SKIP: \
                   TestC (0.00s)\nFAIL\nFAIL\texample.org/a\t0.213s\n=== RUN   TestD\n--- PASS: TestD \
                   (0.00s)\nPASS\nok  \texample.org/b\t0.002s\n?   \texample.org/c\t[no test files]\nFAIL\n";
    let verbose = read(verbose.as_bytes());
    assert_eq!(numbers(&verbose), Some((2, 2, 1)));
    assert_eq!(named(&verbose), ["+TestA", "-TestB", "-TestB/one", "~TestC", "+TestD"]);
    assert_eq!(length(&verbose, "TestB"), Some(0.2));

    let brief = "ok  \texample.org/a\t(cached)\n--- FAIL: TestB (0.20s)\n    b_test.go:7: no\nFAIL\n\
                 FAIL\texample.org/b\t0.2s\nFAIL\texample.org/c [build failed]\nok  \texample.org/d\t\
                 0.002s [no tests to run]\nok  \texample.org/e\t1.5s\nFAIL\n";
    let brief = read(brief.as_bytes());
    assert_eq!(numbers(&brief), Some((2, 2, 0)));
    assert_eq!(named(&brief), ["+example.org/a", "-TestB", "-example.org/c", "+example.org/e"]);
    assert_eq!(length(&brief, "example.org/e"), Some(1.5));
}

#[test]
fn node_is_read_in_both_of_its_forms() {
    let tap = read(&sample("node-tap"));
    assert_eq!(numbers(&tap), Some((2, 2, 2)));
    let parts = ["+inner ok", "-inner bad"];
    assert_eq!(named(&tap), [&["+plain", "-bad # x", "~skipped", "~todo"][..], &parts].concat());
    assert_eq!(length(&tap, "plain"), Some(0.000_746_16));

    let spec = read(&sample("node-spec"));
    assert_eq!(numbers(&spec), Some((2, 2, 2)));
    let parts = ["+group › inner ok", "-group › inner bad"];
    assert_eq!(named(&spec), [&["+plain", "-bad # x", "~skipped", "~todo"][..], &parts].concat());
}

#[test]
fn tap_of_any_program_is_read() {
    let mocha = read(&sample("mocha-tap"));
    assert_eq!(numbers(&mocha), Some((3, 2, 1)));
    assert_eq!(named(&mocha)[1..3], ["-group bad one", "~group pending"]);

    assert_eq!(of("1..3\nok 1 - a\nok 2 # skip why\nnot ok 3 b # TODO\n"), Some((1, 0, 2)));
    assert_eq!(of("1..4\nok 1\nnot ok 2\n"), Some((1, 3, 0)), "two were planned and not done");
    assert_eq!(of("ok 1 - a\nok 2 - issue # 5\n1..2\n"), Some((2, 0, 0)));
    assert_eq!(of("1..0 # SKIP no network\n"), Some((0, 0, 1)));
    assert_eq!(of("1..1\nok 1 - a\nBail out! dead\n"), Some((1, 1, 0)));
}

#[test]
fn mocha_and_jest_are_read() {
    let mocha = read(&sample("mocha"));
    assert_eq!(numbers(&mocha), Some((3, 2, 1)));
    assert_eq!(
        named(&mocha),
        [
            "+group › ok one",
            "-group › bad one",
            "~group › pending",
            "+group › slow",
            "+group › deep › deeper",
            "-group › deep › bad (2) two",
        ]
    );
    assert_eq!(length(&mocha, "group › slow"), Some(0.121));

    let jest = read(&sample("jest-verbose"));
    assert_eq!(numbers(&jest), Some((3, 2, 2)));
    assert_eq!(
        named(&jest),
        [
            "+group › ok one",
            "-group › bad one",
            "-group › slow",
            "~group › skip",
            "~group › later",
            "+group › deep › deeper",
            "+top",
        ]
    );

    let brief = read(&sample("jest"));
    assert_eq!(numbers(&brief), Some((3, 2, 2)));
    assert_eq!(named(&brief), ["-group › bad one", "-group › slow"]);
}

#[test]
fn the_summary_that_closes_the_output_counts_and_those_of_one_program_add_up() {
    let ours = "test_a (m.A.test_a) ... ok\ntest_b (m.A.test_b) ... FAIL\nRan 2 tests in 0.1s\n\n\
                FAILED (failures=1)\n1 passed, 1 failed, 0 skipped\n";
    let ours = read(ours.as_bytes());
    assert_eq!(numbers(&ours), Some((1, 1, 0)));
    assert_eq!(named(&ours), ["+m.A.test_a", "-m.A.test_b"]);

    let noise = "- one\n- two\n1) three\n1 passed, 0 failed, 0 skipped\n";
    assert_eq!(named(&read(noise.as_bytes())), [""; 0], "a list is no names of tests");

    let twice = "== 2 passed in 0.1s ==\n7 passed, 7 failed, 7 skipped\n== 1 failed in 0.1s ==\n";
    assert_eq!(of(twice), Some((2, 1, 0)));
}

#[test]
fn pieces_of_any_size_are_read_alike() {
    for name in ["pytest-coloured", "node-spec", "nextest-retries", "unittest"] {
        let output = sample(name);
        for size in [1, 2, 7, 1000] {
            let mut reader = Reader::new();
            output.chunks(size).for_each(|piece| reader.push(piece));
            assert_eq!(reader.finish(), read(&output), "{name} in pieces of {size}");
        }
    }
}

#[test]
fn bytes_that_are_no_text_and_lines_without_an_end_are_taken() {
    let mut reader = Reader::new();
    reader.push(b"\xff\xfe\x00 \x1b[31m");
    let block = [b'x'; 100_000];
    for _ in 0..100 {
        reader.push(&block);
        assert!(reader.line.capacity() <= 2 * LONGEST_LINE, "{}", reader.line.capacity());
    }
    reader.push(b"\n10 %\r20 %\r\x1b[2K3 passed, 1 failed, 0 skipped");
    assert_eq!(numbers(&reader.finish()), Some((3, 1, 0)));
}

#[test]
fn more_tests_than_are_named_are_counted() {
    let mut reader = Reader::new();
    let extra = 10;
    reader.push(format!("ok 1 - {}\n", "n".repeat(600)).as_bytes());
    reader.push(b"ok 2 - n\n".repeat(MOST_TESTS + extra - 1).as_slice());
    let read = reader.finish();
    assert_eq!(read.tests.len(), MOST_TESTS);
    assert_eq!(read.tests[0].name.len(), LONGEST_NAME);
    assert_eq!(read.count.unwrap().passed, u64::try_from(MOST_TESTS + extra).unwrap());
}
