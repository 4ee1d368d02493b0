"""curl, as documentation shows it: the API, keepstores and keepproxy by hand."""

import hashlib
import json
import os
import shutil
import subprocess
import unittest

import cluster
from command_case import CommandCase


@unittest.skipUnless(shutil.which("curl"), "curl is not installed")
@unittest.skipUnless(cluster.CA_CERT, "ARVADOS_TEST_CA_CERT is not set")
class Curl(CommandCase):
    def curl(self, *arguments, token=cluster.ACTIVE, input=b""):
        """What curl, which must succeed, prints; it trusts the cluster's authority and no other."""
        done = subprocess.run(self.command(token, arguments), input=input, capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return done.stdout

    def command(self, token, arguments):
        options = ["--disable", "--silent", "--show-error", "--fail", "--cacert", cluster.CA_CERT]
        return ["curl", *options, "--header", f"Authorization: Bearer {token}", *map(str, arguments)]

    def status(self, *arguments, token=cluster.ACTIVE):
        """The status of a request that curl takes for a failure."""
        command = [*self.command(token, arguments), "--output", os.devnull, "--write-out", "%{http_code}"]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 22, done.stderr.decode())
        return done.stdout

    def test_a_collection_is_made_found_and_deleted(self):
        api = f"https://{cluster.HOST}/arvados/v1/collections"
        attributes = json.dumps({"name": f"made by {self.id()}"})
        made = json.loads(self.curl(api, "--data-urlencode", f"collection={attributes}"))
        found = json.loads(self.curl("--get", api, "--data-urlencode", f'filters=[["uuid","=","{made["uuid"]}"]]'))
        self.assertEqual([one["name"] for one in found["items"]], [f"made by {self.id()}"])
        self.curl("--request", "DELETE", f"{api}/{made['uuid']}")
        self.assertEqual(self.status(f"{api}/{made['uuid']}"), b"404")

    def test_a_query_may_have_its_quotes_as_they_are(self):
        url = f'https://{cluster.HOST}/arvados/v1/collections?filters=[["name",">=","<`>"]]&count=none&limit=1'
        both = self.curl("--http1.1", "--globoff", url, url, "--write-out", " %{num_connects}\n").decode()
        for line, connects in zip(both.splitlines(), ["1", "0"], strict=True):
            answer, number = line.rsplit(" ", 1)
            self.assertEqual(json.loads(answer)["kind"], "arvados#collectionList")
            self.assertEqual(number, connects)

    def test_a_query_with_bare_quotes_is_not_taken_everywhere(self):
        url = f'https://{cluster.HOST}/arvados/v1/users/current?select=["uuid"]'
        behind = self.command(cluster.ACTIVE, ["--http1.1", "--globoff", "--data", "_method=GET", url.split("?")[0]])
        behind += ["--next", *self.command(cluster.ACTIVE, ["--http1.1", "--globoff", url])[1:], "--write-out", "%{http_code}"]
        done = subprocess.run(behind, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        self.assertEqual((done.returncode, done.stdout[-3:]), (22, b"400"), done.stderr.decode())
        done = subprocess.run(self.command(cluster.ACTIVE, ["--http2", "--globoff", url]),
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 92, done.stderr.decode())

    def test_a_query_may_be_long(self):
        filters = json.dumps([["uuid", "in", [f"zzzzz-4zz18-{number:015}" for number in range(1500)]]])
        api = f"https://{cluster.HOST}/arvados/v1/collections"
        for version in ["--http1.1", "--http2"]:
            with self.subTest(version):
                found = self.curl(version, "--globoff", f"{api}?filters={filters.replace(' ', '')}".replace('"', "%22"))
                self.assertEqual(json.loads(found)["kind"], "arvados#collectionList", found)

    def test_a_wrong_token_is_refused(self):
        url = f"https://{cluster.HOST}/arvados/v1/users/current"
        self.assertEqual(self.status(url, token=cluster.UNKNOWN), b"401")

    def test_a_block_goes_through_the_proxy_and_comes_back(self):
        for tls in [False, True]:
            with self.subTest(tls=tls):
                # Large enough for curl to ask whether it may send it.
                data = os.urandom(2_000_000)
                url = f"{cluster.proxy_url(tls)}/{hashlib.md5(data).hexdigest()}"
                locator = self.curl("--upload-file", "-", "--header", f"Content-Length: {len(data)}",
                                    "--header", "Transfer-Encoding:", url, input=data).decode().strip()
                self.assertRegex(locator, r"^[0-9a-f]{32}\+2000000\+A[0-9a-f]{40}@[0-9a-f]{8}$")
                self.assertEqual(self.curl(f"{cluster.proxy_url(tls)}/{locator}"), data)

    def test_an_authority_that_is_not_the_clusters_is_not_trusted(self):
        command = ["curl", "--disable", "--silent", f"https://{cluster.HOST}/arvados/v1/config"]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        self.assertEqual((done.returncode, done.stdout), (60, b""))
