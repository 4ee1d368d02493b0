"""Collection objects that are changed: files, folders, attributes, and by two at once."""

import datetime
import os

import arvados
import arvados.collection
import arvados.errors

import cluster
from collection_case import CollectionCase


class Files(CollectionCase):
    def test_a_file_is_written_anywhere_and_read_from_anywhere(self):
        collection = self.collection()
        with collection.open("file", "wb+") as file:
            file.write(b"0123456789")
            file.seek(3)
            file.write(b"abc")
            file.seek(-2, os.SEEK_END)
            self.assertEqual(file.read(), b"89")
            self.assertEqual(file.tell(), 10)
            file.seek(0)
            self.assertEqual(file.read(5), b"012ab")
            file.truncate(7)
        uuid = self.save_new(collection)
        self.assert_stored(uuid, {"file": b"012abc6"})

    def test_a_file_is_appended_to_overwritten_and_truncated(self):
        uuid = self.saved({"a": b"12345", "b": b"12345", "c": b"12345"})
        collection = self.collection(uuid)
        with collection.open("a", "ab") as file:
            file.write(b"67")
        with collection.open("b", "rb+") as file:
            file.write(b"x")
        with collection.open("c", "wb") as file:
            self.assertEqual(file.size(), 0)
            file.writelines([b"n", b"e", b"w"])
        collection.save()
        self.assert_stored(uuid, {"a": b"1234567", "b": b"x2345", "c": b"new"})

    def test_a_file_is_made_longer_by_zeros(self):
        collection = self.write(self.collection(), {"a": b"12"})
        with collection.open("a", "rb+") as file:
            file.truncate(5)
            file.seek(7)
            file.write(b"3")
        self.assert_stored(self.save_new(collection), {"a": b"12\0\0\0\0\0" + b"3"})

    def test_lines_are_written_and_read_as_text(self):
        collection = self.collection()
        with collection.open("text", "w") as file:
            file.write("é\nsecond\n中文")
        reader = self.reader(self.save_new(collection))
        with reader.open("text", "r") as file:
            self.assertEqual(list(file), ["é\n", "second\n", "中文"])
        with reader.open("text", "rb") as file:
            self.assertEqual(b"".join(file.readall(size=4)), "é\nsecond\n中文".encode())

    def test_what_cannot_be_opened_so(self):
        uuid = self.saved({"folder/file": b"x"})
        reader = self.reader(uuid)
        for path, mode, error in [
            ("folder", "r", IsADirectoryError),
            ("folder/file/more", "r", NotADirectoryError),
            ("folder/file", "wb", OSError),
            ("folder/file", "x", arvados.errors.ArgumentError),
        ]:
            with self.subTest(path=path, mode=mode), self.assertRaises(error):
                reader.open(path, mode)


class Folders(CollectionCase):
    def test_files_and_folders_are_copied_renamed_and_removed(self):
        uuid = self.saved({"a": b"a", "from/b": b"b", "from/deep/c": b"c", "d": b"d"})
        collection = self.collection(uuid)
        collection.copy("a", "copy of a")
        collection.copy("from", "to/within")
        collection.rename("d", "from/d")
        collection.rename("from/deep", "deep")
        collection.remove("a")
        collection.save()
        self.assert_stored(uuid, {
            "copy of a": b"a", "deep/c": b"c", "from/b": b"b", "from/d": b"d",
            "to/within/b": b"b", "to/within/deep/c": b"c",
        })

    def test_a_folder_is_removed_with_what_is_in_it_if_that_is_said(self):
        uuid = self.saved({"folder/a": b"a", "b": b"b"})
        collection = self.collection(uuid)
        with self.assertRaises(OSError):
            collection.remove("folder")
        collection.remove("folder", recursive=True)
        collection.save()
        self.assert_stored(uuid, {"b": b"b"})

    def test_files_are_copied_from_another_collection(self):
        source = self.reader(self.saved({"a": b"a", "folder/b": b"b"}))
        uuid = self.saved({"c": b"c"})
        collection = self.collection(uuid)
        collection.copy("a", "taken", source_collection=source)
        collection.copy("folder", "", source_collection=source)
        collection.save()
        self.assert_stored(uuid, {"taken": b"a", "folder/b": b"b", "c": b"c"})

    def test_a_clone_is_another_collection(self):
        first = self.reader(self.saved({"a": b"a", "b/c": b"c"}))
        # It is made with the settings of the environment.
        config = {"ARVADOS_API_HOST": cluster.HOST, "ARVADOS_API_TOKEN": cluster.ACTIVE,
                  "ARVADOS_API_HOST_INSECURE": "true"}
        clone = first.clone(new_config=config)
        self.addCleanup(clone.stop_threads)
        self.assertIsNone(clone.manifest_locator())
        self.assertEqual(clone, first)
        clone.remove("a")
        uuid = self.save_new(clone)
        self.assertNotEqual(uuid, first.manifest_locator())
        self.assert_stored(uuid, {"b/c": b"c"})
        self.assertTrue(first.exists("a"))

    def test_nothing_is_written_by_a_reader(self):
        reader = self.reader(self.saved({"a": b"a"}))
        for change in [lambda: reader.remove("a"), lambda: reader.mkdirs("b"), lambda: reader.save()]:
            self.assertRaises(OSError, change)


