"""Events, as they are told over a websocket and by asking for log entries."""

import os
import queue
import unittest
from unittest import mock

import arvados
import arvados.events

import cluster

WAIT_SECONDS = 120
POLL_SECONDS = 0.1


class Following:
    """A client that follows from a known entry on misses nothing, however slow it is."""

    def follow(self, filters, known):
        """A client of the kind that a test case is about, and the messages that it is given."""
        raise NotImplementedError

    def setUp(self):
        self.api = cluster.api(self, cluster.ACTIVE)

    def last_entry(self):
        return self.api.logs().list(order="id desc", limit=1).execute()["items"][0]["id"]

    def started(self, filters):
        """A client of events from now on, which is told first that it has subscribed."""
        client, messages = self.follow(filters, self.last_entry())
        self.addCleanup(client.close, timeout=WAIT_SECONDS)
        self.assert_told(messages)
        return client, messages

    def assert_told(self, messages):
        """The next message that is no event tells that something was done."""
        message = messages.get(timeout=WAIT_SECONDS)
        while "event_type" in message:
            message = messages.get(timeout=WAIT_SECONDS)
        self.assertEqual(message["status"], 200)

    def events(self, messages, uuid, count):
        """The next events of an object."""
        found = []
        while len(found) < count:
            message = messages.get(timeout=WAIT_SECONDS)
            if message.get("object_uuid") == uuid:
                found.append(message)
        return found

    def make_change_delete(self):
        """The uuid of a link of which there are three events."""
        links = self.api.links()
        body = {"link": {"link_class": "test", "name": self.id()}}
        uuid = links.create(body=body).execute()["uuid"]
        links.update(uuid=uuid, body={"link": {"name": "changed"}}).execute()
        links.delete(uuid=uuid).execute()
        return uuid

    def test_what_happens_to_an_object_is_told_in_order(self):
        _, messages = self.started([])
        uuid = self.make_change_delete()
        told = self.events(messages, uuid, 3)
        self.assertEqual([event["event_type"] for event in told[:2]], ["create", "update"])
        self.assertIn(told[2]["event_type"], {"delete", "destroy"})
        self.assertEqual({event["object_kind"] for event in told}, {"arvados#link"})
        numbers = [event["id"] for event in told]
        self.assertEqual(numbers, sorted(numbers))
        self.assertEqual(told[1]["properties"]["new_attributes"]["name"], "changed")

    def test_only_what_is_subscribed_to_is_told(self):
        _, messages = self.started([["event_type", "in", ["update"]]])
        uuids = [self.make_change_delete() for _ in range(2)]
        told = [messages.get(timeout=WAIT_SECONDS) for _ in uuids]
        self.assertEqual([(event["object_uuid"], event["event_type"]) for event in told],
                         [(uuid, "update") for uuid in uuids])

    def test_what_another_user_sees_is_not_told(self):
        _, messages = self.started([["event_type", "in", ["create"]]])
        body = {"link": {"link_class": "test", "name": self.id()}}
        foreign = cluster.api(self, cluster.SPECTATOR).links().create(body=body).execute()["uuid"]
        self.addCleanup(cluster.api(self, cluster.ADMIN).links().delete(uuid=foreign).execute)
        uuid = self.make_change_delete()
        self.assertEqual(messages.get(timeout=WAIT_SECONDS)["object_uuid"], uuid)


@unittest.skipUnless(cluster.CA_CERT, "ARVADOS_TEST_CA_CERT is not set")
class OverWebsocket(Following, unittest.TestCase):
    def follow(self, filters, known):
        messages = queue.Queue()
        # A client of version 2 verifies the server here, whether it is asked to or not.
        with mock.patch.dict(os.environ, SSL_CERT_FILE=cluster.CA_CERT):
            client = arvados.events.subscribe(
                self.api, filters, messages.put, poll_fallback=False, last_log_id=known
            )
        self.assertIsInstance(client, arvados.events.EventClient)
        return client, messages

    def test_subscriptions_are_added_and_ended(self):
        updates, creations = ([["event_type", "in", [kind]]] for kind in ("update", "create"))
        client, messages = self.started(updates)
        client.subscribe(creations)
        self.assert_told(messages)
        uuid = self.make_change_delete()
        kinds = {event["event_type"] for event in self.events(messages, uuid, 2)}
        self.assertEqual(kinds, {"create", "update"})
        client.unsubscribe(updates)
        self.assert_told(messages)
        uuids = [self.make_change_delete() for _ in range(2)]
        told = [messages.get(timeout=WAIT_SECONDS) for _ in uuids]
        self.assertEqual([(event["object_uuid"], event["event_type"]) for event in told],
                         [(uuid, "create") for uuid in uuids])


class ByPolling(Following, unittest.TestCase):
    def follow(self, filters, known):
        messages = queue.Queue()
        settings = arvados.config.settings()
        settings["ARVADOS_DISABLE_WEBSOCKETS"] = "true"
        self.addCleanup(settings.pop, "ARVADOS_DISABLE_WEBSOCKETS", None)
        # It is asked in another thread, in which another client has to be.
        api = cluster.api(self, cluster.ACTIVE)
        client = arvados.events.subscribe(api, filters, messages.put, POLL_SECONDS, known)
        self.assertIsInstance(client, arvados.events.PollClient)
        return client, messages
