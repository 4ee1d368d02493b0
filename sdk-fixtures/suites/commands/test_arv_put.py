"""arv-put: what it takes, what it makes of it, and what it refuses."""

import datetime

import cluster
from command_case import CommandCase

FOO = "acbd18db4cc2f85cedef654fccc4a4d8+3"
FOO_HASH = "1f4b0bc7583c2a7f9102c395f4ffc5e3+45"
APROJECT = "zzzzz-j7d0g-v955i6s2oi1cbso"
NAMES = ["plain", "two words.txt", "deep/er/é 中文.txt", "deep/$PATH `x` 'y' \"z\"", "-dash", "empty/.keep"]


class Sources(CommandCase):
    def test_standard_input_is_a_file(self):
        uuid = self.put("-", input=b"foo")
        self.assertEqual(self.list(uuid), ["./stdin"])
        self.assertEqual(self.get(f"{uuid}/stdin"), b"foo")

    def test_standard_input_is_read_when_nothing_is_named(self):
        uuid = self.put("--filename", "two words", input=b"foo")
        self.assertEqual(self.get(f"{uuid}/two words"), b"foo")

    def test_a_file_may_have_another_name(self):
        uuid = self.put("--filename", "foo", self.write("bar", b"foo"))
        self.assertEqual(self.list(uuid), ["./foo"])
        self.assertEqual(self.record(uuid)["portable_data_hash"], FOO_HASH)

    def test_names_come_back_as_they_are(self):
        contents = {name: name.encode() for name in NAMES}
        for name, content in contents.items():
            self.write(f"there/{name}", content)
        uuid = self.put(f"{self.folder}/there/")
        self.assertEqual(self.list(uuid), sorted(f"./{name}" for name in NAMES))
        back = self.folder / "back"
        back.mkdir()
        self.succeed("arv-get", "--retries", 0, f"{uuid}/", f"{back}/")
        found = {str(path.relative_to(back)): path.read_bytes() for path in back.rglob("*") if path.is_file()}
        self.assertEqual(found, contents)

    def test_without_a_slash_a_folder_is_stored_with_its_name(self):
        self.write("there/file", b"foo")
        self.assertEqual(self.list(self.put(self.folder / "there")), ["./there/file"])

    def test_several_files_and_folders_make_one_collection(self):
        first, second = self.write("a", b"a"), self.write("b/c", b"c")
        uuid = self.put(first, second.parent)
        self.assertEqual(self.list(uuid), ["./a", "./b/c"])

    def test_what_is_excluded_is_left_out(self):
        for name in ["keep.txt", "drop.log", "deep/drop.log"]:
            self.write(f"there/{name}", b"x")
        uuid = self.put("--exclude", "*.log", f"{self.folder}/there/")
        self.assertEqual(self.list(uuid), ["./keep.txt"])

    def test_links_are_followed_unless_they_are_not_to_be(self):
        target = self.write("target", b"foo")
        (self.folder / "there").mkdir()
        (self.folder / "there/link").symlink_to(target)
        self.write("there/file", b"x")
        there = f"{self.folder}/there/"
        self.assertEqual(self.list(self.put("--no-cache", there)), ["./file", "./link"])
        self.assertEqual(self.list(self.put("--no-cache", "--no-follow-links", there)), ["./file"])


class Results(CommandCase):
    def test_a_portable_data_hash_is_printed_if_asked_for(self):
        done = self.succeed("arv-put", "--portable-data-hash", self.write("foo", b"foo"))
        self.assertEqual(done.stdout.decode(), f"{FOO_HASH}\n")

    def test_a_stream_is_a_manifest_and_no_collection(self):
        before = self.count()
        done = self.succeed("arv-put", "--stream", "--filename", "foo", input=b"foo")
        self.assertRegex(done.stdout.decode(), rf"\A\. {FOO[:-2]}\+3\+A[0-9a-f]{{40}}@[0-9a-f]{{8}} 0:3:foo\n\Z")
        self.assertEqual(self.count(), before)

    def test_raw_is_the_locators_of_blocks(self):
        before = self.count()
        done = self.succeed("arv-put", "--raw", input=b"foo")
        self.assertRegex(done.stdout.decode(), rf"\A{FOO[:-2]}\+3\+A[0-9a-f]{{40}}@[0-9a-f]{{8}}\n\Z")
        self.assertEqual(self.count(), before)

    def count(self):
        collections = cluster.api(self, cluster.ACTIVE).collections()
        return collections.list(limit=0).execute()["items_available"]

    def test_a_collection_has_the_name_and_the_project_asked_for(self):
        name = f"made by {self.id()}"
        uuid = self.put("--name", name, "--project-uuid", APROJECT, self.write("foo", b"foo"))
        record = self.record(uuid)
        self.assertEqual((record["name"], record["owner_uuid"]), (name, APROJECT))

    def test_a_name_that_is_taken_is_made_unique(self):
        name = f"made by {self.id()}"
        path = self.write("foo", b"foo")
        names = [self.record(self.put("--no-cache", "--name", name, path))["name"] for _ in range(2)]
        self.assertEqual(names[0], name)
        self.assertTrue(names[1].startswith(f"{name} ("), names)

    def test_a_collection_goes_to_the_trash_when_it_is_to(self):
        uuid = self.put("--trash-after", 3, self.write("foo", b"foo"))
        trash_at = datetime.datetime.fromisoformat(self.record(uuid)["trash_at"][:19])
        left = trash_at - datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
        self.assertLess(abs(left - datetime.timedelta(days=3)), datetime.timedelta(hours=1))

    def test_progress_is_told_on_standard_error(self):
        done = self.succeed("arv-put", "--batch-progress", self.write("foo", b"foo"))
        self.assertRegex(done.stderr.decode(), r"\b3 written 3 total\b")
        self.assertRegex(done.stdout.decode(), r"\Azzzzz-4zz18-[0-9a-z]{15}\n\Z")


