"""Blocks: stored and read by Keep clients, and what they do when a keepstore does not answer."""

import os
import unittest
from unittest import mock

import arvados
import arvados.errors
import arvados.keep

import cluster


class Blocks(unittest.TestCase):
    def setUp(self):
        self.client = cluster.api(self, cluster.ACTIVE)
        self.copies = self.client._rootDesc["defaultCollectionReplication"]

    def keep(self, **options):
        """A client that gives up at the first failure."""
        defaults = {"api_client": self.client, "proxy": "", "local_store": "", "num_retries": 0}
        client = arvados.keep.KeepClient(**{**defaults, **options})
        if cluster.RELEASE > 2:
            self.addCleanup(client.stop_prefetch_threads)
        return client

    def test_what_is_put_is_got_and_asked_after_on_every_route(self):
        for proxy in ["", cluster.proxy_url(tls=False), cluster.proxy_url(tls=True)]:
            with self.subTest(proxy=proxy):
                data = os.urandom(1000)
                locator = self.keep(proxy=proxy).put(data, copies=self.copies)
                self.assertRegex(locator, r"\A[0-9a-f]{32}\+1000\+A[0-9a-f]{40}@[0-9a-f]{8}\Z")
                self.assertTrue(self.keep(proxy=proxy).head(locator))
                self.assertEqual(self.keep(proxy=proxy).get(locator), data)

    def test_a_client_uses_the_proxy_that_the_environment_names(self):
        with mock.patch.dict(os.environ, ARVADOS_KEEP_SERVICES=cluster.proxy_url(tls=False)):
            self.addCleanup(arvados.config.initialize)
            arvados.config.initialize()
            keep = self.keep(proxy=None)
        self.assertTrue(keep.using_proxy)
        self.assertEqual(keep.get(keep.put(b"foo", copies=1)), b"foo")

    def test_as_many_copies_are_made_as_are_asked_for(self):
        keep = self.keep()
        locator = keep.put(os.urandom(100), copies=self.copies)
        services = self.client.keep_services().accessible().execute()["items"]
        found = 0
        for service in services:
            proxy = f"http://{service['service_host']}:{service['service_port']}"
            try:
                found += self.keep(proxy=proxy).head(locator)
            except arvados.errors.NotFoundError:
                pass
        # Copies are made at once, so that there may be more.
        self.assertGreaterEqual(found, self.copies)
        with self.assertRaisesRegex(arvados.errors.KeepWriteError, "(?i)wrote|copies|replica"):
            keep.put(os.urandom(100), copies=len(services) + 1)

    def test_a_keepstore_that_is_not_there_is_passed_over_in_reading(self):
        data = os.urandom(100)
        locator = self.keep().put(data, copies=self.copies)
        with cluster.refusing_port() as port:
            lost = {"service_host": "127.0.0.1", "service_port": port, "service_type": "disk"}
            admin = cluster.api(self, cluster.ADMIN)
            uuids = [admin.keep_services().create(body={"keep_service": lost}).execute()["uuid"] for _ in range(3)]
            try:
                keep = self.keep()
                self.assertEqual(keep.get(locator), data)
                self.assertTrue(self.keep().get(self.keep().put(data, copies=1)), data)
            finally:
                for uuid in uuids:
                    admin.keep_services().delete(uuid=uuid).execute()

    def test_nothing_is_stored_where_nobody_answers(self):
        with cluster.refusing_port() as port:
            keep = self.keep(proxy=f"http://127.0.0.1:{port}")
            self.assertRaises(arvados.errors.KeepWriteError, keep.put, b"foo")
            self.assertRaises(arvados.errors.KeepReadError, keep.get, "acbd18db4cc2f85cedef654fccc4a4d8+3")

    def test_a_token_that_is_not_known_stores_nothing(self):
        # Keepstores ask nobody whose it is, keepproxy does.
        for token in [cluster.UNKNOWN, cluster.EXPIRED]:
            for tls in [False, True]:
                with self.subTest(token=token, tls=tls):
                    keep = self.keep(proxy=cluster.proxy_url(tls))
                    keep.api_token = token
                    self.assertRaises(arvados.errors.KeepWriteError, keep.put, os.urandom(100))

    def test_a_folder_is_used_in_place_of_keepstores(self):
        keep = self.keep(local_store=str(cluster.temporary_folder(self)))
        locator = keep.put(b"foo")
        self.assertEqual((locator, keep.get(locator)), ("acbd18db4cc2f85cedef654fccc4a4d8+3", b"foo"))
        self.assertTrue(keep.head(locator))
