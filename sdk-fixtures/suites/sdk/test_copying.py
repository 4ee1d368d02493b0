"""arv-copy from the cluster to another one, and within it."""

import pathlib
import sys

import arvados
import arvados.util

import cluster
from collection_case import CollectionCase

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "python"))

import arvados_test_cluster  # noqa: E402

CONTENTS = {"a": b"a" * 1000, "two words/b": b"b", "two words/empty": b""}
PROPERTIES = {"key": "value", "list": [1, {"a": "b"}]}


class Copying(CollectionCase):
    """The other cluster has no object of this one, and no block."""

    @classmethod
    def setUpClass(cls):
        cls.other = arvados_test_cluster.TestServers(keep=True)
        cls.addClassCleanup(cls.other.stop)
        cls.other.start()

    def setUp(self):
        super().setUp()
        if not self.client.config():
            self.skipTest("arv-copy asks for a configuration, which a server of 2015 has not")
        self.folder = cluster.temporary_folder(self)
        self.here = self.settings("here", cluster.HOST)
        self.there = self.settings("there", self.other.env["ARVADOS_API_HOST"])
        options = {"num_retries": 0} if cluster.RELEASE > 2 else {}
        self.client_there = arvados.api(
            "v1", False, self.other.env["ARVADOS_API_HOST"], cluster.ACTIVE, insecure=True, **options
        )
        self.addCleanup(cluster.close, self.client_there)

    def settings(self, name, host, token=cluster.ACTIVE):
        """A file of settings, as a user has one of each cluster."""
        path = self.folder / f".config/arvados/{name}.conf"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            f"ARVADOS_API_HOST={host}\nARVADOS_API_TOKEN={token}\nARVADOS_API_HOST_INSECURE=true\n"
        )
        return path

    def command(self, *arguments, source, destination):
        common = ["--retries", 0, "--no-progress", "--src", source, "--dst", destination]
        # Nothing but the settings says where to.
        return cluster.run(
            self, "arv-copy", *common, *arguments, token="", home=self.folder, ARVADOS_API_HOST=""
        )

    def copy(self, *arguments, source=None, destination=None):
        """The uuid of what arv-copy has made."""
        done = self.command(*arguments, source=source or self.here, destination=destination or self.there)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        # Version 2 tells it among its messages.
        said = done.stdout.decode() if cluster.RELEASE > 2 else done.stderr.decode()
        return arvados.util.uuid_pattern.findall(said)[-1]

    def make(self, client, plural, **attributes):
        objects = getattr(client, plural)()
        made = objects.create(body={plural[:-1]: attributes}, ensure_unique_name=True).execute()
        self.addCleanup(objects.delete(uuid=made["uuid"]).execute)
        return made["uuid"]

    def project(self, client, **attributes):
        return self.make(client, "groups", group_class="project", name=f"made by {self.id()}", **attributes)

    def assert_there(self, uuid, contents):
        self.client = self.client_there
        self.assert_stored(uuid, contents)

    def test_a_collection_goes_to_a_project_with_its_attributes_and_blocks(self):
        uuid = self.save_new(self.write(self.collection(), CONTENTS))
        self.client.collections().update(uuid=uuid, body={"collection": {"properties": PROPERTIES}}).execute()
        project = self.project(self.client_there)
        copy = self.copy("--project-uuid", project, uuid)
        first = self.client.collections().get(uuid=uuid).execute()
        second = self.client_there.collections().get(uuid=copy).execute()
        for same in ["name", "portable_data_hash", "properties"]:
            self.assertEqual(first[same], second[same])
        self.assertEqual(second["owner_uuid"], project)
        self.assert_there(copy, CONTENTS)

    def test_a_collection_that_is_there_is_not_made_again_unless_it_is_to_be(self):
        uuid = self.save_new(self.write(self.collection(), {"b": b"only here"}))
        project = self.project(self.client_there)
        copies = [self.copy("--project-uuid", project, *force, uuid) for force in [[], [], ["--force"]]]
        self.assertEqual(copies[0], copies[1])
        self.assertNotEqual(copies[0], copies[2])

    def test_a_collection_is_copied_by_its_hash(self):
        collection = self.write(self.collection(), {"c": b"by its hash"})
        self.save_new(collection)
        project = self.project(self.client_there)
        copy = self.copy("--project-uuid", project, collection.portable_data_hash())
        self.assert_there(copy, {"c": b"by its hash"})

    def test_links_that_make_it_a_docker_image_come_with_it(self):
        uuid = self.save_new(self.write(self.collection(), {"d.tar": b"image"}))
        for link_class, name in [("docker_image_repo+tag", "a/b:c"), ("docker_image_hash", "d" * 64)]:
            self.make(self.client, "links", link_class=link_class, name=name, head_uuid=uuid)
        copy = self.copy("--project-uuid", self.project(self.client_there), uuid)
        links = self.client_there.links().list(filters=[["head_uuid", "=", copy]]).execute()["items"]
        self.assertEqual({link["name"] for link in links}, {"a/b:c", "d" * 64})

    def test_a_project_is_copied_with_all_that_is_in_it(self):
        project = self.project(self.client)
        self.save_new(self.write(self.collection(), {"e": b"e"}), owner_uuid=project)
        inner = self.project(self.client, owner_uuid=project, description="within")
        self.save_new(self.write(self.collection(), {"f": b"f"}), owner_uuid=inner)
        target = self.project(self.client_there)
        copy = self.copy("--project-uuid", target, project)
        self.assertEqual(self.client_there.groups().get(uuid=copy).execute()["owner_uuid"], target)
        [collection] = self.within(copy, "collections")
        self.assert_there(collection["uuid"], {"e": b"e"})
        [copied_inner] = self.within(copy, "groups")
        self.assertEqual(copied_inner["description"], "within")
        [collection] = self.within(copied_inner["uuid"], "collections")
        self.assert_there(collection["uuid"], {"f": b"f"})

    def within(self, project, plural):
        """The objects of a class in a project of the other cluster."""
        return getattr(self.client_there, plural)().list(filters=[["owner_uuid", "=", project]]).execute()["items"]

    def test_a_workflow_is_copied_without_what_it_depends_on(self):
        definition = "cwlVersion: v1.2\nclass: Workflow\ninputs: []\noutputs: []\nsteps: []\n"
        uuid = self.make(self.client, "workflows", name="flow", definition=definition, description="d")
        project = self.project(self.client_there)
        copies = [self.copy("--no-recursive", "--project-uuid", project, uuid) for _ in range(2)]
        # The second time it is brought up to date.
        self.assertEqual(copies[0], copies[1])
        copy = self.client_there.workflows().get(uuid=copies[0]).execute()
        self.assertEqual((copy["definition"], copy["description"], copy["owner_uuid"]), (definition, "d", project))

    def test_within_the_cluster(self):
        uuid = self.save_new(self.write(self.collection(), {"g": b"g"}))
        copy = self.copy("--project-uuid", self.project(self.client), uuid, destination=self.here)
        self.assertNotEqual(copy, uuid)
        self.assert_stored(copy, {"g": b"g"})

    def test_what_cannot_be_copied(self):
        uuid = self.save_new(self.write(self.collection(), {"h": b"h"}))
        nobody = self.settings("nobody", self.other.env["ARVADOS_API_HOST"], cluster.UNKNOWN)
        for what, destination, text in [
            ("zzzzz-4zz18-000000000nobody", self.there, b"404"),
            (uuid, nobody, b"401"),
            (uuid, self.folder / "none.conf", b"none.conf"),
        ]:
            with self.subTest(text=text):
                done = self.command(what, source=self.here, destination=destination)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(text, done.stderr)