class AtOnce(CollectionCase):
    """Two objects of one collection."""

    def setUp(self):
        super().setUp()
        self.uuid = self.saved({"a": b"a", "b": b"b", "both": b"0"})
        self.first, self.second = self.collection(self.uuid), self.collection(self.uuid)

    def test_changes_of_both_are_merged(self):
        self.write(self.first, {"c": b"c"}).remove("a")
        self.write(self.second, {"d": b"d"})
        self.first.save()
        self.second.save()
        self.assert_stored(self.uuid, {"b": b"b", "both": b"0", "c": b"c", "d": b"d"})

    def test_a_conflict_keeps_both(self):
        self.write(self.first, {"both": b"first"}).save()
        self.write(self.second, {"both": b"second"}).save()
        contents = self.contents(self.reader(self.uuid))
        [conflict] = [path for path in contents if path.startswith("both~")]
        self.assertEqual((contents["both"], contents[conflict]), (b"second", b"first"))

    def test_without_a_merge_the_last_one_counts(self):
        self.write(self.first, {"c": b"c"}).save()
        self.write(self.second, {"d": b"d"}).save(merge=False)
        self.assert_stored(self.uuid, {"a": b"a", "b": b"b", "both": b"0", "d": b"d"})

    def test_an_object_is_brought_up_to_date(self):
        self.write(self.first, {"c": b"c"}).save()
        self.assertFalse(self.second.exists("c"))
        self.second.update()
        self.assertEqual(self.contents(self.second)["c"], b"c")

    def test_what_was_deleted_meanwhile_cannot_be_saved(self):
        self.client.collections().delete(uuid=self.uuid).execute()
        with self.assertRaises(arvados.errors.ApiError) as caught:
            self.write(self.first, {"c": b"c"}).save()
        self.assertEqual(caught.exception.resp.status, 404)


class Attributes(CollectionCase):
    def setUp(self):
        super().setUp()
        if "containers" not in self.client._rootDesc["resources"]:
            self.skipTest("a collection of 2015 has fewer")

    def test_they_are_saved_with_it(self):
        trash_at = datetime.datetime(2045, 6, 7, 8, 9, 10)
        collection = self.write(self.collection(), {"a": b"a"})
        options = {"properties": {"key": "value"}, "storage_classes": ["default"], "trash_at": trash_at}
        uuid = self.save_new(collection, **options)
        reader = self.reader(uuid)
        self.assertEqual(reader.get_properties(), {"key": "value"})
        self.assertEqual(reader.get_trash_at().replace(tzinfo=None), trash_at)
        self.assertEqual(reader.api_response()["storage_classes_desired"], ["default"])

    def test_they_are_changed_without_its_content(self):
        uuid = self.saved({"a": b"a"})
        before = self.client.collections().get(uuid=uuid).execute()
        trash_at = datetime.datetime(2045, 6, 7, 8, 9, 10)
        self.collection(uuid).save(properties={"other": [1]}, trash_at=trash_at)
        after = self.client.collections().get(uuid=uuid).execute()
        self.assertEqual((after["properties"], after["trash_at"][:19]), ({"other": [1]}, "2045-06-07T08:09:10"))
        self.assertEqual(after["portable_data_hash"], before["portable_data_hash"])
