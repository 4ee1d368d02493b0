"""Events through the official client: over a websocket, and by polling."""

import queue
import unittest

import arvados
import arvados.events

import cluster

WAIT_SECONDS = 60


class Subscriptions(unittest.TestCase):
    def subscribe(self, token, kind, **options):
        """A client of this kind, and the messages that it is given."""
        messages = queue.Queue()
        client = arvados.events.subscribe(
            cluster.api(self, token), options.pop("filters", []), messages.put, **options
        )
        self.addCleanup(client.close, timeout=WAIT_SECONDS)
        self.assertIsInstance(client, kind)
        self.assertEqual(messages.get(timeout=WAIT_SECONDS), {"status": 200})
        return client, messages

    def make(self, token):
        """The uuid of a new collection."""
        client = cluster.api(self, token)
        body = {"collection": {"name": f"made by {self.id()}"}}
        made = client.collections().create(body=body, ensure_unique_name=True).execute()
        cluster.delete_afterwards(self, client, made["uuid"])
        return made["uuid"]

    def wait_for(self, messages, uuid):
        """The next event about an object; other suites may cause others."""
        while True:
            event = messages.get(timeout=WAIT_SECONDS)
            if event.get("object_uuid") == uuid:
                return event

    def test_events_come_over_a_websocket(self):
        _, messages = self.subscribe(
            cluster.ACTIVE, arvados.events.EventClient, poll_fallback=False
        )
        uuid = self.make(cluster.ACTIVE)
        event = self.wait_for(messages, uuid)
        self.assertEqual(event["event_type"], "create")
        self.assertEqual(event["object_kind"], "arvados#collection")
        self.assertIn(self.id(), event["properties"]["new_attributes"]["name"])

    def test_a_filter_selects_and_can_be_replaced(self):
        updates, creations = ([["event_type", "in", [kind]]] for kind in ("update", "create"))
        client, messages = self.subscribe(
            cluster.ACTIVE, arvados.events.EventClient, filters=updates, poll_fallback=False
        )
        uuid = self.make(cluster.ACTIVE)
        body = {"collection": {"properties": {"changed": True}}}
        collections = cluster.api(self, cluster.ACTIVE).collections()
        collections.update(uuid=uuid, body=body).execute()
        self.assertEqual(self.wait_for(messages, uuid)["event_type"], "update")
        client.subscribe(creations)
        client.unsubscribe(updates)
        for _ in range(2):
            self.assertEqual(messages.get(timeout=WAIT_SECONDS), {"status": 200})
        collections.update(uuid=uuid, body=body).execute()
        second = self.make(cluster.ACTIVE)
        self.assertEqual(messages.get(timeout=WAIT_SECONDS)["object_uuid"], second)

    def test_what_was_missed_is_told_after_the_last_known_id(self):
        first, second = self.make(cluster.ACTIVE), self.make(cluster.ACTIVE)
        logs = cluster.api(self, cluster.ACTIVE).logs()
        known = logs.list(filters=[["object_uuid", "=", first]]).execute()["items"][0]
        _, messages = self.subscribe(
            cluster.ACTIVE,
            arvados.events.EventClient,
            poll_fallback=False,
            last_log_id=known["id"],
        )
        event = messages.get(timeout=WAIT_SECONDS)
        self.assertEqual(event["object_uuid"], second)
        self.assertGreater(event["id"], known["id"])

    def test_users_are_told_of_what_they_may_see(self):
        _, messages = self.subscribe(
            cluster.SPECTATOR, arvados.events.EventClient, poll_fallback=False
        )
        self.make(cluster.ACTIVE)
        own = self.make(cluster.SPECTATOR)
        self.assertEqual(messages.get(timeout=WAIT_SECONDS)["object_uuid"], own)

    def test_a_lost_connection_is_made_again_and_nothing_is_missed(self):
        client, messages = self.subscribe(
            cluster.ACTIVE, arvados.events.EventClient, poll_fallback=False
        )
        self.wait_for(messages, self.make(cluster.ACTIVE))
        with self.assertLogs("arvados.events", "WARNING"):
            client._client.close()
            missed = self.make(cluster.ACTIVE)
            self.wait_for(messages, missed)

    def test_events_come_by_polling(self):
        api = cluster.api(self, cluster.ACTIVE)
        known = api.logs().list(order="id desc", limit=1).execute()["items"][0]["id"]
        messages = queue.Queue()
        poll = arvados.events.PollClient(api, [], messages.put, 0.1, known)
        self.addCleanup(poll.close, timeout=WAIT_SECONDS)
        poll.start()
        self.assertEqual(messages.get(timeout=WAIT_SECONDS), {"status": 200})
        made = [self.make(cluster.ACTIVE) for _ in range(3)]
        ids = [self.wait_for(messages, uuid)["id"] for uuid in made]
        self.assertEqual(ids, sorted(ids))
