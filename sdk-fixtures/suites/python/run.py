#!/usr/bin/env python3
"""Runs all tests of this folder against the cluster that the environment names.

The last line of the output is `N passed, N failed, N skipped`. Exits with 0 if all is well, with
1 if a test failed or none was run. Arguments are names of tests, as unittest takes them.
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


def main(names):
    folder = str(pathlib.Path(__file__).resolve().parent)
    sys.path.insert(0, folder)
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
    sys.exit(main(sys.argv[1:]))
