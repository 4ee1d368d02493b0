"""The API server through the official client: users, tokens, the discovery document, collections."""

import json
import ssl
import unittest
import urllib.request

import arvados

import cluster

FOO_FILE = "zzzzz-4zz18-znfnqtbbv4spc3w"
FOO_HASH = "1f4b0bc7583c2a7f9102c395f4ffc5e3+45"
FOO_MANIFEST = ". acbd18db4cc2f85cedef654fccc4a4d8+3 0:3:foo\n"
EMPTY_HASH = "d41d8cd98f00b204e9800998ecf8427e+0"
PROJECT_WITH_201_COLLECTIONS = "zzzzz-j7d0g-0201collections"


class Users(unittest.TestCase):
    def test_each_token_is_its_user(self):
        for token, uuid, is_admin in [
            (cluster.ADMIN, "zzzzz-tpzed-d9tiejq69daie8f", True),
            (cluster.ACTIVE, "zzzzz-tpzed-xurymjxw79nv3jz", False),
            (cluster.SPECTATOR, "zzzzz-tpzed-l1s2piq4t4mps8r", False),
        ]:
            with self.subTest(uuid=uuid):
                user = cluster.api(self, token).users().current().execute()
                self.assertEqual((user["uuid"], user["is_admin"]), (uuid, is_admin))
                self.assertTrue(user["is_active"])

    def test_the_environment_is_enough(self):
        client = "arvados.api('v1', num_retries=0)"
        folder = cluster.temporary_folder(self)
        (folder / "whoami").write_text(
            f"import arvados; print({client}.users().current().execute()['uuid'])"
        )
        uuid = cluster.output_of(self, folder / "whoami", token=cluster.ADMIN)
        self.assertEqual(uuid, "zzzzz-tpzed-d9tiejq69daie8f")

    def test_a_wrong_token_is_refused(self):
        for token in [cluster.UNKNOWN, cluster.EXPIRED]:
            with self.subTest(token=token), self.assertRaises(arvados.errors.ApiError) as caught:
                cluster.api(self, token).users().current().execute()
            self.assertEqual(caught.exception.status_code, 401)


class Tokens(unittest.TestCase):
    def test_a_token_knows_itself(self):
        token = cluster.api(self, cluster.ACTIVE).api_client_authorizations().current().execute()
        self.assertEqual(token["api_token"], cluster.ACTIVE)
        self.assertEqual(token["scopes"], ["all"])

    def test_a_token_is_good_for_its_scopes_until_it_is_deleted(self):
        tokens = cluster.api(self, cluster.ADMIN).api_client_authorizations()
        body = {"api_client_authorization": {"scopes": ["GET /arvados/v1/users/current"]}}
        made = tokens.create(body=body).execute()
        self.assertRegex(made["uuid"], r"^zzzzz-gj3su-[0-9a-z]{15}$")
        scoped = cluster.api(self, f"v2/{made['uuid']}/{made['api_token']}")
        scoped.users().current().execute()
        with self.assertRaises(arvados.errors.ApiError) as caught:
            scoped.collections().list().execute()
        self.assertEqual(caught.exception.status_code, 403)
        tokens.delete(uuid=made["uuid"]).execute()
        with self.assertRaises(arvados.errors.ApiError) as caught:
            scoped.users().current().execute()
        self.assertEqual(caught.exception.status_code, 401)


class Discovery(unittest.TestCase):
    def test_the_document_describes_this_server_and_needs_no_token(self):
        url = f"https://{cluster.HOST}/discovery/v1/apis/arvados/v1/rest"
        trust = ssl.create_default_context(cafile=cluster.CA_CERT or None)
        if not cluster.CA_CERT:
            trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
        with urllib.request.urlopen(url, context=trust, timeout=30) as reply:
            document = json.load(reply)
        self.assertEqual((document["name"], document["version"]), ("arvados", "v1"))
        self.assertEqual(document["uuidPrefix"], "zzzzz")
        self.assertEqual(document["rootUrl"], f"https://{cluster.HOST}/")
        for resource in ["users", "groups", "links", "collections", "keep_services"]:
            with self.subTest(resource=resource):
                methods = document["resources"][resource]["methods"]
                self.assertLessEqual({"get", "list", "create", "update", "delete"}, set(methods))


