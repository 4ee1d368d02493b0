"""arv-copy, arv-keepdocker, arv-normalize and arv-ws, and what all commands have."""

import http.server
import json
import signal
import subprocess
import sys
import threading

import cluster
from command_case import CommandCase

PROGRAMS = ["arv-copy", "arv-get", "arv-keepdocker", "arv-ls", "arv-normalize", "arv-put", "arv-ws"]
APROJECT = "zzzzz-j7d0g-v955i6s2oi1cbso"


class All(CommandCase):
    def test_help_and_version_need_no_cluster(self):
        for program in PROGRAMS:
            with self.subTest(program=program):
                help = self.succeed(program, "--help", ARVADOS_API_HOST="").stdout
                self.assertIn(f"usage: {program}".encode(), help)
                version = self.succeed(program, "--version", ARVADOS_API_HOST="")
                self.assertRegex(version.stdout + version.stderr, rb"\d+\.\d+")

    def test_a_wrong_option_ends_with_2(self):
        for program in PROGRAMS:
            with self.subTest(program=program):
                self.fail_with(2, "usage", program, "--no-such-option")


class Arv(CommandCase):
    """The subcommands of arv that are the SDK's."""

    def arv(self, *arguments):
        command = [sys.executable, "-m", "arvados.commands.arvcli", *map(str, arguments)]
        environment = cluster.environment(self.folder, cluster.ACTIVE)
        done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return done.stdout

    def test_keep_lists_and_gets(self):
        uuid = self.put(self.write("file", b"foo"))
        self.assertEqual(self.arv("keep", "ls", uuid), b"./file\n")
        self.assertEqual(self.arv("keep", "get", f"{uuid}/file"), b"foo")
        self.assertIn(b"REPOSITORY", self.arv("keep", "docker"))


class Website(http.server.BaseHTTPRequestHandler):
    """Has one file at every address, which has to be asked for each time."""

    def do_HEAD(self):
        self.send_response(200)
        self.send_header("ETag", '"first"')
        self.send_header("Cache-Control", "max-age=0")
        self.send_header("Content-Length", "3")
        self.end_headers()

    def do_GET(self):
        self.server.downloads += 1
        self.do_HEAD()
        self.wfile.write(b"foo")

    def log_message(self, *_):
        pass


class Download(CommandCase):
    def test_what_is_at_an_address_is_stored_once(self):
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Website) as website:
            website.downloads = 0
            threading.Thread(target=website.serve_forever).start()
            url = f"http://127.0.0.1:{website.server_port}/a/two%20words?b=1"
            try:
                uuids = [self.download(url) for _ in range(2)]
            finally:
                website.shutdown()
        self.assertEqual((uuids[0], website.downloads), (uuids[1], 1))
        self.assertEqual(self.get(f"{uuids[0]}/two%20words"), b"foo")
        self.assertEqual(self.record(uuids[0])["properties"][url]["Etag"], '"first"')

    def download(self, url):
        """The uuid of the collection that it is stored in."""
        uuid = self.succeed("arv-copy", "--retries", 0, "--project-uuid", APROJECT, url).stdout.decode().strip()
        cluster.delete_afterwards(self, cluster.api(self, cluster.ACTIVE), uuid)
        return uuid


