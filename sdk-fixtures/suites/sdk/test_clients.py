"""API clients, however they are made, and what they do in threads and when something fails."""

import concurrent.futures
import os
import unittest
from unittest import mock

import arvados
import arvados.api
import arvados.errors
import arvados.safeapi
import arvados.util
import httplib2

import cluster

THREADS = 8
ACTIVE_USER = "zzzzz-tpzed-xurymjxw79nv3jz"
DISCOVERY = "https://{host}/discovery/v1/apis/{{api}}/{{apiVersion}}/rest"


def settings(token, **changed):
    """As they are in a user's settings.conf."""
    return {
        "ARVADOS_API_HOST": cluster.HOST,
        "ARVADOS_API_TOKEN": token,
        "ARVADOS_API_HOST_INSECURE": "true",
        **changed,
    }


def current_user(client):
    return client.users().current().execute()["uuid"]


class Making(unittest.TestCase):
    def check(self, client):
        self.addCleanup(cluster.close, client)
        self.assertEqual(current_user(client), ACTIVE_USER)

    def test_from_arguments(self):
        for cache in [True, False]:
            with self.subTest(cache=cache):
                self.check(arvados.api("v1", cache, cluster.HOST, cluster.ACTIVE, insecure=True))

    def test_from_the_address_of_the_discovery_document(self):
        address = DISCOVERY.format(host=cluster.HOST)
        self.check(arvados.api("v1", token=cluster.ACTIVE, insecure=True, discoveryServiceUrl=address))

    def test_from_settings(self):
        self.check(arvados.api_from_config("v1", settings(cluster.ACTIVE)))

    def test_from_the_environment(self):
        with mock.patch.dict(os.environ, settings(cluster.ACTIVE)):
            self.addCleanup(arvados.config.initialize)
            arvados.config.initialize()
            self.check(arvados.api("v1"))

    def test_from_a_file_of_settings(self):
        path = cluster.temporary_folder(self) / "settings.conf"
        path.write_text("".join(f"{name}={value}\n" for name, value in settings(cluster.ACTIVE).items()))
        self.check(arvados.api_from_config("v1", arvados.config.load(str(path))))

    @unittest.skipUnless(cluster.CA_CERT, "ARVADOS_TEST_CA_CERT is not set")
    def test_that_verifies_the_certificate(self):
        with mock.patch.dict(os.environ, SSL_CERT_FILE=cluster.CA_CERT):
            self.check(arvados.api("v1", host=cluster.HOST, token=cluster.ACTIVE))

    def test_without_a_server(self):
        with cluster.refusing_port() as port, self.assertRaises(ConnectionRefusedError):
            options = {"num_retries": 0} if cluster.RELEASE > 2 else {}
            arvados.api("v1", host=f"127.0.0.1:{port}", token=cluster.ACTIVE, insecure=True, **options)

    def test_the_discovery_document_is_asked_for_once_a_day(self):
        http = httplib2.Http(
            cache=arvados.http_cache("discovery"), disable_ssl_certificate_validation=True
        )
        self.addCleanup(lambda: [connection.close() for connection in http.connections.values()])
        # Another address of the same document: no other test has asked for this one.
        address = DISCOVERY.format(host=cluster.HOST).format(api="arvados", apiVersion="v1") + "?a=b"
        asked, remembered = [http.request(address) for _ in range(2)]
        self.assertEqual((asked[0].status, asked[0].fromcache), (200, False))
        self.assertEqual((remembered[0].status, remembered[0].fromcache), (200, True))
        self.assertEqual(asked[1], remembered[1])


class Threads(unittest.TestCase):
    def test_threads_share_a_client(self):
        client = arvados.safeapi.ThreadSafeApiCache(settings(cluster.ACTIVE))

        def make_and_find(number):
            body = {"link": {"link_class": "test", "name": f"{self.id()} {number}"}}
            made = client.links().create(body=body).execute()
            found = client.links().list(filters=[["uuid", "=", made["uuid"]]]).execute()["items"]
            client.links().delete(uuid=made["uuid"]).execute()
            return [one["name"] for one in found] == [body["link"]["name"]]

        with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
            self.assertEqual(list(pool.map(make_and_find, range(5 * THREADS))), [True] * 5 * THREADS)

    def test_one_name_is_given_once_whoever_is_first(self):
        client = arvados.safeapi.ThreadSafeApiCache(settings(cluster.ACTIVE))

        def make(_):
            try:
                body = {"group": {"name": f"{self.id()}", "group_class": "project"}}
                return client.groups().create(body=body).execute()["uuid"]
            except arvados.errors.ApiError as error:
                return error.resp.status

        with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
            answers = list(pool.map(make, range(THREADS)))
        [uuid] = [answer for answer in answers if isinstance(answer, str)]
        self.addCleanup(cluster.api(self, cluster.ACTIVE).groups().delete(uuid=uuid).execute)
        self.assertEqual([answer for answer in answers if answer != uuid], [422] * (THREADS - 1))


class Failures(unittest.TestCase):
    def test_an_error_has_its_status_and_names_the_request(self):
        client = cluster.api(self, cluster.ACTIVE)
        client.request_id = arvados.util.new_request_id()
        for call, status, text in [
            (client.collections().get(uuid="zzzzz-4zz18-000000000000000"), 404, "Path not found"),
            (client.collections().list(filters=[["nothing", "=", 1]]), 422, "nothing"),
            (client.users().create(body={"user": {}}), 403, ""),
            (client.links().create(body={"link": {"head_uuid": "x"}}), 422, "x"),
        ]:
            with self.subTest(status=status), self.assertRaises(arvados.errors.ApiError) as caught:
                call.execute()
            self.assertEqual(caught.exception.resp.status, status)
            self.assertIn(text, str(caught.exception))

    def test_what_is_larger_than_a_request_may_be_is_not_sent(self):
        client = cluster.api(self, cluster.ACTIVE)
        body = {"collection": {"description": "x" * client._rootDesc["maxRequestSize"]}}
        with self.assertRaisesRegex(Exception, "exceeds published limit"):
            client.collections().create(body=body).execute()

    def test_a_connection_that_was_closed_meanwhile_is_made_again(self):
        client = cluster.api(self, cluster.ACTIVE)
        self.assertEqual(current_user(client), ACTIVE_USER)
        cluster.close(client)
        self.assertEqual(current_user(client), ACTIVE_USER)

    def test_the_configuration_is_that_of_the_cluster(self):
        client = cluster.api(self, cluster.ACTIVE)
        config = client.config()
        if config:  # There was none in 2015.
            self.assertEqual(config["ClusterID"], client._rootDesc["uuidPrefix"])
            replication = client._rootDesc["defaultCollectionReplication"]
            self.assertEqual(config["Collections"]["DefaultReplication"], replication)
            self.assertTrue(config["StorageClasses"]["default"]["Default"])
