"""Model files that change while they load or serve, and files that are none."""

import json
import os
import random
import shutil
import time

import environment
from repository_test import TRIES, RepositoryCase, logits
from server import run_to_exit


class ChangingFilesTest(RepositoryCase):
    """Files that are spoilt while they load and while they serve."""

    def spoil(self, directory, rng):
        path = directory / rng.choice(sorted(os.listdir(directory)))
        size = path.stat().st_size
        action = rng.choice(["truncate", "empty", "overwrite", "delete",
                             "replace", "append"])
        if action == "truncate":
            os.truncate(path, rng.randrange(size + 1))
        elif action == "empty":
            os.truncate(path, 0)
        elif action == "overwrite":
            with open(path, "r+b") as file:
                file.seek(rng.randrange(size + 1))
                file.write(rng.randbytes(rng.randrange(1, 5000)))
        elif action == "delete":
            path.unlink()
        elif action == "replace":
            other = directory / "other"
            other.write_bytes(rng.randbytes(rng.randrange(10000)))
            other.rename(path)
        else:
            with open(path, "ab") as file:
                file.write(rng.randbytes(5000))
        return f"{action} {path.name}"

    def test_spoilt_while_they_load_or_serve(self):
        big = environment.ROOT / "demo/section-classifier"
        self.put(big, "m")
        fixed = self.root / "fixed"
        shutil.copytree(self.one, fixed)
        server = self.server(models={"fixed": fixed})
        client = self.client(server)
        first, other = logits(client), logits(client, "fixed")
        rng = random.Random(13)
        for turn in range(TRIES):
            # Over the files that are there, as cp does.
            shutil.copytree(big, self.repository / "m", dirs_exist_ok=True)
            self.reload(server)
            # A load takes about 0.15 s.
            time.sleep(rng.uniform(0, 0.2))
            done = self.spoil(self.repository / "m", rng)
            with self.subTest(turn=turn, done=done):
                self.assertEqual(logits(client), first)
                self.reload(server)
                if fixed.exists():
                    self.spoil(fixed, rng)
                    if not os.listdir(fixed):
                        fixed.rmdir()
                self.assertEqual(logits(client, "fixed"), other)
                self.assertIsNone(server.process.poll())
        self.put(self.one, "whole")
        self.reload_and_wait(server, "loaded", "whole")
        self.assertEqual(logits(client, "whole"), other)
        self.assertEqual(logits(client), first)

    def test_what_is_no_file_is_refused_at_once(self):
        self.put(self.one, "m")
        server = self.server()
        client = self.client(server)
        first = logits(client)
        for name in ("config.json", "model.safetensors", "tokenizer.json",
                     "deberta.json", "tokenizer_config.json"):
            for kind, make_it in (
                    ("FIFO", os.mkfifo),
                    ("directory", os.mkdir),
                    ("endless", lambda path: os.symlink("/dev/zero", path))):
                source = self.root / "spoilt"
                shutil.rmtree(source, ignore_errors=True)
                shutil.copytree(self.one, source)
                (source / name).unlink(missing_ok=True)
                make_it(source / name)
                with self.subTest(name=name, kind=kind):
                    code, output = run_to_exit(
                        environment.server_binary(), f"--models={source}",
                        "--listen=127.0.0.1:0", "--metrics_listen=127.0.0.1:0",
                        seconds=20)
                    self.assertEqual(code, 1)
                    self.assertIn(name, output)
                    self.assertIn("expected a regular file", output)
                    if kind != "endless":
                        shutil.rmtree(self.repository / "m")
                        source.rename(self.repository / "m")
                        self.reload_and_wait(server, "failed")
                        self.assertEqual(logits(client), first)
