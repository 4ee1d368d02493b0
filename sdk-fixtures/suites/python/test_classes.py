"""Objects of every class through the official client: made, listed, changed and deleted."""

import os
import unittest

import arvados

import cluster

RUN = os.urandom(4).hex()
COMMAND = {"command": ["true"], "container_image": "none", "output_path": "/out", "cwd": "/"}

# The class, who writes it, what it is made of, and what is changed.
CLASSES = [
    ("authorized_keys", cluster.ACTIVE, {"key_type": "SSH", "name": RUN}, {"name": "changed"}),
    ("container_requests", cluster.ACTIVE, {**COMMAND, "name": RUN}, {"priority": 7}),
    ("containers", cluster.ADMIN, COMMAND, {"priority": 7}),
    ("credentials", cluster.ACTIVE, {"name": RUN, "secret": "hush"}, {"external_id": "me"}),
    ("groups", cluster.ACTIVE, {"name": RUN, "group_class": "project"}, {"description": "d"}),
    ("links", cluster.ACTIVE, {"link_class": "test", "name": RUN}, {"properties": {"a": [1]}}),
    ("logs", cluster.ADMIN, {"event_type": "test"}, {"summary": "changed"}),
    ("virtual_machines", cluster.ADMIN, {"hostname": RUN}, {"hostname": "changed"}),
    ("workflows", cluster.ACTIVE, {"definition": f"name: {RUN}"}, {"description": "changed"}),
]


class Classes(unittest.TestCase):
    def test_create_list_get_update_delete(self):
        for plural, token, attributes, changes in CLASSES:
            with self.subTest(plural=plural):
                objects = getattr(cluster.api(self, token), plural)()
                singular = plural.removesuffix("s")
                made = objects.create(body={singular: attributes}).execute()
                uuid = made["uuid"]
                found = objects.list(filters=[["uuid", "=", uuid]]).execute()
                self.assertEqual([one["uuid"] for one in found["items"]], [uuid])
                self.assertEqual(found["kind"], made["kind"] + "List")
                self.assertEqual(objects.get(uuid=uuid).execute()["etag"], made["etag"])
                changed = objects.update(uuid=uuid, body={singular: changes}).execute()
                self.assertEqual({name: changed[name] for name in changes}, changes)
                self.assertEqual(objects.delete(uuid=uuid).execute()["uuid"], uuid)
                with self.assertRaises(arvados.errors.ApiError) as caught:
                    objects.get(uuid=uuid).execute()
                self.assertEqual(caught.exception.status_code, 404)

    def test_a_user_agreement_is_signed(self):
        agreements = cluster.api(self, cluster.SPECTATOR).user_agreements()
        for agreement in agreements.list().execute()["items"]:
            signature = agreements.sign(uuid=agreement["uuid"]).execute()
            signed = agreements.signatures().execute()["items"]
            self.assertIn(signature["uuid"], [one["uuid"] for one in signed])