class Copy(CommandCase):
    """From the cluster to itself."""

    def setUp(self):
        super().setUp()
        # Where the source is, its users have in a file with the name of the cluster.
        settings = self.write(
            ".config/arvados/zzzzz.conf",
            f"ARVADOS_API_HOST={cluster.HOST}\nARVADOS_API_TOKEN={cluster.ACTIVE}\n"
            "ARVADOS_API_HOST_INSECURE=true\n".encode(),
        )
        settings.chmod(0o600)
        self.uuid = self.put("--filename", "two words", self.write("file", b"foo" * 1000))

    def copy(self, *arguments):
        settings = self.folder / ".config/arvados/zzzzz.conf"
        return ["arv-copy", "--retries", 0, "--no-progress", "--src", settings, *arguments]

    def test_a_collection_is_copied_to_a_project(self):
        done = self.succeed(*self.copy("--project-uuid", APROJECT, self.uuid), home=self.folder)
        copy = done.stdout.decode().strip()
        self.assertRegex(copy, r"\Azzzzz-4zz18-[0-9a-z]{15}\Z")
        self.assertNotEqual(copy, self.uuid)
        cluster.delete_afterwards(self, cluster.api(self, cluster.ACTIVE), copy)
        self.assertEqual(self.get(f"{copy}/two words"), b"foo" * 1000)
        first, second = self.record(self.uuid), self.record(copy)
        self.assertEqual(second["owner_uuid"], APROJECT)
        self.assertEqual(first["portable_data_hash"], second["portable_data_hash"])

    def test_what_is_not_there_is_not_copied(self):
        done = cluster.run(self, *self.copy("zzzzz-4zz18-000000000nobody"), home=self.folder)
        self.assertEqual((done.returncode, done.stdout), (1, b""), done.stderr)
        self.assertIn(b"404", done.stderr)

    def test_a_source_that_is_not_configured(self):
        done = cluster.run(self, "arv-copy", "--src", "other", self.uuid, home=self.folder)
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(done.stdout, b"")
        self.assertIn(b"other", done.stderr)


class Keepdocker(CommandCase):
    def test_images_are_listed(self):
        listed = self.succeed("arv-keepdocker").stdout.decode()
        self.assertRegex(listed, r"(?m)^REPOSITORY +TAG +IMAGE ID +COLLECTION")
        self.assertRegex(listed, r"(?m)^arvados/apitestfixture +latest +d8309758b8fe +zzzzz-4zz18-1v45jub259sjjgb")

    def test_a_token_that_is_not_known(self):
        done = cluster.run(self, "arv-keepdocker", "--retries", 0, token=cluster.UNKNOWN)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(b"Not logged in", done.stderr)


class Normalize(CommandCase):
    # The same file in two streams, with a signature.
    MANIFEST = (
        b"./b acbd18db4cc2f85cedef654fccc4a4d8+3+A1f27a35dd9af37191d63ad8eb8985624451e7b79@5835c8bc 0:3:y\n"
        b". acbd18db4cc2f85cedef654fccc4a4d8+3 0:2:x 2:1:x\n"
    )

    def test_streams_are_sorted_and_joined(self):
        printed = self.succeed("arv-normalize", "--strip", input=self.MANIFEST).stdout
        expected = b". acbd18db4cc2f85cedef654fccc4a4d8+3 0:3:x\n./b acbd18db4cc2f85cedef654fccc4a4d8+3 0:3:y\n"
        self.assertEqual(printed, expected)


class Events(CommandCase):
    def test_what_happens_to_a_collection_is_told_until_one_has_enough(self):
        # It asks for them where it is told of none.
        for how in [{}, {"ARVADOS_DISABLE_WEBSOCKETS": "true"}]:
            with self.subTest(how):
                uuid = self.put(self.write("foo", b"foo"))
                self.assertEqual(self.first_event(uuid, **how)["event_type"], "create")

    def first_event(self, uuid, **variables):
        """What arv-ws prints first of an object."""
        # The entry before the first one has the number 0, which stands for none.
        command = cluster.command("arv-ws", "--uuid", uuid, "--id", 2, "--poll-interval", 1)
        variables["PYTHONUNBUFFERED"] = "1"
        environment = cluster.environment(self.folder, cluster.ACTIVE, **variables)
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as process:
            try:
                # A websocket of today does not look for the object in a filter.
                events = map(json.loads, process.stdout)
                event = next(event for event in events if event["object_uuid"] == uuid)
            finally:
                process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(cluster.COMMAND_TIMEOUT_SECONDS), 0)
        return event
