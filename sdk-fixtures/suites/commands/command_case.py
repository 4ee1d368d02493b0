"""What the tests of command-line clients have in common."""

import unittest

import cluster


class CommandCase(unittest.TestCase):
    """Runs commands that give up at the first failure, and tidies up after them."""

    def setUp(self):
        self.folder = cluster.temporary_folder(self)

    def write(self, name, content):
        """A file in the test's folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def succeed(self, program, *arguments, **options):
        """What a command that must succeed has printed."""
        done = cluster.run(self, program, *arguments, **options)
        self.assertEqual(done.returncode, 0, done.stderr.decode(errors="replace"))
        return done

    def fail_with(self, code, text, program, *arguments, **options):
        """A command must end with `code`, say `text` on standard error, and print nothing."""
        done = cluster.run(self, program, *arguments, **options)
        message = done.stderr.decode(errors="replace")
        self.assertEqual((done.returncode, done.stdout), (code, b""), message)
        self.assertIn(text, message)
        return done

    def put(self, *arguments, token=cluster.ACTIVE, **options):
        """`arv-put`, which must succeed; the new collection goes after the test."""
        arguments = ["--no-progress", "--retries", 0, *arguments]
        printed = self.succeed("arv-put", *arguments, token=token, **options).stdout.decode()
        self.assertRegex(printed, r"\Azzzzz-4zz18-[0-9a-z]{15}\n\Z")
        uuid = printed.strip()
        cluster.delete_afterwards(self, cluster.api(self, token), uuid)
        return uuid

    def get(self, *arguments, **options):
        """What `arv-get`, which must succeed, writes to standard output."""
        return self.succeed("arv-get", "--retries", 0, *arguments, **options).stdout

    def list(self, locator, *options):
        """The files that `arv-ls` lists, sorted."""
        listed = self.succeed("arv-ls", "--retries", 0, *options, locator).stdout.decode()
        return sorted(listed.splitlines())

    def record(self, uuid, token=cluster.ACTIVE):
        """What the API server has of a collection."""
        return cluster.api(self, token).collections().get(uuid=uuid).execute()
