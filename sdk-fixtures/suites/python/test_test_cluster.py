"""Clusters for Python suites: what a suite has of them, and that nothing of them is left."""

import os
import pathlib
import subprocess
import sys
import time
import unittest

import arvados

import cluster

MODULE_FOLDER = pathlib.Path(__file__).resolve().parents[2] / "python"
sys.path.insert(0, str(MODULE_FOLDER))

import arvados_test_cluster  # noqa: E402

# Of another Python, which finds the module too.
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(MODULE_FOLDER), "PYTHONDONTWRITEBYTECODE": "1"}

ADMIN = "zzzzz-tpzed-d9tiejq69daie8f"
ACTIVE = "zzzzz-tpzed-xurymjxw79nv3jz"
DEADLINE_SECONDS = 20

CONFTEST = "from arvados_test_cluster import arvados_cluster, arvados_servers\n"
PYTEST_TESTS = """\
import arvados

def collections():
    return arvados.api("v1").collections()

def test_makes_one(arvados_cluster):
    arvados_cluster.authorize_with("active")
    collections().create(body={"collection": {"name": "made before"}}).execute()

def test_finds_none(arvados_cluster):
    assert arvados.api("v1").users().current().execute()["is_admin"]
    found = collections().list(filters=[["name", "=", "made before"]]).execute()
    assert found["items"] == []
"""


def current_user():
    return arvados.api("v1", num_retries=0).users().current().execute()["uuid"]


class OnKeepproxy(arvados_test_cluster.TestCaseWithServers):
    MAIN_SERVER = {}
    KEEP_SERVER = {"blob_signing_key": "0123", "enforce_permissions": True}
    KEEP_PROXY_SERVER = {}

    def test_blocks_go_through_the_keepproxy(self):
        keep = arvados.keep.KeepClient(api_client=arvados.api("v1"), num_retries=0)
        self.addCleanup(keep.stop_prefetch_threads)
        self.assertTrue(keep.using_proxy)
        locator = keep.put(b"foo")
        self.assertEqual(keep.get(locator), b"foo")
        with self.assertRaises(arvados.errors.KeepReadError):
            cluster.keep(self, arvados.api("v1")).get(locator.split("+A")[0])
        self.assertIn("PUT", self.servers.logs())

    def test_a_user_is_one_for_the_rest_of_a_test(self):
        for _ in range(2):  # as two tests would
            self.doCleanups()
            self.setUp()
            self.assertEqual(current_user(), ADMIN)
            self.authorize_with("active")
            self.assertEqual(current_user(), ACTIVE)
        with self.assertRaisesRegex(arvados_test_cluster.ClusterError, 'mean "active"'):
            self.authorize_with("actve")

    def test_it_is_no_cluster_of_the_suites(self):
        self.assertNotEqual(os.environ["ARVADOS_API_HOST"], cluster.HOST)
        self.assertEqual(self.servers.environ()["XTASK_STACK"], self.servers.stack)
        self.assertEqual(os.environ["ARVADOS_API_HOST"], f"127.0.0.1:{self.servers.port('api')}")


class OnLocalStore(arvados_test_cluster.TestCaseWithServers):
    MAIN_SERVER = {}

    def test_blocks_are_in_a_folder_until_a_reset(self):
        store = pathlib.Path(os.environ["KEEP_LOCAL_STORE"])
        keep = arvados.keep.KeepClient(local_store=str(store))
        locator = keep.put(b"foo")
        self.assertEqual(keep.get(locator), b"foo")
        self.assertEqual(len(list(store.iterdir())), 1)
        self.servers.reset()
        self.assertEqual(list(store.iterdir()), [])


class WithoutServers(arvados_test_cluster.TestCaseWithServers):
    def test_there_is_a_local_store_and_no_cluster(self):
        self.assertTrue(os.path.isdir(os.environ["KEEP_LOCAL_STORE"]))
        self.assertEqual(os.environ["ARVADOS_API_HOST"], cluster.HOST)
        self.assertIsNone(self.servers)


class Clusters(unittest.TestCase):
    def assert_soon_gone(self, folder):
        deadline = time.monotonic() + DEADLINE_SECONDS
        while os.path.exists(folder):
            self.assertLess(time.monotonic(), deadline, f"{folder} is not gone")
            time.sleep(0.01)

    def test_the_process_is_as_before_afterwards(self):
        before = dict(os.environ), dict(arvados.config.settings())
        with self.assertRaises(ZeroDivisionError):
            with arvados_test_cluster.TestServers() as servers, servers.applied():
                folder = servers.folder
                self.assertEqual(current_user(), ADMIN)
                1 / 0
        self.assertFalse(folder.exists())
        self.assertEqual((dict(os.environ), dict(arvados.config.settings())), before)

    def test_a_killed_process_leaves_nothing(self):
        script = (
            "import arvados_test_cluster as module, os, signal\n"
            "servers = module.TestServers()\n"
            "servers.start()\n"
            "print(servers.folder, flush=True)\n"
            "os.kill(os.getpid(), signal.SIGKILL)\n"
        )
        killed = subprocess.run([sys.executable, "-c", script], env=ENVIRONMENT, stdout=-1)
        self.assertTrue(killed.stdout)
        self.assert_soon_gone(killed.stdout.decode().rstrip())

    def test_a_mistake_is_told_with_what_was_probably_meant(self):
        servers = arvados_test_cluster.TestServers(settings={"kepstores": 1})
        with self.assertRaisesRegex(arvados_test_cluster.ClusterError, "mean keepstores"):
            servers.start()
        with self.assertRaisesRegex(TypeError, "keep has no option signing"):
            arvados_test_cluster.TestServers(keep={"signing": True})

    def test_pytest_has_fixtures(self):
        folder = cluster.temporary_folder(self)
        (folder / "conftest.py").write_text(CONFTEST)
        (folder / "test_it.py").write_text(PYTEST_TESTS)
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "test_it.py"],
            cwd=folder,
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
        )
        output = done.stdout.decode()
        self.assertEqual(done.returncode, 0, output + done.stderr.decode())
        self.assertIn("2 passed", output)
