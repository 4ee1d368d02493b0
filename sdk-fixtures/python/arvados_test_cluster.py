"""Arvados test clusters for Python suites, as long as a `with` block, a class or a session lasts.

    with TestServers(keep=True) as servers, servers.applied():
        arvados.api("v1").users().current().execute()

`TestCaseWithServers` has the class attributes of the one in Arvados' own suites. For pytest there are
two fixtures: a conftest.py that imports `arvados_cluster` and `arvados_servers` has them.

Each cluster is one of its own, whatever cluster the suite itself runs on, and belongs to this
process: it goes down with it, also when that is killed. It is made by the checkout in which this
file lies, with cargo. Nothing but Python's standard library (3.8 or newer) is imported.
"""

import contextlib
import functools
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest
import uuid

_CHECKOUT = pathlib.Path(__file__).resolve().parents[2]

# What would lead to another cluster or repository, or make cargo build everything again.
_STRAY_PREFIXES = ("ARVADOS_", "KEEP_", "GIT_", "CARGO_PKG_", "CARGO_MANIFEST_", "NEXTEST")
_STRAY_NAMES = ("XTASK_STACK", "XTASK_MARKER", "CARGO_MAKEFLAGS", "CARGO_TARGET_TMPDIR")


class ClusterError(Exception):
    """There is no cluster, or it does not do what it was asked for; the message says why."""


def _clean_environment():
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_STRAY_PREFIXES) and name not in _STRAY_NAMES
    }


@functools.lru_cache(maxsize=None)
def _xtask():
    """The path of the command line's program, which cargo builds first if it has to."""
    # As the tests of the workspace have it: else it would be replaced while they run it.
    command = [os.environ.get("CARGO", "cargo"), "build", "--workspace", "--bin", "xtask"]
    command += ["--quiet", "--message-format", "json-render-diagnostics"]
    try:
        # What cargo has to say goes where our own messages go.
        done = subprocess.run(
            command,
            cwd=_CHECKOUT,
            env=_clean_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        )
    except OSError as error:
        raise ClusterError(f"cannot start {command[0]}, which builds the cluster: {error}") from None
    messages = map(json.loads, done.stdout.splitlines())
    programs = [message["executable"] for message in messages if message.get("executable")]
    if done.returncode or not programs:
        raise ClusterError(f"cargo could not build xtask in {_CHECKOUT}; it has said why")
    return programs[-1]


def _services(*arguments):
    """Runs a command of `cargo xtask services`, and returns what it prints."""
    command = [_xtask(), "services", *arguments]
    said = []
    with tempfile.TemporaryFile() as output:
        with subprocess.Popen(
            command,
            env=_clean_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.PIPE,
        ) as process:
            for line in process.stderr:
                said.append(line.decode(errors="replace"))
                if line.startswith(b"building "):  # takes a minute
                    sys.stderr.write(said[-1])
        if process.returncode:
            words = " ".join(arguments)
            raise ClusterError(
                f"`cargo xtask services {words}` ended with {process.returncode}:\n{''.join(said)}"
            )
        output.seek(0)
        return output.read().decode()


class TestServers:
    """A cluster from `start` to `stop`, or in a `with` block; an API server is always part of it.

    `keep` asks for keepstores, and may be a dictionary with `blob_signing_key` and
    `enforce_permissions`. `proxy` asks for a keepproxy, through which all clients go. Without these
    two, clients store blocks in a folder of their own. `git` serves the repositories, `tls` puts a
    TLS front before both. `profile` and `settings` are those of services.yml.
    """

    __test__ = False  # for pytest, which would take the name for that of a test

    def __init__(
        self, *, keep=False, proxy=False, git=False, tls=False, profile=None, settings=None
    ):
        settings = dict(settings or {})
        if isinstance(keep, dict):
            unknown = set(keep) - {"blob_signing_key", "enforce_permissions"}
            if unknown:
                raise TypeError(f"keep has no option {', '.join(sorted(unknown))}")
            settings.update({name: value for name, value in keep.items() if value})
            keep = True
        self._has_local_store = not keep and not proxy
        self._is_proxied = proxy
        kinds = [("keepstore", keep), ("keepproxy", proxy), ("arv-git-httpd", git), ("nginx", tls)]
        self._arguments = ["api", *(kind for kind, is_wanted in kinds if is_wanted)]
        if profile:
            self._arguments.append(f"--profile={profile}")
        # JSON is YAML too.
        self._arguments += [f"--set={name}={json.dumps(value)}" for name, value in settings.items()]
        self.stack = None
        self.env = {}
        self._unset = []
        self._initial = {}
        self._is_applied = False

    def start(self):
        """Starts it, and returns when all of it answers."""
        stack = f"test-{os.getpid()}-{uuid.uuid4().hex[:12]}"
        owner = str(os.getpid())
        arguments = ["--stack", stack, "--owner", owner, "--format", "json", *self._arguments]
        environment = json.loads(_services("up", *arguments))
        self.stack = stack
        self._unset = environment["unset"]
        self._initial = environment["set"]
        # Clients would believe what they have cached of another cluster on the same port.
        self._add_folder("XDG_CACHE_HOME", "client-cache")
        if self._has_local_store:
            self._add_folder("KEEP_LOCAL_STORE", "keep-local-store")
        if self._is_proxied:
            self._initial["ARVADOS_KEEP_PROXY"] = self._initial["ARVADOS_TEST_KEEPPROXY_URL"]
        self.env = dict(self._initial)

    def _add_folder(self, variable, name):
        # In the stack's own folder it goes with it, also when this process is killed.
        folder = self.folder / name
        folder.mkdir()
        self._initial[variable] = str(folder)

    def stop(self):
        """Takes it down; once more is as well."""
        if self.stack is not None:
            stack, self.stack = self.stack, None
            _services("down", "--stack", stack)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exception):
        self.stop()

    @property
    def folder(self):
        """The folder in which the stack is kept."""
        return pathlib.Path(self._initial["ARVADOS_TEST_CA_CERT"]).parents[1]

    def port(self, name):
        """The number of a port by its name: `api`, `keep0`, `keepproxy`, ...."""
        return int((self.folder / f"{name}.port").read_text())

    def logs(self):
        """What all services have logged, merged by time."""
        return _services("logs", "--stack", self.stack)

    def environ(self):
        """The environment for a client: ours, with this cluster in place of any other."""
        return {**_clean_environment(), **self.env}

    def authorize_with(self, label):
        """From now on clients have the token that the fixtures have under `label`."""
        self.env["ARVADOS_API_TOKEN"] = _services("token", label, "--stack", self.stack).rstrip()
        if self._is_applied:
            self._apply()

    def reset(self):
        """Puts the cluster, and what clients have of it, back to the state just after `start`."""
        _services("reset", "--stack", self.stack)
        for variable in ("KEEP_LOCAL_STORE", "XDG_CACHE_HOME"):
            if variable in self._initial:
                shutil.rmtree(self._initial[variable])
                os.mkdir(self._initial[variable])
        self.reset_environment()

    def reset_environment(self):
        """Puts only the environment back: clients are `admin` again."""
        self.env = dict(self._initial)
        if self._is_applied:
            self._apply()

    @contextlib.contextmanager
    def applied(self):
        """Within it this process, with the SDK if that is imported, is a client of the cluster."""
        with _restored():
            self._is_applied = True
            try:
                self._apply()
                yield self
            finally:
                self._is_applied = False

    def _apply(self):
        for name in list(os.environ):
            if name.startswith(("ARVADOS_", "KEEP_")) or name in self._unset:
                del os.environ[name]
        os.environ.update(self.env)
        _initialize_sdk()


