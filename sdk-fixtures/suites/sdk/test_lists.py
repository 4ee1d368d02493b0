"""Long lists: all of more than a thousand objects, in every order, by page and by filter."""

import concurrent.futures
import os
import unittest

import arvados
import arvados.safeapi
import arvados.util

import cluster
from test_clients import settings

COUNT = 1050
LINK_CLASS = "listed " + os.urandom(4).hex()


class Lists(unittest.TestCase):
    """Of links, since they cost least; numbered in their properties."""

    @classmethod
    def setUpClass(cls):
        cls.client = arvados.safeapi.ThreadSafeApiCache(settings(cluster.ACTIVE))
        cls.uuids = set(cls.in_threads(cls.make, range(COUNT)))

    @classmethod
    def tearDownClass(cls):
        cls.in_threads(lambda uuid: cls.client.links().delete(uuid=uuid).execute(), cls.uuids)

    @classmethod
    def in_threads(cls, function, values):
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            return list(pool.map(function, values))

    @classmethod
    def make(cls, number):
        link = {"link_class": LINK_CLASS, "name": f"{number:04}", "properties": {"n": number}}
        return cls.client.links().create(body={"link": link}).execute()["uuid"]

    def list(self, **options):
        filters = [["link_class", "=", LINK_CLASS], *options.pop("filters", [])]
        return self.client.links().list(filters=filters, **options).execute()

    def every(self, **options):
        """The links, in pages of which each begins where the one before has ended."""
        filters = [["link_class", "=", LINK_CLASS], *options.pop("filters", [])]
        return list(arvados.util.keyset_list_all(self.client.links().list, filters=filters, **options))

    def assert_all(self, links):
        self.assertEqual(len(links), COUNT)
        self.assertEqual({link["uuid"] for link in links}, self.uuids)

    def test_all_in_the_order_in_which_they_were_made(self):
        for ascending in [True, False]:
            with self.subTest(ascending=ascending):
                links = self.every(ascending=ascending)
                self.assert_all(links)
                order = [(link["created_at"], link["uuid"]) for link in links]
                self.assertEqual(order, sorted(order, reverse=not ascending))

    def test_all_by_another_attribute(self):
        links = self.every(order_key="name")
        self.assertEqual([link["name"] for link in links], [f"{number:04}" for number in range(COUNT)])

    def test_all_by_an_attribute_in_which_they_are_the_same(self):
        self.assert_all(self.every(order_key="link_class"))

    def test_all_with_some_attributes(self):
        links = self.every(select=["created_at", "name", "uuid"])
        self.assert_all(links)
        self.assertLessEqual(set(links[0]), {"created_at", "etag", "href", "kind", "name", "uuid"})

    def test_all_that_a_filter_selects(self):
        links = self.every(filters=[["name", "like", "00%"]])
        self.assertEqual(len(links), 100)

    @unittest.skipUnless(hasattr(arvados.util, "list_all"), "today's SDK has it no more")
    def test_all_by_number(self):
        options = {"filters": [["link_class", "=", LINK_CLASS]], "order": ["name desc"]}
        links = arvados.util.list_all(self.client.links().list, limit=500, **options)
        self.assertEqual([link["name"] for link in links], [f"{number:04}" for number in reversed(range(COUNT))])

    def test_a_page_is_a_hundred_unless_more_are_asked_for_and_a_thousand_at_most(self):
        for limit, expected in [({}, 100), ({"limit": 0}, 0), ({"limit": 7}, 7), ({"limit": 5000}, 1000)]:
            with self.subTest(limit=limit):
                page = self.list(**limit)
                self.assertEqual((len(page["items"]), page["limit"]), (expected, expected))
                self.assertEqual((page["items_available"], page["offset"]), (COUNT, 0))

    def test_pages_by_offset_leave_nothing_out(self):
        links = []
        while len(links) < COUNT:
            page = self.list(limit=400, offset=len(links), order="name")
            self.assertEqual(page["offset"], len(links))
            links += page["items"]
        self.assertEqual([link["name"] for link in links], [f"{number:04}" for number in range(COUNT)])
        self.assertEqual(self.list(offset=COUNT)["items"], [])

    def test_orders_and_filters(self):
        names = lambda **options: [link["name"] for link in self.list(limit=3, **options)["items"]]
        self.assertEqual(names(order=["name desc"]), ["1049", "1048", "1047"])
        self.assertEqual(names(order="link_class asc, name asc"), ["0000", "0001", "0002"])
        named = lambda *condition: names(order="name", filters=[["name", *condition]])
        self.assertEqual(named(">", "1047"), ["1048", "1049"])
        self.assertEqual(named(">=", "1047"), ["1047", "1048", "1049"])
        self.assertEqual(named("in", ["0500", "0400", "none"]), ["0400", "0500"])
        self.assertEqual(named("not in", ["0000", "0002"]), ["0001", "0003", "0004"])
        self.assertEqual(named("!=", "0000"), ["0001", "0002", "0003"])
        self.assertEqual(named("like", "%33"), ["0033", "0133", "0233"])
        self.assertEqual(named("=", None), [])
        self.assertEqual(names(filters=[["uuid", "is_a", "arvados#collection"]]), [])

    def test_values_within_properties_are_compared(self):
        if "containers" not in self.client._rootDesc["resources"]:
            self.skipTest("a server of 2015 compares whole attributes only")
        found = self.list(filters=[["properties.n", "<", 3]], order="name", count="none")
        self.assertEqual([link["properties"]["n"] for link in found["items"]], [0, 1, 2])
        self.assertNotIn("items_available", found)

    def test_each_value_once(self):
        found = self.list(select=["link_class"], distinct=True)
        self.assertEqual([link["link_class"] for link in found["items"]], [LINK_CLASS])
