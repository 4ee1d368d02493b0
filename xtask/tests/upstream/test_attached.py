"""What a suite of an Arvados checkout relies on."""

import os
import unittest
import urllib.request

from . import run_test_server

TOKEN = "atokenthatonlythischeckouthas"


class Attached(unittest.TestCase):
    def test_the_cluster_is_found_and_reset(self):
        run_test_server.find_server()
        done = run_test_server.request("/database/reset", TOKEN, "POST")
        self.assertIn(b'"success":true', done)

    def test_it_has_the_fixtures_of_the_checkout(self):
        user = run_test_server.request("/arvados/v1/users/current", TOKEN)
        self.assertIn(b'"first_name":"Checked"', user)

    def test_a_keepstore_of_its_own_is_started(self):
        process, port, volume = run_test_server.start_keepstore()
        try:
            url = "http://127.0.0.1:%d/acbd18db4cc2f85cedef654fccc4a4d8" % port
            put = urllib.request.Request(url, data=b"foo", method="PUT")
            with urllib.request.urlopen(put, timeout=30) as reply:
                self.assertEqual(reply.read(), b"acbd18db4cc2f85cedef654fccc4a4d8+3\n")
            self.assertTrue(os.path.exists(volume + "/acb/acbd18db4cc2f85cedef654fccc4a4d8"))
        finally:
            run_test_server.stop_keepstore(process, volume)

    def test_what_it_writes_is_not_written_to_the_checkout(self):
        for folder in [run_test_server.TMP, os.getcwd(), os.environ["HOME"]]:
            with open(os.path.join(folder, "litter"), "w") as file:
                file.write("x")