def _sdk_config():
    """The settings module of the SDK, if that is imported."""
    return sys.modules.get("arvados.config")


def _initialize_sdk():
    if _sdk_config():
        # Without the user's file of settings, which may be for a production cluster.
        _sdk_config().initialize(config_file=os.devnull)


@contextlib.contextmanager
def _restored():
    """Puts the environment and the SDK's settings back afterwards."""
    environment = dict(os.environ)
    settings = dict(_sdk_config().settings()) if _sdk_config() else None
    try:
        yield
    finally:
        for name in set(os.environ) - set(environment):
            del os.environ[name]
        os.environ.update(environment)
        if settings is not None:
            _sdk_config().settings().clear()
            _sdk_config().settings().update(settings)
        elif _sdk_config():
            _sdk_config().initialize()


class TestCaseWithServers(unittest.TestCase):
    """Tests of a class on a cluster of their own, as in Arvados' own suites.

    A class says what it needs: MAIN_SERVER, KEEP_SERVER and KEEP_PROXY_SERVER are dictionaries,
    empty or with options; KEEP_SERVER's are `blob_signing_key` and `enforce_permissions`. With
    neither of the latter two, clients store blocks in a folder of their own.

    Each test begins with the environment of the cluster and its admin's token, and leaves nothing
    of what it sets there. What it does to the cluster stays, unless it calls `self.servers.reset()`.
    """

    MAIN_SERVER = None
    KEEP_SERVER = None
    KEEP_PROXY_SERVER = None

    servers = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name in ("MAIN_SERVER", "KEEP_PROXY_SERVER"):
            if getattr(cls, name):
                raise TypeError(f"{cls.__name__}.{name} has options, and there are none")
        wanted = [cls.MAIN_SERVER, cls.KEEP_SERVER, cls.KEEP_PROXY_SERVER]
        if all(options is None for options in wanted):
            cls._enter(_restored())
            for name in ("ARVADOS_KEEP_PROXY", "ARVADOS_EXTERNAL_CLIENT"):
                os.environ.pop(name, None)
            os.environ["KEEP_LOCAL_STORE"] = cls._enter(tempfile.TemporaryDirectory())
            _initialize_sdk()
            return
        keep = False if cls.KEEP_SERVER is None else dict(cls.KEEP_SERVER)
        proxy = cls.KEEP_PROXY_SERVER is not None
        cls.servers = cls._enter(TestServers(keep=keep, proxy=proxy))
        cls._enter(cls.servers.applied())

    @classmethod
    def _enter(cls, context):
        # Is left even if what comes after it fails.
        value = context.__enter__()
        cls.addClassCleanup(context.__exit__, None, None, None)
        return value

    def setUp(self):
        super().setUp()
        restored = _restored()
        restored.__enter__()
        self.addCleanup(restored.__exit__, None, None, None)
        if self.servers is not None:
            self.servers.reset_environment()

    @classmethod
    def authorize_with(cls, label):
        """The rest of this test is done by the user whose token the fixtures have under `label`."""
        cls.servers.authorize_with(label)


if "pytest" in sys.modules:
    import pytest

    @pytest.fixture(scope="session")
    def arvados_servers():
        """A cluster with keepstores for the whole session, whose client this process is."""
        with TestServers(keep=True) as servers, servers.applied():
            yield servers

    @pytest.fixture
    def arvados_cluster(arvados_servers):
        """The session's cluster, as the fixtures describe it whatever other tests have done."""
        arvados_servers.reset()
        return arvados_servers
