"""What the SDK's reference of the API says, beside what the server's discovery document does."""

import inspect
import re
import unittest

import arvados.api_resources

import cluster

def documented():
    """Each resource of the reference, each of its methods, and the names of its parameters."""
    for plural, _ in inspect.getmembers(arvados.api_resources.ArvadosAPIClient, inspect.isfunction):
        reference = getattr(arvados.api_resources, plural.title().replace("_", ""), None)
        if reference:
            for method, function in inspect.getmembers(reference, inspect.isfunction):
                parameters = set(inspect.signature(function).parameters) - {"self"}
                yield plural, method, {name.rstrip("_") for name in parameters}


class Document(unittest.TestCase):
    def setUp(self):
        self.document = cluster.api(self, cluster.ACTIVE)._rootDesc

    def test_every_method_of_the_reference_takes_its_parameters(self):
        lacking, count = set(), 0
        for plural, method, parameters in documented():
            count += 1
            served = self.document["resources"].get(plural, {"methods": {}})["methods"].get(method)
            if served is None:
                lacking.add(f"{plural}.{method}")
                continue
            taken = set(served.get("parameters", {})) | ({"body"} if "request" in served else set())
            lacking |= {f"{plural}.{method}({name})" for name in parameters - taken}
        self.assertGreater(count, 100)
        self.assertEqual(lacking, set())

    def test_every_attribute_of_the_reference_is_in_its_schema(self):
        count = 0
        for name, schema in self.document["schemas"].items():
            reference = getattr(arvados.api_resources, name, None)
            if reference and not re.search("List$", name):
                with self.subTest(name=name):
                    count += 1
                    self.assertLessEqual(set(inspect.get_annotations(reference)), set(schema["properties"]))
        self.assertGreater(count, 10)
