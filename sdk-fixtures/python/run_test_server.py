#!/usr/bin/env python
"""In place of Arvados' script of this name, called as a program or imported as a module.

A symbolic link to this file at sdk/python/tests/run_test_server.py makes it that of a checkout of
Arvados. Elsewhere, as from PYTHONPATH, it has the fixtures and `tmp` of the checkout that it lies in.

Its functions do in this process what the actions of `cargo xtask run-test-server` do from a shell, and
set the same variables as those of Arvados. An action that fails is a subprocess.CalledProcessError,
once it has said why on standard error. This is for any Python from 2.7 on; the SDK is imported only by
what sets it up, and PyYAML only to read fixtures.
"""

import atexit
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest

# Python 2 gives the name of the compiled file, which is no link.
_FILE = os.path.splitext(os.path.abspath(__file__))[0] + ".py"
_CHECKOUT = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(_FILE)), "../.."))

MY_DIRNAME = os.path.dirname(_FILE)
_SURROUNDINGS = os.path.realpath(os.path.join(MY_DIRNAME, "../../.."))
_IS_IN_ARVADOS = os.path.isdir(os.path.join(_SURROUNDINGS, "services/api"))
ARVADOS_DIR = _SURROUNDINGS if _IS_IN_ARVADOS else _CHECKOUT
SERVICES_SRC_DIR = os.path.join(ARVADOS_DIR, "services")
TEST_TMPDIR = os.path.join(ARVADOS_DIR, "tmp")
if not os.path.isdir(TEST_TMPDIR):
    os.makedirs(TEST_TMPDIR)  # for suites that have files of their own in it
_FIXTURES = os.path.join(SERVICES_SRC_DIR, "api/test/fixtures")
if not os.path.isdir(_FIXTURES):
    _FIXTURES = os.path.join(_CHECKOUT, "sdk-fixtures/fixtures")

# The SDK has been for Python 3 since 2018, and what it speaks by now a server of 2015 does not know. From
# a shell the era is that of the action.
_ERA = "current" if sys.version_info >= (3,) else "2015"

# Of the API server that run() has started.
my_api_host = None


def _command(arguments):
    command = [os.environ.get("CARGO", "cargo"), "run", "--quiet", "--package", "xtask", "--bin", "xtask"]
    command += ["--manifest-path", os.path.join(_CHECKOUT, "Cargo.toml"), "--", "run-test-server"]
    if _IS_IN_ARVADOS:
        command += ["--arvados-src", ARVADOS_DIR]
    return command + list(arguments)


def _environment():
    # What cargo sets for the tests that it runs would make it build everything again.
    stray = ("CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_MAKEFLAGS", "CARGO_TARGET_TMPDIR")
    return {name: value for name, value in os.environ.items() if not name.startswith(stray)}


def _do(*arguments, **variables):
    """Does an action, and returns what it prints."""
    with open(os.devnull) as nothing:
        environment = dict(_environment(), **variables)
        command = _command(("--era", _ERA) + arguments)
        printed = subprocess.check_output(command, env=environment, stdin=nothing)
    return str(printed.decode().strip())


def find_available_port():
    """A port that was free a moment ago."""
    found = socket.socket()
    try:
        found.bind(("0.0.0.0", 0))
        return found.getsockname()[1]
    finally:
        found.close()


def run(leave_running_atexit=False):
    """Has an API server in the state of its fixtures, of which this process is an admin's client.

    It is that of ARVADOS_TEST_API_HOST, or the one that an earlier call has started, or a new one,
    which ends with this process unless `leave_running_atexit`.
    """
    global my_api_host
    if my_api_host is not None and "ARVADOS_TEST_API_HOST" not in os.environ:
        try:
            return reset()
        except subprocess.CalledProcessError:
            pass  # It has ended, and another one takes its place.
    host = _do("start")
    if "ARVADOS_TEST_API_HOST" not in os.environ:
        if my_api_host is None and not leave_running_atexit:
            atexit.register(stop)
        my_api_host = host
    _be_admin_of(host)


def reset():
    """Puts the API server back to its fixtures, and the environment to its admin."""
    host = os.environ.get("ARVADOS_TEST_API_HOST", my_api_host)
    if host is None:
        raise ValueError("there is no API server to reset: call run() before reset()")
    _do("database_reset", ARVADOS_API_HOST=host)
    _be_admin_of(host)


def _be_admin_of(host):
    os.environ["ARVADOS_API_HOST"] = host
    os.environ["ARVADOS_API_HOST_INSECURE"] = "true"
    os.environ["ARVADOS_API_TOKEN"] = auth_token("admin")


def stop(force=False):
    """Stops the API server that run() has started, or with `force` whoever has."""
    global my_api_host
    if force or my_api_host is not None:
        _do("stop")
        my_api_host = None


