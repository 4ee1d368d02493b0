"""The command-line tools arv-put, arv-get and arv-ls: direct, and through keepproxy."""

import filecmp
import os
import random
import unittest

import cluster

LARGE_FILE_BYTES = 200_000_000
FILES_IN_FOLDER = 500


def write_random(path, size, seed):
    """Fills a file with bytes that no compression or deduplication makes smaller."""
    generator = random.Random(seed)
    with open(path, "wb") as file:
        while size > 0:
            size -= file.write(generator.randbytes(min(size, 1 << 20)))


class RoundTrip:
    """Puts files and gets them back, by the route that a test case chooses."""

    def route(self):
        """What the environment says about where to send blocks."""
        return {}

    def output_of(self, program, *arguments, token=cluster.ACTIVE):
        return cluster.output_of(self, program, *arguments, token=token, **self.route())

    def put(self, path, token=cluster.ACTIVE):
        uuid = self.output_of("arv-put", "--no-progress", "--retries", 0, path, token=token)
        self.assertRegex(uuid, r"^zzzzz-4zz18-[0-9a-z]{15}$")
        cluster.delete_afterwards(self, cluster.api(self, token), uuid)
        return uuid

    def assert_file_comes_back(self, size, token):
        folder = cluster.temporary_folder(self)
        write_random(folder / "there", size, seed=size)
        uuid = self.put(folder / "there", token)
        self.output_of("arv-get", "--retries", 0, f"{uuid}/there", folder / "back", token=token)
        self.assertTrue(filecmp.cmp(folder / "there", folder / "back", shallow=False))
        self.assertEqual(self.output_of("arv-ls", uuid, token=token), "./there")


class Direct(RoundTrip, unittest.TestCase):
    """To the keepstores that the API server names."""

    def test_a_large_file_comes_back_byte_for_byte(self):
        self.assert_file_comes_back(LARGE_FILE_BYTES, cluster.ACTIVE)

    def test_a_small_file_of_an_administrator(self):
        self.assert_file_comes_back(1000, cluster.ADMIN)

    def test_an_empty_file(self):
        self.assert_file_comes_back(0, cluster.ACTIVE)

    def test_a_folder_with_many_files(self):
        folder = cluster.temporary_folder(self)
        names = [f"{number % 7}/two words {number}.txt" for number in range(FILES_IN_FOLDER)]
        for number, name in enumerate(names):
            path = folder / "there" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            write_random(path, number, seed=number)
        uuid = self.put(f"{folder / 'there'}{os.sep}")
        (folder / "back").mkdir()
        self.output_of("arv-get", "--retries", 0, f"{uuid}/", f"{folder / 'back'}{os.sep}")
        same, different, missing = filecmp.cmpfiles(
            folder / "there", folder / "back", names, shallow=False
        )
        self.assertEqual((len(same), different, missing), (FILES_IN_FOLDER, [], []))
        listed = self.output_of("arv-ls", uuid).split("\n")
        self.assertEqual(sorted(listed), sorted(f"./{name}" for name in names))

    def test_a_wrong_token_is_refused_with_a_message(self):
        folder = cluster.temporary_folder(self)
        write_random(folder / "there", 1000, seed=0)
        done = cluster.run(
            self, "arv-put", "--retries", 0, folder / "there", token=cluster.UNKNOWN, **self.route()
        )
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(done.stdout, b"")
        self.assertNotEqual(done.stderr, b"")

    def test_a_collection_that_is_not_there(self):
        for program in ["arv-ls", "arv-get"]:
            with self.subTest(program=program):
                locator = "zzzzz-4zz18-000000000nobody/file"
                done = cluster.run(self, program, "--retries", 0, locator, **self.route())
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(b"404", done.stderr)


class ThroughProxy(Direct):
    """Through keepproxy."""

    def route(self):
        return {"ARVADOS_KEEP_SERVICES": cluster.proxy_url(tls=False)}


class ThroughTlsProxy(Direct):
    """Through the TLS front and keepproxy."""

    def route(self):
        return {"ARVADOS_KEEP_SERVICES": cluster.proxy_url(tls=True)}


class Verified(RoundTrip, unittest.TestCase):
    """Through the TLS front, by a client that trusts the cluster's certificate and no other."""

    def route(self):
        if not cluster.CA_CERT:
            raise unittest.SkipTest("ARVADOS_TEST_CA_CERT is not set")
        return {
            "ARVADOS_API_HOST_INSECURE": "",
            "ARVADOS_KEEP_SERVICES": cluster.proxy_url(tls=True),
            "SSL_CERT_FILE": cluster.CA_CERT,
        }

    def test_a_file(self):
        self.assert_file_comes_back(5_000_000, cluster.ACTIVE)
