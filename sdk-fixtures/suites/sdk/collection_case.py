"""What the tests of Collection objects have in common."""

import unittest

import arvados
import arvados.collection

import cluster


class CollectionCase(unittest.TestCase):
    """Collections of one user, on keepstores that nothing is remembered of."""

    def setUp(self):
        self.client = cluster.api(self, cluster.ACTIVE)
        self.replicas = self.client._rootDesc["defaultCollectionReplication"]

    def collection(self, locator=None, kind=arvados.collection.Collection):
        """One to be made, or the one that is stored there."""
        collection = kind(
            locator,
            api_client=self.client,
            keep_client=cluster.keep(self, self.client),
            num_retries=0,
            replication_desired=self.replicas,
        )
        self.addCleanup(collection.stop_threads)
        return collection

    def reader(self, locator):
        return self.collection(locator, arvados.collection.CollectionReader)

    def write(self, collection, contents):
        for path, content in contents.items():
            with collection.open(path, "wb") as file:
                file.write(content)
        return collection

    def save_new(self, collection, **options):
        """Stores a new collection, which goes after the test; its uuid."""
        collection.save_new(f"made by {self.id()}", ensure_unique_name=True, **options)
        uuid = collection.manifest_locator()
        cluster.delete_afterwards(self, self.client, uuid)
        return uuid

    def saved(self, contents):
        """The uuid of a new collection of these files."""
        return self.save_new(self.write(self.collection(), contents))

    def contents(self, collection):
        """What is in each file, by its path."""
        found = {}
        for name in collection:
            item = collection[name]
            if isinstance(item, arvados.collection.Subcollection):
                found.update({f"{name}/{path}": content for path, content in self.contents(item).items()})
            else:
                with collection.open(name, "rb") as file:
                    found[name] = file.read()
        return found

    def assert_stored(self, locator, contents):
        """Read by an object that has seen nothing yet."""
        self.assertEqual(self.contents(self.reader(locator)), contents)