def run_keep(blob_signing_key=None, enforce_permissions=False, num_servers=2, blob_signing=False):
    """Starts keepstores, which with a key, or one of the two other options, sign locators."""
    options = ["--num-keep-servers", str(num_servers)]
    if blob_signing_key:
        # JSON is YAML too.
        options += ["--set", "blob_signing_key=" + json.dumps(blob_signing_key)]
    if blob_signing_key or blob_signing:
        options.append("--keep-blob-signing")
    if enforce_permissions:
        options.append("--keep-enforce-permissions")
    _do("start_keep", *options)


def stop_keep(num_servers=2):
    """Stops all keepstores, however many `num_servers` says they are."""
    _do("stop_keep")


def run_keep_proxy():
    """Starts keepproxy, through which this process is a client from now on."""
    if "ARVADOS_TEST_PROXY_SERVICES" in os.environ:
        return
    _do("start_keep_proxy")
    os.environ["ARVADOS_KEEP_PROXY"] = "http://localhost:{}".format(_getport("keepproxy"))


def stop_keep_proxy():
    _do("stop_keep_proxy")


def run_arv_git_httpd():
    _do("start_arv-git-httpd")


def stop_arv_git_httpd():
    _do("stop_arv-git-httpd")


def run_nginx():
    _do("start_nginx")


def stop_nginx():
    _do("stop_nginx")


def _pidfile(program):
    return os.path.join(TEST_TMPDIR, program + ".pid")


def _portfile(program):
    return os.path.join(TEST_TMPDIR, program + ".port")


def _getport(program):
    """The number of a port; 9, where nobody listens, if the program is not up."""
    try:
        with open(_portfile(program)) as file:
            return int(file.read())
    except IOError:
        return 9


def fixture(fix):
    """The records of a fixture file by their labels."""
    import yaml

    with open(os.path.join(_FIXTURES, fix + ".yml")) as file:
        # Ruby that is no YAML comes after this comment.
        text = file.read().split("# Test Helper trims the rest of the file")[0]
    return yaml.load(text, Loader=yaml.SafeLoader)


def auth_token(token_name):
    """The token that the fixtures have under that label."""
    return fixture("api_client_authorizations")[token_name]["api_token"]


def authorize_with(token_name):
    """From now on the SDK has the token that the fixtures have under that label."""
    import arvados.config

    settings = arvados.config.settings()
    settings["ARVADOS_API_TOKEN"] = auth_token(token_name)
    settings["ARVADOS_API_HOST"] = os.environ.get("ARVADOS_API_HOST")
    settings["ARVADOS_API_HOST_INSECURE"] = "true"


class TestCaseWithServers(unittest.TestCase):
    """Tests of a class with servers, which end with it; the API server goes on, and is reset.

    MAIN_SERVER, KEEP_SERVER and KEEP_PROXY_SERVER are dictionaries of arguments for `run`, `run_keep`
    and `run_keep_proxy`, or None for what is not needed. With neither of the latter two, clients store
    blocks in a folder of their own, KEEP_LOCAL_STORE.
    """

    MAIN_SERVER = None
    KEEP_SERVER = None
    KEEP_PROXY_SERVER = None

    @staticmethod
    def _restore_dict(src, dest):
        for key in list(dest):
            if key not in src:
                del dest[key]
        dest.update(src)

    @classmethod
    def setUpClass(cls):
        import arvados.config

        cls._orig_environ = os.environ.copy()
        cls._orig_config = arvados.config.settings().copy()
        cls._cleanup_funcs = []
        for name in ("ARVADOS_KEEP_PROXY", "ARVADOS_EXTERNAL_CLIENT"):
            os.environ.pop(name, None)
        try:
            cls._start_servers()
        except Exception:
            # unittest does not call tearDownClass then.
            cls.tearDownClass()
            raise
        arvados.config.initialize()

    @classmethod
    def _start_servers(cls):
        for arguments, start, end in (
            (cls.MAIN_SERVER, run, reset),
            (cls.KEEP_SERVER, run_keep, stop_keep),
            (cls.KEEP_PROXY_SERVER, run_keep_proxy, stop_keep_proxy),
        ):
            if arguments is not None:
                start(**arguments)
                cls._cleanup_funcs.append(end)
        if cls.KEEP_SERVER is None and cls.KEEP_PROXY_SERVER is None:
            cls.local_store = tempfile.mkdtemp()
            os.environ["KEEP_LOCAL_STORE"] = cls.local_store
            cls._cleanup_funcs.append(lambda: shutil.rmtree(cls.local_store, ignore_errors=True))
        else:
            os.environ.pop("KEEP_LOCAL_STORE", None)

    @classmethod
    def tearDownClass(cls):
        import arvados.config

        for clean_func in cls._cleanup_funcs:
            clean_func()
        cls._restore_dict(cls._orig_environ, os.environ)
        cls._restore_dict(cls._orig_config, arvados.config.settings())


if __name__ == "__main__":
    command = _command(sys.argv[1:])
    os.execvpe(command[0], command, _environment())
