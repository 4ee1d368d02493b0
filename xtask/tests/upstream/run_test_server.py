"""Does with a cluster that a parent has started what Arvados' script of 2015 does with one."""

import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.request

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../.."))
API = os.path.join(ROOT, "services/api")
TMP = os.path.join(ROOT, "tmp")
HOST = os.environ["ARVADOS_TEST_API_HOST"]


def find_server():
    """The server that the parent has started: one without a live process is none."""
    with open(os.path.join(API, "tmp/pids/test-server.pid")) as file:
        pid = int(file.read())
    os.kill(pid, 0)
    return pid


def request(path, token, method="GET"):
    """To the API server, whose certificate has to be the one in its folder."""
    trust = ssl.create_default_context(cafile=os.path.join(API, "tmp/self-signed.pem"))
    made = urllib.request.Request(
        "https://%s%s" % (HOST, path), method=method, headers={"Authorization": "OAuth2 " + token}
    )
    with urllib.request.urlopen(made, context=trust, timeout=30) as reply:
        return reply.read()


def start_keepstore():
    """Its process, port and volume, once it listens."""
    volume = tempfile.mkdtemp()
    with socket.socket() as found:
        found.bind(("0.0.0.0", 0))
        port = found.getsockname()[1]
    pid_file = os.path.join(TMP, "keep0.pid")
    command = ["keepstore", "-volume=" + volume, "-listen=:%d" % port, "-pid=" + pid_file]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    while process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return process, port, volume
        except ConnectionRefusedError:
            time.sleep(0.01)
    raise Exception("keepstore has ended")


def stop_keepstore(process, volume):
    process.send_signal(signal.SIGTERM)
    process.wait()
    shutil.rmtree(volume)
