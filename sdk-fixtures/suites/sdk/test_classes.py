"""Objects of every class of the discovery document: made, found, changed, copied and deleted."""

import os
import unittest

import arvados

import cluster

RUN = os.urandom(4).hex()
COMMAND = {"command": ["true"], "container_image": "none", "output_path": "/out", "cwd": "/"}
JOB = {"script": "hash", "script_version": "f" * 40, "repository": "active/foo", "script_parameters": {"a": "b"}}
SERVICE = {"service_host": "localhost", "service_port": 9, "service_type": "test"}

# Of each class, in either era: who writes it, what it is made of, and what is changed.
CLASSES = {
    "api_client_authorizations": (cluster.TRUSTED, {"scopes": ["GET /"]}, {"scopes": ["all"]}),
    "api_clients": (cluster.ADMIN, {"name": RUN, "url_prefix": f"http://{RUN}/"}, {"name": "changed"}),
    "authorized_keys": (cluster.ACTIVE, {"key_type": "SSH", "name": RUN}, {"name": "changed"}),
    "collections": (cluster.ACTIVE, {"name": RUN}, {"properties": {"a": {"b": [1]}}}),
    "container_requests": (cluster.ACTIVE, {**COMMAND, "name": RUN}, {"priority": 7}),
    "containers": (cluster.ADMIN, COMMAND, {"priority": 7}),
    "credentials": (cluster.ACTIVE, {"name": RUN, "secret": "hush"}, {"external_id": "me"}),
    "groups": (cluster.ACTIVE, {"name": RUN, "group_class": "project"}, {"description": "d"}),
    "humans": (cluster.ACTIVE, {"properties": {"a": 1}}, {"properties": {"a": [2]}}),
    "job_tasks": (cluster.ACTIVE, {"sequence": 7, "parameters": {"a": "b"}}, {"progress": 0.5}),
    "jobs": (cluster.ACTIVE, JOB, {"priority": 7}),
    "keep_disks": (cluster.ADMIN, {"filesystem_uuid": RUN}, {"bytes_free": 1 << 40}),
    "keep_services": (cluster.ADMIN, SERVICE, {"read_only": True}),
    "links": (cluster.ACTIVE, {"link_class": "test", "name": RUN}, {"properties": {"a": [1]}}),
    "logs": (cluster.ADMIN, {"event_type": "test", "summary": RUN}, {"summary": "changed"}),
    "nodes": (cluster.ADMIN, {"hostname": RUN}, {"domain": "changed"}),
    "pipeline_instances": (cluster.ACTIVE, {"name": RUN, "components": {}}, {"properties": {"a": 1}}),
    "pipeline_templates": (cluster.ACTIVE, {"name": RUN, "components": {}}, {"description": "changed"}),
    "repositories": (cluster.ADMIN, {"name": f"admin/r{RUN}"}, {"name": f"admin/r{RUN}changed"}),
    "specimens": (cluster.ACTIVE, {"material": "Blood"}, {"properties": {"a": 1}}),
    "traits": (cluster.ACTIVE, {"name": RUN}, {"properties": {"a": 1}}),
    "users": (cluster.ADMIN, {"email": f"{RUN}@example.com"}, {"first_name": "É"}),
    "virtual_machines": (cluster.ADMIN, {"hostname": RUN}, {"hostname": "changed"}),
    "workflows": (cluster.ACTIVE, {"name": RUN, "definition": f"name: {RUN}"}, {"description": "changed"}),
}

# They are collections in another light, and cannot be written by this name.
NOT_WRITTEN = {"user_agreements"}

# A copy differs in these: they are the server's, a secret, or unlike those of all other objects.
NOT_COPIED = {"api_token", "authorized_keys", "email", "id", "identity_url", "name", "username", "uuid"}


