#!/usr/bin/env python3
"""Runs the tests of a folder against the cluster that the environment names.

The first argument is the folder, beside this file; further ones are names of tests, as unittest
takes them. The last line of the output is `N passed, N failed, N skipped`. Exits with 0 if all is
well, with 1 if a test failed or none was run.
"""

import pathlib
import sys
import unittest


class Result(unittest.TextTestResult):
    """Also counts the tests that passed."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.passed = 0

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed += 1


def main(folder, *names):
    here = pathlib.Path(__file__).resolve().parent
    folder = str(here / folder)
    sys.path[:0] = [folder, str(here)]
    sys.dont_write_bytecode = True  # a run leaves nothing in the source tree
    import cluster  # noqa: F401  (ends the run with a message when no cluster is named)

    loader = unittest.TestLoader()
    suite = loader.loadTestsFromNames(names) if names else loader.discover(folder)
    result = unittest.TextTestRunner(resultclass=Result, verbosity=2).run(suite)
    # Several parts of one test may fail; it is one test still.
    failed = {test.id().split(" ")[0] for test, _ in result.failures + result.errors}
    sys.stderr.flush()
    print(f"{result.passed} passed, {len(failed)} failed, {len(result.skipped)} skipped", flush=True)
    return 0 if result.wasSuccessful() and result.passed else 1


if __name__ == "__main__":
    if len(sys.argv) < 2:
        raise SystemExit("usage: run.py FOLDER [TEST…]")
    sys.exit(main(*sys.argv[1:]))
