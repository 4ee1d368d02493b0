"""Projects, permissions and users through the official client."""

import unittest

import arvados
import arvados.collection

import cluster

PROJECT = "zzzzz-j7d0g-v955i6s2oi1cbso"
SUBPROJECT = "zzzzz-j7d0g-axqo7eu9pwvna1x"
PROJECT_WITH_201_COLLECTIONS = "zzzzz-j7d0g-0201collections"
ACTIVE_USER = "zzzzz-tpzed-xurymjxw79nv3jz"


class Contents(unittest.TestCase):
    def test_long_contents_come_in_pages(self):
        contents = cluster.api(self, cluster.ADMIN).groups().contents
        filters = [["uuid", "is_a", "arvados#collection"]]
        every = list(
            arvados.util.keyset_list_all(
                contents, uuid=PROJECT_WITH_201_COLLECTIONS, filters=filters
            )
        )
        self.assertEqual(len({one["uuid"] for one in every}), 201)

    def test_every_parameter_is_declared(self):
        groups = cluster.api(self, cluster.ACTIVE).groups()
        listing = {
            "count": "none",
            "distinct": False,
            "filters": [["name", "!=", "x"]],
            "include_trash": False,
            "limit": 10,
            "offset": 0,
            "order": ["name"],
            "select": ["uuid", "owner_uuid"],
            "cluster_id": "zzzzz",
            "bypass_federation": True,
        }
        found = groups.contents(
            uuid=PROJECT,
            recursive=True,
            include=["owner_uuid"],
            include_old_versions=False,
            exclude_home_project=False,
            **listing,
        ).execute()
        self.assertIn(SUBPROJECT, {one["uuid"] for one in found["items"]})
        self.assertIn(PROJECT, {one["uuid"] for one in found["included"]})
        shared = groups.shared(include="owner_uuid", **listing).execute()
        self.assertNotIn(PROJECT, {one["uuid"] for one in shared["items"]})


class Permissions(unittest.TestCase):
    def test_links_onto_an_object_and_what_follows_from_them(self):
        links = cluster.api(self, cluster.ACTIVE).links()
        onto = links.get_permissions(uuid=PROJECT).execute()
        self.assertEqual({one["head_uuid"] for one in onto["items"]}, {PROJECT})
        listed = cluster.api(self, cluster.ADMIN).computed_permissions().list
        reached = list(
            arvados.util.iter_computed_permissions(
                listed, filters=[["user_uuid", "=", ACTIVE_USER]]
            )
        )
        own = {"user_uuid": ACTIVE_USER, "target_uuid": PROJECT, "perm_level": "can_manage"}
        self.assertIn(own, reached)
        every = list(arvados.util.iter_computed_permissions(listed))
        keys = {(one["user_uuid"], one["target_uuid"]) for one in every}
        self.assertEqual(len(keys), len(every))
        self.assertGreater(len(every), len(reached))


class Users(unittest.TestCase):
    def test_a_user_is_set_up_activated_merged_and_gone(self):
        admin = cluster.api(self, cluster.ADMIN)
        body = {"email": f"{self._testMethodName.replace('_', '')}@example.com"}
        made = admin.users().setup(user=body, send_notification_email=False).execute()
        [user] = [one for one in made["items"] if one["kind"] == "arvados#user"]
        self.addCleanup(admin.users().delete(uuid=user["uuid"]).execute)
        self.assertFalse(user["is_active"])
        self.assertTrue(user["is_invited"])
        token = admin.api_client_authorizations().create(
            body={"api_client_authorization": {"owner_uuid": user["uuid"]}}
        ).execute()
        own = cluster.api(self, token["api_token"])
        with self.assertRaises(arvados.errors.ApiError) as caught:
            own.users().activate(uuid=user["uuid"]).execute()
        self.assertEqual(caught.exception.status_code, 403)
        self.assertEqual(own.users().system().execute()["is_admin"], True)
        merged = own.users().merge(
            new_owner_uuid=ACTIVE_USER, new_user_token=cluster.ACTIVE, redirect_to_new_user=True
        ).execute()
        self.assertEqual(merged["uuid"], user["uuid"])
        self.assertEqual(own.users().current().execute()["uuid"], ACTIVE_USER)
        gone = admin.users().unsetup(uuid=user["uuid"]).execute()
        self.assertFalse(gone["is_invited"])

    def test_a_token_of_the_system(self):
        tokens = cluster.api(self, cluster.ADMIN).api_client_authorizations()
        made = tokens.create_system_auth(scopes=["all"]).execute()
        system = cluster.api(self, f"v2/{made['uuid']}/{made['api_token']}")
        user = system.users().current().execute()
        self.assertEqual(user["uuid"], "zzzzz-tpzed-000000000000000")


class Versions(unittest.TestCase):
    def test_a_saved_collection_keeps_its_version(self):
        client = cluster.api(self, cluster.ACTIVE)
        made = client.collections().create(body={"collection": {}}).execute()
        cluster.delete_afterwards(self, client, made["uuid"])
        collection = arvados.collection.Collection(made["uuid"], api_client=client)
        collection.save(properties={"first": "1"}, preserve_version=True)
        collection.save(properties={"second": "2"}, preserve_version=True)
        listed = client.collections().list(
            filters=[["current_version_uuid", "=", made["uuid"]]],
            include_old_versions=True,
            order=["version"],
        ).execute()
        found = [(one["version"], one["properties"]) for one in listed["items"]]
        self.assertEqual(found, [(1, {}), (2, {"first": "1"}), (3, {"second": "2"})])


class Trash(unittest.TestCase):
    def test_a_project_goes_to_the_trash_with_its_contents(self):
        client = cluster.api(self, cluster.ACTIVE)
        body = {"group": {"group_class": "project", "name": f"made by {self.id()}"}}
        project = client.groups().create(body=body).execute()["uuid"]
        body = {"collection": {"owner_uuid": project}}
        collection = client.collections().create(body=body).execute()["uuid"]
        client.groups().trash(uuid=project).execute()
        with self.assertRaises(arvados.errors.ApiError) as caught:
            client.collections().get(uuid=collection).execute()
        self.assertEqual(caught.exception.status_code, 404)
        client.groups().untrash(uuid=project).execute()
        client.collections().get(uuid=collection).execute()
        # What is due now is gone, and this is not.
        cluster.api(self, cluster.ADMIN).sys().get().execute()
        client.collections().get(uuid=collection).execute()
