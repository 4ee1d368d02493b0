"""arv-get and arv-ls: what they give, where to, and what they refuse."""

import cluster
from command_case import CommandCase

MD5_OF_FOO = "acbd18db4cc2f85cedef654fccc4a4d8"


class Stored(CommandCase):
    """Each test has a collection of a few files."""

    FILES = {"a": b"foo", "b c": b"2" * 2000, "deep/d": b"3", "deep/er/e": b""}

    def setUp(self):
        super().setUp()
        for name, content in self.FILES.items():
            self.write(f"there/{name}", content)
        self.uuid = self.put(f"{self.folder}/there/")
        self.back = self.folder / "back"
        self.back.mkdir()

    def fetched(self):
        paths = [path for path in self.back.rglob("*") if path.is_file()]
        return {str(path.relative_to(self.back)): path.read_bytes() for path in paths}


class Get(Stored):
    def test_a_file_goes_to_standard_output(self):
        self.assertEqual(self.get(f"{self.uuid}/a"), b"foo")
        self.assertEqual(self.get(f"{self.uuid}/b c", "-"), b"2" * 2000)

    def test_a_file_goes_to_a_file_or_a_folder(self):
        self.assertEqual(self.get(f"{self.uuid}/a", self.back / "x"), b"")
        self.get(f"{self.uuid}/a", f"{self.back}/")
        self.assertEqual(self.fetched(), {"x": b"foo", "a": b"foo"})

    def test_all_files_go_to_a_folder(self):
        self.get(f"{self.uuid}/", f"{self.back}/")
        self.assertEqual(self.fetched(), self.FILES)

    def test_a_folder_is_fetched_by_itself(self):
        self.get("-r", f"{self.uuid}/deep/", f"{self.back}/")
        self.assertEqual(self.fetched(), {"d": b"3", "er/e": b""})

    def test_content_is_fetched_by_its_hash(self):
        pdh = self.record(self.uuid)["portable_data_hash"]
        self.assertEqual(self.get(f"{pdh}/a"), b"foo")

    def test_a_manifest_is_fetched_signed_or_stripped(self):
        manifest = self.get(self.uuid).decode()
        self.assertRegex(manifest, r"\+A[0-9a-f]{40}@[0-9a-f]{8} ")
        stripped = self.get("--strip-manifest", self.uuid).decode()
        self.assertNotIn("+A", stripped)
        self.assertIn("0:3:a", stripped)

    def test_a_hash_is_told_without_writing(self):
        done = self.succeed("arv-get", "-n", "--md5sum", f"{self.uuid}/a", self.back / "a")
        self.assertIn(MD5_OF_FOO, (done.stdout + done.stderr).decode())
        self.assertEqual(self.fetched(), {})

    def test_what_is_there_is_not_overwritten_unless_it_is_to_be(self):
        path = self.back / "a"
        path.write_bytes(b"mine")
        self.fail_with(1, "already exists", "arv-get", f"{self.uuid}/a", path)
        self.fail_with(1, "already exists", "arv-get", f"{self.uuid}/", f"{self.back}/")
        self.assertEqual(self.fetched(), {"a": b"mine"})
        self.get("--skip-existing", f"{self.uuid}/", f"{self.back}/")
        self.assertEqual(self.fetched(), {**self.FILES, "a": b"mine"})
        self.get("-f", f"{self.uuid}/a", path)
        self.assertEqual(path.read_bytes(), b"foo")

    def test_a_file_that_is_not_there(self):
        self.fail_with(1, "not found", "arv-get", f"{self.uuid}/nothing")

    def test_a_folder_is_not_a_file(self):
        self.fail_with(1, "subcollection", "arv-get", f"{self.uuid}/deep", self.back / "deep")

    def test_many_files_do_not_go_to_standard_output(self):
        self.fail_with(2, "", "arv-get", f"{self.uuid}/", "-")

    def test_a_destination_that_cannot_be_written(self):
        self.fail_with(1, "nowhere", "arv-get", f"{self.uuid}/a", self.back / "nowhere/file")

    def test_another_users_collection_is_not_found(self):
        for locator in [f"{self.uuid}/a", self.uuid]:
            with self.subTest(locator=locator):
                self.fail_with(1, "404", "arv-get", "--retries", 0, locator, token=cluster.SPECTATOR)

    def test_a_token_that_is_not_known(self):
        self.fail_with(1, "Not logged in", "arv-get", "--retries", 0, f"{self.uuid}/a", token=cluster.UNKNOWN)

    def test_blocks_that_nobody_has(self):
        manifest = f". {'1' * 32}+3 0:3:lost\n"
        collections = cluster.api(self, cluster.ADMIN).collections()
        made = collections.create(body={"collection": {"manifest_text": manifest}}).execute()
        cluster.delete_afterwards(self, cluster.api(self, cluster.ADMIN), made["uuid"])
        locator = f"{made['uuid']}/lost"
        self.fail_with(1, "not found", "arv-get", "--retries", 0, locator, token=cluster.ADMIN)

    def test_an_argument_is_missing(self):
        self.fail_with(2, "usage", "arv-get")


class List(Stored):
    def test_all_files_are_listed(self):
        self.assertEqual(self.list(self.uuid), sorted(f"./{name}" for name in self.FILES))

    def test_a_folder_is_listed(self):
        self.assertEqual(self.list(f"{self.uuid}/deep"), ["./deep/d", "./deep/er/e"])

    def test_sizes_are_listed_in_kibibytes(self):
        listed = [line.strip() for line in self.list(self.uuid, "-s")]
        self.assertEqual(listed, ["0 ./deep/er/e", "1 ./a", "1 ./deep/d", "2 ./b c"])

    def test_a_file_is_not_a_folder(self):
        self.fail_with(1, "is not a subdirectory", "arv-ls", f"{self.uuid}/a")

    def test_another_users_collection_is_not_found(self):
        self.fail_with(1, "404", "arv-ls", "--retries", 0, self.uuid, token=cluster.SPECTATOR)
