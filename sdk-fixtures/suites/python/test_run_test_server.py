"""The module in place of Arvados' script: what suites that import that have of it."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import textwrap
import unittest

import cluster  # noqa: F401  (ends the run with a message when no cluster is named)

PROJECT = pathlib.Path(__file__).resolve().parents[3]
MODULE = PROJECT / "sdk-fixtures/python/run_test_server.py"
sys.path.insert(0, str(MODULE.parent))

import arvados_test_cluster  # noqa: E402

# As classes of Arvados' own suites are.
CALLER = """\
import os
import sys
import unittest
import urllib.error
import urllib.request

import arvados
import run_test_server


def current_user():
    return arvados.api("v1", num_retries=0).users().current().execute()


class Signing(run_test_server.TestCaseWithServers):
    MAIN_SERVER = {}
    KEEP_SERVER = {"blob_signing_key": "abcdefghijk0123456789", "enforce_permissions": True}

    def test_blocks_need_a_signature_by_the_key_that_is_given(self):
        run_test_server.authorize_with("active")
        keep = arvados.keep.KeepClient(api_client=arvados.api("v1"), num_retries=0)
        locator = keep.put(b"foo")
        self.assertRegex(locator, r"^acbd18db4cc2f85cedef654fccc4a4d8[+]3[+]A[0-9a-f]{40}@")
        services = arvados.api("v1").keep_services().accessible().execute()["items"]
        self.assertEqual(len(services), 2)
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(
                "http://localhost:%d/%s" % (services[0]["service_port"], locator.split("+A")[0])
            )
        refused.exception.close()
        with open(os.path.join(run_test_server.TEST_TMPDIR, "keep.blob_signing_key")) as key:
            self.assertEqual(key.read(), "abcdefghijk0123456789")


class Proxied(run_test_server.TestCaseWithServers):
    MAIN_SERVER = {}
    KEEP_SERVER = {}
    KEEP_PROXY_SERVER = {}

    def test_blocks_go_through_the_keepproxy(self):
        run_test_server.authorize_with("active")
        keep = arvados.keep.KeepClient(api_client=arvados.api("v1"), num_retries=0)
        self.assertTrue(keep.using_proxy)
        self.assertEqual(keep.get(keep.put(b"bar")), b"bar")


class Local(run_test_server.TestCaseWithServers):
    MAIN_SERVER = {}

    def test_the_api_server_is_that_of_the_class_before_and_is_reset(self):
        before = os.environ["ARVADOS_API_HOST"]
        users = run_test_server.fixture("users")
        self.assertEqual(current_user()["uuid"], users["admin"]["uuid"])
        groups = arvados.api("v1").groups()
        groups.create(body={"group": {"name": "made", "group_class": "project"}}).execute()
        run_test_server.authorize_with("spectator")
        self.assertEqual(current_user()["uuid"], users["spectator"]["uuid"])
        run_test_server.run()
        self.assertEqual(os.environ["ARVADOS_API_HOST"], before)
        run_test_server.authorize_with("admin")
        found = arvados.api("v1").groups().list(filters=[["name", "=", "made"]]).execute()
        self.assertEqual(found["items"], [])
        self.assertTrue(os.path.isdir(os.environ["KEEP_LOCAL_STORE"]))


class WithoutServers(unittest.TestCase):
    def test_functions_do_what_actions_do(self):
        run_test_server.run()
        before = run_test_server.my_api_host
        run_test_server.run_arv_git_httpd()
        run_test_server.run_nginx()
        for name in ("arv-git-httpd", "keepproxy-ssl", "arv-git-httpd-ssl"):
            self.assertGreater(run_test_server._getport(name), 1024)
        self.assertEqual(run_test_server._getport("keepproxy"), 9)
        run_test_server.stop_nginx()
        run_test_server.stop_arv_git_httpd()
        run_test_server.stop()
        self.assertIsNone(run_test_server.my_api_host)
        with self.assertRaisesRegex(ValueError, "call run\\\\(\\\\) before"):
            run_test_server.reset()
        run_test_server.run()
        with open(run_test_server._pidfile("api")) as pid:
            os.kill(int(pid.read()), 9)
        # It has ended, and another one takes its place.
        run_test_server.run()
        run_test_server.authorize_with("admin")
        self.assertTrue(current_user()["is_admin"])


if __name__ == "__main__":
    unittest.main()
"""


class InACheckoutOfArvados(unittest.TestCase):
    """A copy of this project's settings, and a checkout of Arvados with a link to the module."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="arva dos "))
        self.addCleanup(shutil.rmtree, self.folder)
        self.arvados = self.folder / "arvados"
        self.tests = self.arvados / "sdk/python/tests"
        for made in (self.tests, self.arvados / "services/api/test", self.folder / "xtask"):
            made.mkdir(parents=True)
        shutil.copy(PROJECT / "xtask/services.yml", self.folder / "xtask")
        (self.tests / "run_test_server.py").symlink_to(MODULE)
        # The program that cargo would run may not be built again while other suites run it.
        cargo = self.folder / "cargo"
        cargo.write_text(
            "#!/bin/sh\nunset CARGO\nwhile test \"$1\" != --; do shift; done\nshift\n"
            f"exec '{arvados_test_cluster._xtask()}' \"$@\"\n"
        )
        cargo.chmod(0o755)
        self.environment = {
            **arvados_test_cluster._clean_environment(),
            "CARGO": str(cargo),
            "XTASK_ROOT": str(self.folder),
            "XDG_CACHE_HOME": str(self.folder / "cache"),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self.addCleanup(self.take_down)

    def take_down(self):
        self.call([arvados_test_cluster._xtask(), "services", "down", "--all"])

    def call(self, command):
        done = subprocess.run(
            command,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            universal_newlines=True,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def stacks(self):
        command = [arvados_test_cluster._xtask(), "services", "list", "--format", "json"]
        return json.loads(self.call(command))

    def test_a_suite_that_imports_it_is_served_and_leaves_nothing(self):
        caller = self.tests / "test_caller.py"
        caller.write_text(CALLER)
        self.call([sys.executable, "-W", "ignore", str(caller)])
        self.assertEqual(list((self.arvados / "tmp").iterdir()), [])
        self.assertEqual(self.stacks(), [])

    def test_it_is_the_script_too(self):
        script = [sys.executable, str(self.tests / "run_test_server.py")]
        lines = self.call([*script, "start", "--auth", "active"]).splitlines()
        self.assertEqual(len(lines), 3, lines)
        self.environment.update(line.split(" ", 1)[1].split("=", 1) for line in lines)
        self.assertEqual(self.call([*script, "stop"]), "")
        self.assertEqual(self.stacks(), [])

    def test_the_api_server_of_a_parent_is_left_running(self):
        script = [sys.executable, str(self.tests / "run_test_server.py")]
        host = self.call([*script, "start"]).strip()
        self.environment["ARVADOS_TEST_API_HOST"] = host
        program = """\
            import os, sys
            sys.path.insert(0, sys.argv[1])
            import run_test_server
            run_test_server.reset()
            run_test_server.run()
            run_test_server.stop()
            print(os.environ["ARVADOS_API_HOST"])
        """
        command = [sys.executable, "-c", textwrap.dedent(program), str(self.tests)]
        self.assertEqual(self.call(command).strip(), host)
        self.assertEqual(len(self.stacks()), 1)