class Classes(unittest.TestCase):
    """Each test goes through all classes, with clients of its own."""

    def setUp(self):
        self.clients = {token: cluster.api(self, token) for token in [cluster.ADMIN, cluster.ACTIVE, cluster.TRUSTED]}
        self.resources = self.clients[cluster.ADMIN]._rootDesc["resources"]

    def each(self, check):
        """Calls `check` with the name of each class, its methods, what it is made of, and what is
        changed."""
        for plural, (token, attributes, changes) in CLASSES.items():
            if plural in self.resources:
                with self.subTest(plural=plural):
                    check(plural, getattr(self.clients[token], plural)(), attributes, changes)

    def make(self, objects, body):
        """A new object, which goes after the test if it is still there."""
        made = objects.create(body=body).execute()

        def delete():
            try:
                objects.delete(uuid=made["uuid"]).execute()
            except arvados.errors.ApiError as error:
                if error.resp.status != 404:
                    raise

        self.addCleanup(delete)
        return made

    def test_no_class_of_the_document_is_forgotten(self):
        written = {name for name, one in self.resources.items() if "create" in one["methods"]}
        self.assertLessEqual(written - NOT_WRITTEN, set(CLASSES))

    def test_an_object_is_made_found_and_deleted(self):
        def check(plural, objects, attributes, _):
            made = self.make(objects, {singular(plural): attributes})
            uuid = made["uuid"]
            found = objects.list(filters=[["uuid", "=", uuid]]).execute()
            self.assertEqual([one["uuid"] for one in found["items"]], [uuid])
            self.assertEqual((found["kind"], found["items_available"]), (made["kind"] + "List", 1))
            got = objects.get(uuid=uuid).execute()
            self.assertEqual((got["kind"], got["etag"]), (made["kind"], made["etag"]))
            self.assertEqual(objects.delete(uuid=uuid).execute()["uuid"], uuid)
            with self.assertRaises(arvados.errors.ApiError) as caught:
                objects.get(uuid=uuid).execute()
            self.assertEqual(caught.exception.resp.status, 404)

        self.each(check)

    def test_an_object_has_the_attributes_that_its_schema_names(self):
        schemas = self.clients[cluster.ADMIN]._rootDesc["schemas"]
        def check(plural, objects, attributes, _):
            made = self.make(objects, {singular(plural): attributes})
            schema = schemas[self.resources[plural]["methods"]["get"]["response"]["$ref"]]
            self.assertLessEqual(set(made), set(schema["properties"]))
            # A token of 2015 has none but itself.
            if made["uuid"] != made.get("api_token"):
                self.assertEqual(made["uuid"].split("-")[1], schema["uuidPrefix"])

        self.each(check)

    def test_an_object_is_changed_and_has_another_etag(self):
        def check(plural, objects, attributes, changes):
            made = self.make(objects, {singular(plural): attributes})
            changed = objects.update(uuid=made["uuid"], body={singular(plural): changes}).execute()
            self.assertEqual({name: changed[name] for name in changes}, changes)
            self.assertNotEqual(changed["etag"], made["etag"])
            self.assertEqual(objects.get(uuid=made["uuid"]).execute()["etag"], changed["etag"])

        self.each(check)

    def test_an_object_is_copied_with_all_that_the_server_has_said_of_it(self):
        def check(plural, objects, attributes, _):
            made = self.make(objects, {singular(plural): attributes})
            unique = {name: value + "copy" for name, value in attributes.items() if name in {"name", "hostname"}}
            if "email" in attributes:
                unique["email"] = "copy" + attributes["email"]
            # It is not wrapped, as by arv-copy: then what cannot be written is left out.
            copied = {name: value for name, value in made.items() if name not in NOT_COPIED}
            copy = self.make(objects, {**copied, **unique})
            self.assertNotEqual(copy["uuid"], made["uuid"])
            kept = set(attributes) - NOT_COPIED - set(unique) - {"secret"}
            self.assertEqual({name: copy[name] for name in kept}, {name: attributes[name] for name in kept})

        self.each(check)

    def test_some_attributes_are_selected(self):
        def check(plural, objects, attributes, _):
            made = self.make(objects, {singular(plural): attributes})
            found = objects.list(filters=[["uuid", "=", made["uuid"]]], select=["uuid", "owner_uuid"]).execute()
            [item] = found["items"]
            expected = {name: made[name] for name in ["kind", "owner_uuid", "uuid"]}
            # Its kind is told with it, and in 2015 its address.
            self.assertEqual({name: item[name] for name in expected}, expected)
            self.assertLessEqual(set(item), {*expected, "href", "etag"})

        self.each(check)

    def test_what_is_not_known_is_refused(self):
        def check(plural, objects, *_):
            for wrong in [{"filters": [["nothing", "=", 1]]}, {"filters": [["uuid", "~", "x"]]}, {"select": ["nothing"]}]:
                with self.assertRaises(arvados.errors.ApiError, msg=f"{plural} {wrong}") as caught:
                    objects.list(**wrong).execute()
                self.assertEqual(caught.exception.resp.status, 422)
            with self.assertRaises(arvados.errors.ApiError) as caught:
                objects.get(uuid=f"zzzzz-{'0' * 5}-{'0' * 15}").execute()
            self.assertEqual(caught.exception.resp.status, 404)

        self.each(check)


class Agreements(unittest.TestCase):
    def test_a_user_agreement_is_signed(self):
        agreements = cluster.api(self, cluster.SPECTATOR).user_agreements()
        for agreement in agreements.list().execute()["items"]:
            signature = agreements.sign(uuid=agreement["uuid"]).execute()
            signed = agreements.signatures().execute()["items"]
            self.assertIn(signature["uuid"], [one["uuid"] for one in signed])


def singular(plural):
    """As an object of the class is called in requests."""
    return plural[:-3] + "y" if plural.endswith("ies") else plural[:-1]
