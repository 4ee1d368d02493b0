"""Collection objects: what is stored, read again, compared and told."""

import concurrent.futures
import os
import unittest

import arvados
import arvados.collection
import arvados.errors

import cluster
from collection_case import CollectionCase

BLOCK = 1 << 26
FILES = 1000


class Stored(CollectionCase):
    def test_a_thousand_files_in_nested_folders(self):
        contents = {f"{n % 10}/{n % 7} é/file {n}": b"%d" % n for n in range(FILES)}
        uuid = self.saved(contents)
        self.assert_stored(uuid, contents)
        record = self.client.collections().get(uuid=uuid).execute()
        self.assertEqual(record["manifest_text"].count("\n"), 70)
        self.assertEqual(record.get("file_count", FILES), FILES)

    def test_by_uuid_and_by_portable_data_hash(self):
        contents = {"a": b"foo", "b/c": b""}
        collection = self.write(self.collection(), contents)
        expected = collection.portable_data_hash()
        uuid = self.save_new(collection)
        for locator in [uuid, collection.portable_data_hash(), collection.manifest_text()]:
            with self.subTest(locator=locator):
                reader = self.reader(locator)
                self.assertEqual(reader.portable_data_hash(), expected)
                self.assertEqual(self.contents(reader), contents)
        self.assertFalse(self.reader(uuid).writable())

    def test_a_large_file_is_of_several_blocks(self):
        piece = os.urandom(1 << 20)
        collection = self.collection()
        with collection.open("large", "wb") as file:
            for _ in range(65):
                file.write(piece)
        uuid = self.save_new(collection)
        with self.reader(uuid).open("large", "rb") as file:
            self.assertEqual(len(file.arvadosfile.segments()), 2)
            self.assertEqual(file.size(), 65 * len(piece))
            file.seek(BLOCK - 5)
            self.assertEqual(file.read(10), piece[-5:] + piece[:5])

    def test_small_files_share_a_block(self):
        collection = self.collection()
        for n in range(1, 50):
            file = collection.open(f"{n}", "wb")
            file.write(b"x" * n)
            file.close(flush=False)
        manifest = self.reader(self.save_new(collection)).stripped_manifest()
        self.assertRegex(manifest, r"\A\. [0-9a-f]{32}\+1225 0:1:1 ")

    def test_an_empty_collection_and_an_empty_folder(self):
        self.assert_stored(self.saved({}), {})
        collection = self.collection()
        collection.mkdirs("folder/within")
        uuid = self.save_new(collection)
        self.assertEqual(list(self.reader(uuid)["folder"]), ["within"])
        self.assertEqual(len(self.reader(uuid).find("folder/within")), 0)

    def test_it_comes_with_its_attributes(self):
        collection = self.write(self.collection(), {"a": b"a"})
        self.save_new(collection)
        made = collection.api_response()
        self.assertEqual((made["name"], made["replication_desired"]), (f"made by {self.id()}", self.replicas))
        self.assertEqual(made["owner_uuid"], self.client.users().current().execute()["uuid"])
        self.assertEqual(self.reader(made["uuid"]).api_response()["uuid"], made["uuid"])

    def test_a_name_that_is_taken_is_refused_or_made_unique(self):
        first = self.write(self.collection(), {"a": b"a"})
        self.save_new(first)
        with self.assertRaises(arvados.errors.ApiError) as caught:
            self.write(self.collection(), {"a": b"b"}).save_new(f"made by {self.id()}")
        self.assertEqual(caught.exception.resp.status, 422)
        second = self.write(self.collection(), {"a": b"b"})
        self.save_new(second)
        self.assertNotEqual(first.api_response()["name"], second.api_response()["name"])

    def test_what_is_not_there(self):
        with self.assertRaises(arvados.errors.ApiError) as caught:
            self.reader("zzzzz-4zz18-000000000nobody")
        self.assertEqual(caught.exception.resp.status, 404)
        with self.assertRaises(FileNotFoundError):
            self.reader(self.saved({"a": b"a"})).open("b")

    def test_threads_write_files_of_one_collection(self):
        collection = self.collection()
        contents = {f"{n % 4}/{n}": os.urandom(10_000) for n in range(64)}
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda one: self.write(collection, dict([one])), contents.items()))
        self.assert_stored(self.save_new(collection), contents)

    def test_threads_read_one_collection(self):
        contents = {f"{n}": os.urandom(10_000) for n in range(16)}
        reader = self.reader(self.saved(contents))

        def read(path):
            with reader.open(path, "rb") as file:
                return path, file.read()

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            self.assertEqual(dict(pool.map(read, contents)), contents)


class Compared(CollectionCase):
    def test_what_differs_is_told_and_applied(self):
        before = self.reader(self.saved({"same": b"1", "gone": b"2", "other": b"3", "folder/deep": b"4"}))
        after = {"same": b"1", "other": b"changed", "folder/deep": b"4", "folder/new": b"5"}
        after = self.reader(self.saved(after))
        changes = before.diff(after)
        kinds = {(change[0], change[1]) for change in changes if change[0] != arvados.collection.TOK}
        self.assertEqual(kinds, {("del", "./gone"), ("mod", "./other"), ("add", "./folder/new")})
        mine = self.collection(before.manifest_text())
        mine.apply(changes)
        self.assertEqual(mine.portable_data_hash(), after.portable_data_hash())
        self.assertEqual(mine, after)
        self.assert_stored(self.save_new(mine), self.contents(after))

    def test_changes_are_told_as_they_are_made(self):
        told = []
        collection = self.collection()
        collection.subscribe(lambda event, folder, name, item: told.append((event, folder.stream_name(), name)))
        self.write(collection, {"a/b": b"x"})
        collection.rename("a/b", "c")
        collection.remove("c")
        for change in [("add", ".", "a"), ("add", "./a", "b"), ("del", "./a", "b"), ("add", ".", "c"), ("del", ".", "c")]:
            self.assertIn(change, told)
        collection.unsubscribe()
        count = len(told)
        collection.mkdirs("silent")
        self.assertEqual(len(told), count)