class Collections(unittest.TestCase):
    def make(self, token, **attributes):
        client = cluster.api(self, token)
        made = client.collections().create(body={"collection": attributes}).execute()
        cluster.delete_afterwards(self, client, made["uuid"])
        return client.collections(), made

    def test_create_get_list_update_delete(self):
        for token in [cluster.ADMIN, cluster.ACTIVE]:
            with self.subTest(token=token):
                collections, made = self.make(token, name=f"made by {self.id()}")
                uuid = made["uuid"]
                self.assertEqual(made["portable_data_hash"], EMPTY_HASH)
                self.assertEqual(collections.get(uuid=uuid).execute()["name"], made["name"])
                found = collections.list(filters=[["name", "=", made["name"]]]).execute()
                self.assertEqual([one["uuid"] for one in found["items"]], [uuid])
                self.assertEqual(found["items_available"], 1)
                changes = {"name": made["name"] + " changed", "properties": {"key": ["value", 1]}}
                changed = collections.update(uuid=uuid, body={"collection": changes}).execute()
                self.assertEqual({name: changed[name] for name in changes}, changes)
                collections.delete(uuid=uuid).execute()
                with self.assertRaises(arvados.errors.ApiError) as caught:
                    collections.get(uuid=uuid).execute()
                self.assertEqual(caught.exception.status_code, 404)

    def test_content_is_found_by_its_hash(self):
        collections, made = self.make(cluster.ADMIN, manifest_text=FOO_MANIFEST)
        self.assertEqual(made["portable_data_hash"], FOO_HASH)
        found = collections.get(uuid=FOO_HASH).execute()
        self.assertEqual(found["portable_data_hash"], FOO_HASH)
        self.assertIn("0:3:foo\n", found["manifest_text"])

    def test_a_manifest_comes_with_a_signature_for_who_asks(self):
        collections = cluster.api(self, cluster.ACTIVE).collections()
        manifest = collections.get(uuid=FOO_FILE).execute()["manifest_text"]
        self.assertRegex(manifest, r"^\. [0-9a-f]{32}\+3\+A[0-9a-f]{40}@[0-9a-f]{8} 0:3:foo\n$")

    def test_blocks_that_are_not_signed_are_refused_to_users(self):
        body = {"collection": {"manifest_text": FOO_MANIFEST}}
        collections = cluster.api(self, cluster.ACTIVE).collections()
        with self.assertRaises(arvados.errors.ApiError) as caught:
            collections.create(body=body).execute()
        self.assertEqual(caught.exception.status_code, 403)

    def test_what_a_user_may_not_read_does_not_exist(self):
        with self.assertRaises(arvados.errors.ApiError) as caught:
            cluster.api(self, cluster.SPECTATOR).collections().get(uuid=FOO_FILE).execute()
        self.assertEqual(caught.exception.status_code, 404)

    def test_a_clash_of_names_is_refused_or_resolved_as_asked(self):
        collections, made = self.make(cluster.ACTIVE, name=f"made by {self.id()}")
        body = {"collection": {"name": made["name"]}}
        with self.assertRaises(arvados.errors.ApiError) as caught:
            collections.create(body=body).execute()
        self.assertEqual(caught.exception.status_code, 422)
        second = collections.create(body=body, ensure_unique_name=True).execute()
        cluster.delete_afterwards(self, cluster.api(self, cluster.ACTIVE), second["uuid"])
        self.assertTrue(second["name"].startswith(made["name"] + " ("), second["name"])

    def test_long_lists_come_in_pages(self):
        collections = cluster.api(self, cluster.ADMIN).collections()
        filters = [["owner_uuid", "=", PROJECT_WITH_201_COLLECTIONS]]
        first = collections.list(filters=filters).execute()
        self.assertEqual((len(first["items"]), first["items_available"]), (100, 201))
        every = list(arvados.util.keyset_list_all(collections.list, filters=filters))
        self.assertEqual(len({one["uuid"] for one in every}), 201)

    def test_a_query_too_long_for_an_address_is_sent_as_a_body(self):
        collections = cluster.api(self, cluster.ACTIVE).collections()
        uuids = [f"zzzzz-4zz18-{number:015}" for number in range(1000)] + [FOO_FILE]
        found = collections.list(filters=[["uuid", "in", uuids]]).execute()
        self.assertEqual([one["uuid"] for one in found["items"]], [FOO_FILE])
