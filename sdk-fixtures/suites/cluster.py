"""The running cluster, and ways to talk to it that leave nothing of the user's involved.

Importing this module gives the process a home and caches of its own, which are removed when it
ends: clients keep discovery documents and blocks on disk, and a cache filled by another cluster
on the same port would answer in place of this one.
"""

import contextlib
import importlib.metadata
import os
import pathlib
import socket
import subprocess
import sys
import sysconfig
import tempfile
import unittest

_home = tempfile.TemporaryDirectory(prefix="arvados-suite-")

# Settings that would lead the client to other servers or to other folders.
_STRAY_PREFIXES = ("ARVADOS_KEEP_", "KEEP_", "XDG_")
_STRAY_SUFFIXES = ("_proxy", "_PROXY", "_DIRECTORY")
for _name in list(os.environ):
    if _name.startswith(_STRAY_PREFIXES) or _name.endswith(_STRAY_SUFFIXES):
        del os.environ[_name]
# Who builds something has the tools for it in the user's home.
for _name, _folder in (("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")):
    os.environ.setdefault(_name, os.path.join(os.path.expanduser("~"), _folder))
os.environ["HOME"] = _home.name

import arvados  # noqa: E402  (reads its settings from the environment)
import arvados.keep  # noqa: E402

HOST = os.environ.get("ARVADOS_API_HOST", "")
CA_CERT = os.environ.get("ARVADOS_TEST_CA_CERT", "")

# Of the SDK: its major version.
RELEASE = int(importlib.metadata.version("arvados-python-client").split(".")[0])

# Tokens of the fixtures, by label.
ADMIN = "4axaw8zxe0qm22wa6urpp5nskcne8z88cvbupv653y1njyi05h"
# Of the admin: in 2015 tokens were managed by those of certain programs only.
TRUSTED = "1a9ffdcga2o7cw8q12dndskomgs1ygli3ns9k2o9hgzgmktc78"
ACTIVE = "3kg6k6lzmp9kj5cpkcoxie963cmvjahbt2fod9zru30k1jqdmi"
SPECTATOR = "zw2f4gwx8hw8cjre7yp6v1zylhrhn3m5gvjq73rtpwhmknrybu"
PROJECT_VIEWER = "projectviewertoken1234567890abcdefghijklmnopqrstuv"
EXPIRED = "2ym314ysp27sk7h943q6vtc378srb06se3pq6ghurylyf3pdmx"
UNKNOWN = "thistokenisnotknowntoanyclusteratall00000000000000"

COMMAND_TIMEOUT_SECONDS = 300

if not HOST:
    raise SystemExit("ARVADOS_API_HOST is not set: start a cluster and export its environment")


def proxy_url(tls):
    """The address of the cluster's keepproxy; skips the test when the cluster has none."""
    name = "ARVADOS_TEST_KEEPPROXY_SSL_URL" if tls else "ARVADOS_TEST_KEEPPROXY_URL"
    url = os.environ.get(name)
    if not url:
        raise unittest.SkipTest(f"{name} is not set")
    return url


def temporary_folder(test):
    """A folder that is removed after `test`."""
    folder = tempfile.TemporaryDirectory(dir=_home.name)
    test.addCleanup(folder.cleanup)
    return pathlib.Path(folder.name)


def api(test, token):
    """An API client that gives up at the first failure, closed after `test`."""
    # What a client of today does by itself, one of version 2 does when it is asked to.
    options = {"num_retries": 0} if RELEASE > 2 else {}
    client = arvados.api("v1", host=HOST, token=token, insecure=True, **options)
    test.addCleanup(close, client)
    return client


def close(client):
    """Ends the connections of an API client."""
    if RELEASE > 2:
        client.close_connections()
    else:
        for connection in client._http.connections.values():
            connection.close()


def keep(test, client, proxy=""):
    """A Keep client with an empty cache: what it gets comes from a server."""
    keep_client = arvados.keep.KeepClient(
        api_client=client, proxy=proxy, local_store="", num_retries=0
    )
    if RELEASE > 2:
        test.addCleanup(keep_client.stop_prefetch_threads)
    return keep_client


@contextlib.contextmanager
def refusing_port():
    """A port of ours that nobody listens on, and nobody else gets."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def delete_afterwards(test, client, uuid):
    """Deletes a collection after `test`, unless the test has done so."""

    def delete():
        try:
            client.collections().delete(uuid=uuid).execute()
        except arvados.errors.ApiError as error:
            if error.resp.status != 404:
                raise

    test.addCleanup(delete)


def run(test, program, *arguments, token=ACTIVE, home=None, input=b"", **variables):
    """Runs a command-line tool of the client with a cache of its own, unless it is given a `home`
    that has one; returns what it did."""
    return subprocess.run(
        command(program, *arguments),
        env=environment(home or temporary_folder(test), token, **variables),
        input=input,
        capture_output=True,
        timeout=COMMAND_TIMEOUT_SECONDS,
    )


def command(program, *arguments):
    """The command line of a tool of the client."""
    path = pathlib.Path(sysconfig.get_path("scripts"), program)
    return [sys.executable, path, *map(str, arguments)]


def environment(home, token, **variables):
    """The environment for a tool that keeps its cache in `home`."""
    return {
        **os.environ,
        "HOME": str(home),
        "ARVADOS_API_TOKEN": token,
        "ARVADOS_API_HOST_INSECURE": "true",
        **variables,
    }


def output_of(test, program, *arguments, **options):
    """The standard output of a command that must succeed, as text without its last newline."""
    done = run(test, program, *arguments, **options)
    test.assertEqual(done.returncode, 0, done.stderr.decode(errors="replace"))
    return done.stdout.decode().rstrip("\n")
