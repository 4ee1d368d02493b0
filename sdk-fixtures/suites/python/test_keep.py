"""Blocks and collections through the official client: direct, and through keepproxy."""

import hashlib
import os
import unittest

import arvados
import arvados.collection

import cluster

NAMES = ["plain.txt", "two words.txt", "deep/er/é.txt", "empty"]


class Direct(unittest.TestCase):
    """To the keepstores that the API server names."""

    def proxy(self):
        return ""

    def clients(self, token):
        client = cluster.api(self, token)
        return client, cluster.keep(self, client, self.proxy())

    def put(self, token, data):
        client, keep = self.clients(token)
        # A cluster of one keepstore makes one copy.
        return keep.put(data, copies=client._rootDesc["defaultCollectionReplication"])

    def test_blocks_come_back_as_they_were_put(self):
        for token in [cluster.ADMIN, cluster.ACTIVE]:
            for size in [0, 1, 3 << 20]:
                with self.subTest(token=token, size=size):
                    data = os.urandom(size)
                    locator = self.put(token, data)
                    expected = f"{hashlib.md5(data).hexdigest()}+{size}"
                    self.assertEqual(arvados.keep.KeepLocator(locator).stripped(), expected)
                    self.assertEqual(self.clients(token)[1].get(locator), data)

    def test_the_largest_block(self):
        data = os.urandom(1 << 20) * 64
        locator = self.put(cluster.ACTIVE, data)
        self.assertTrue(self.clients(cluster.ACTIVE)[1].get(locator) == data)

    def test_a_head_request_tells_without_sending(self):
        _, keep = self.clients(cluster.ACTIVE)
        self.assertTrue(keep.head(self.put(cluster.ACTIVE, os.urandom(100))))

    def test_a_block_that_nobody_has_is_not_found(self):
        client, keep = self.clients(cluster.ADMIN)
        manifest = f". {'0' * 31}1+3 0:3:nothing\n"
        made = client.collections().create(body={"collection": {"manifest_text": manifest}})
        uuid = made.execute()["uuid"]
        cluster.delete_afterwards(self, client, uuid)
        signed = client.collections().get(uuid=uuid).execute()["manifest_text"].split(" ")[1]
        with self.assertRaises(arvados.errors.NotFoundError):
            keep.get(signed)

    def test_a_wrong_token_is_refused(self):
        for token in [cluster.UNKNOWN, cluster.EXPIRED]:
            with self.subTest(token=token), self.assertRaises(arvados.errors.KeepWriteError):
                self.put(token, b"foo")

    def collection(self, clients, locator=None):
        client, keep = clients
        collection = arvados.collection.Collection(
            locator, api_client=client, keep_client=keep, num_retries=0
        )
        self.addCleanup(collection.stop_threads)
        return collection

    def saved(self, token, contents):
        clients = self.clients(token)
        collection = self.collection(clients)
        for name, content in contents.items():
            with collection.open(name, "wb") as file:
                file.write(content)
        collection.save_new(name=f"made by {self.id()}", ensure_unique_name=True)
        cluster.delete_afterwards(self, clients[0], collection.manifest_locator())
        return collection

    def assert_holds(self, token, locator, contents):
        """Reads with clients that have seen nothing yet."""
        reader = self.collection(self.clients(token), locator)
        for name, content in contents.items():
            with reader.open(name, "rb") as file:
                self.assertEqual(file.read(), content, name)

    def test_a_collection_is_written_saved_and_read(self):
        contents = {name: os.urandom(1000) for name in NAMES}
        contents["empty"] = b""
        for token in [cluster.ADMIN, cluster.ACTIVE]:
            with self.subTest(token=token):
                saved = self.saved(token, contents)
                self.assert_holds(token, saved.manifest_locator(), contents)
                self.assert_holds(token, saved.portable_data_hash(), contents)

    def test_a_collection_is_changed_and_saved_again(self):
        contents = {"a": b"aaa", "b": b"bbb", "c": b"ccc"}
        uuid = self.saved(cluster.ACTIVE, contents).manifest_locator()
        collection = self.collection(self.clients(cluster.ACTIVE), uuid)
        with collection.open("a", "ab") as file:
            file.write(b" and more")
        collection.mkdirs("moved")
        collection.rename("b", "moved/b")
        collection.copy("c", "copy of c")
        collection.remove("c")
        collection.save(num_retries=0)
        expected = {"a": b"aaa and more", "moved/b": b"bbb", "copy of c": b"ccc"}
        self.assert_holds(cluster.ACTIVE, uuid, expected)
        names = sorted(self.collection(self.clients(cluster.ACTIVE), uuid))
        self.assertEqual(names, ["a", "copy of c", "moved"])

    def test_a_range_within_a_file_is_read(self):
        content = os.urandom(5000)
        uuid = self.saved(cluster.ACTIVE, {"file": content}).manifest_locator()
        with self.collection(self.clients(cluster.ACTIVE), uuid).open("file", "rb") as file:
            file.seek(1234)
            self.assertEqual(file.read(2000), content[1234:3234])


class ThroughProxy(Direct):
    """Through keepproxy."""

    def proxy(self):
        return cluster.proxy_url(tls=False)


class ThroughTlsProxy(Direct):
    """Through the TLS front and keepproxy."""

    def proxy(self):
        return cluster.proxy_url(tls=True)