class Again(CommandCase):
    """The same files once more."""

    def test_an_upload_goes_on_where_it_was(self):
        home = cluster.temporary_folder(self)
        self.write("there/a", b"a" * 100)
        first = self.put(f"{self.folder}/there/", home=home)
        self.write("there/b", b"b" * 100)
        done = self.succeed("arv-put", "--batch-progress", f"{self.folder}/there/", home=home)
        self.assertIn(b"100 written 200 total", done.stderr)
        second = done.stdout.decode().strip()
        cluster.delete_afterwards(self, cluster.api(self, cluster.ACTIVE), second)
        self.assertEqual(self.list(first), ["./a"])
        self.assertEqual(self.list(second), ["./a", "./b"])
        self.assertEqual(self.get(f"{second}/a"), b"a" * 100)

    def test_an_upload_starts_anew_if_it_is_to(self):
        home = cluster.temporary_folder(self)
        path = self.write("a", b"a" * 100)
        self.put(path, home=home)
        done = self.succeed("arv-put", "--no-resume", "--batch-progress", path, home=home)
        self.assertIn(b"0 written 100 total", done.stderr)

    def test_a_dry_run_ends_with_2_if_there_is_something_to_do_and_does_nothing(self):
        home = cluster.temporary_folder(self)
        path = self.write("a", b"a")
        self.fail_with(2, "", "arv-put", "--dry-run", path, home=home)
        self.put(path, home=home)
        self.succeed("arv-put", "--dry-run", path, home=home)

    def test_a_collection_is_updated(self):
        self.write("there/same", b"same")
        self.write("there/changed", b"before")
        there = f"{self.folder}/there/"
        uuid = self.put(there)
        self.write("there/changed", b"after")
        self.write("there/new/file", b"new")
        (self.folder / "there/same").unlink()
        printed = self.succeed("arv-put", "--update-collection", uuid, there).stdout
        self.assertEqual(printed.decode().strip(), uuid)
        self.assertEqual(self.list(uuid), ["./changed", "./new/file", "./same"])
        self.assertEqual(self.get(f"{uuid}/changed"), b"after")


class Refusals(CommandCase):
    def test_a_file_that_is_not_there(self):
        self.fail_with(1, "does not exist", "arv-put", self.folder / "nothing")

    def test_a_wrong_option(self):
        self.fail_with(2, "unrecognized arguments", "arv-put", "--no-such-option")

    def test_options_that_exclude_each_other(self):
        self.fail_with(2, "not allowed with", "arv-put", "--stream", "--raw", input=b"")

    def test_a_collection_to_update_that_is_not_there(self):
        path = self.write("foo", b"foo")
        uuid = "zzzzz-4zz18-000000000nobody"
        self.fail_with(1, "404", "arv-put", "--retries", 0, "--update-collection", uuid, path)

    def test_a_project_that_is_not_there(self):
        path = self.write("foo", b"foo")
        project = "zzzzz-j7d0g-000000000nobody"
        self.fail_with(1, project, "arv-put", "--retries", 0, "--project-uuid", project, path)

    def test_a_project_that_one_may_only_read(self):
        path = self.write("foo", b"foo")
        done = cluster.run(
            self, "arv-put", "--retries", 0, "--project-uuid", APROJECT, path, token=cluster.PROJECT_VIEWER
        )
        self.assertEqual((done.returncode, done.stdout), (1, b""), done.stderr)
        self.assertIn(b"403", done.stderr)

    def test_a_token_that_is_not_known_or_whose_time_is_over(self):
        path = self.write("foo", b"foo")
        for token in [cluster.UNKNOWN, cluster.EXPIRED]:
            with self.subTest(token=token):
                self.fail_with(1, "Not logged in", "arv-put", "--retries", 0, path, token=token)

    def test_a_server_that_is_not_there(self):
        path = self.write("foo", b"foo")
        with cluster.refusing_port() as port:
            address = f"127.0.0.1:{port}"
            self.fail_with(1, "refused", "arv-put", "--retries", 0, path, ARVADOS_API_HOST=address)
