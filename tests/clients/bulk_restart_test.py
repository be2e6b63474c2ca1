#!/usr/bin/env python3
"""`deberta-client bulk` where servers go and come back, and where it is itself
stopped.  bulk_restart_test.py BUILD_DIR WORK_DIR"""

import contextlib
import os
import signal

import bulk_case
from bulk_case import (CLASSIFY, SOON, Case, Running, kill, read_lines, run, serve)
from python_client_test import MODEL, free_port


class RestartTest(Case):
    # More than a second's work of a fast machine, as progress is told each second.
    COUNT = 8000

    def test_one_of_two_servers_is_killed_and_comes_back(self):
        source = self.table(self.COUNT)
        port = free_port()
        with contextlib.ExitStack() as stack:
            second = serve("second", port)
            stack.callback(lambda: kill(second))
            running = Running("classify", source, self.output,
                              f"{self.target},127.0.0.1:{port}", *CLASSIFY)
            running.until(lambda t: all(s["rows"] > 100 for s in t["servers"]))
            # The first holds what it was asked, so that the run cannot end before
            # the second is back.
            self.server.process.send_signal(signal.SIGSTOP)
            stack.callback(lambda: self.server.process.send_signal(signal.SIGCONT))
            kill(second)
            gone = running.until(lambda t: not t["servers"][1]["connected"])
            second = serve("second_again", port)
            running.until(lambda t: t["servers"][1]["rows"] >
                          gone["servers"][1]["rows"] + 50)
            self.server.process.send_signal(signal.SIGCONT)
            running.end()
        self.check_once_each(running)

    def test_one_of_two_servers_is_killed_and_the_other_goes_on(self):
        source = self.table(self.COUNT)
        with serve("killed") as second:
            running = Running("classify", source, self.output,
                              f"{self.target},127.0.0.1:{second.port()}", *CLASSIFY)
            running.until(lambda t: all(s["rows"] > 100 for s in t["servers"]))
            kill(second)
            running.end()
        self.check_once_each(running)

    def check_once_each(self, running):
        last = running.told[-1]
        self.assertEqual((last["rows"], last["errors"], last["done"]),
                         (self.COUNT, 0, True))
        self.assertEqual(sum(s["rows"] for s in last["servers"]), self.COUNT)
        self.check_labels(read_lines(self.output), self.COUNT)

    def test_the_only_server_is_killed_and_comes_back(self):
        count = 1500
        source = self.table(count)
        port = free_port()
        first = serve("only", port)
        running = Running("classify", source, self.output, f"127.0.0.1:{port}",
                          *CLASSIFY)
        running.until(lambda t: t["rows"] > 100)
        kill(first)
        with serve("only_again", port):
            running.end()
        self.check_labels(read_lines(self.output), count)

    def test_a_server_that_hangs_is_given_up(self):
        source = self.table(self.COUNT)
        with serve("hanging") as second:
            running = Running("classify", source, self.output,
                              f"{self.target},127.0.0.1:{second.port()}",
                              *CLASSIFY, "--stall_seconds=2")
            running.until(lambda t: all(s["rows"] > 50 for s in t["servers"]))
            second.process.send_signal(signal.SIGSTOP)
            running.end()
            second.process.send_signal(signal.SIGCONT)
        self.check_labels(read_lines(self.output), self.COUNT)


class ResumeTest(Case):
    # Some seconds' work, so that a run is still under way when it is stopped.
    COUNT = 4000

    def stopped(self, number, code):
        """A run that a signal ended; what it left."""
        source = self.table(self.COUNT)
        running = Running("classify", source, self.output, self.target, *CLASSIFY)
        running.until(lambda t: t["rows"] > 200)
        running.process.send_signal(number)
        said = running.end(code)
        self.assertEqual(self.left(),
                         ["in.jsonl", "out.jsonl.job", "out.jsonl.partial"])
        return source, said

    def goes_on(self, source, least, *flags):
        running = Running("classify", source, self.output, self.target, *CLASSIFY,
                          *flags)
        running.end()
        # What was answered is not asked again.
        asked = sum(s["rows"] for s in running.told[-1]["servers"])
        self.assertEqual(asked, self.COUNT - least)
        self.check_labels(read_lines(self.output), self.COUNT)
        self.assertEqual(self.left(), ["in.jsonl", "out.jsonl"])

    def test_after_a_signal(self):
        source, said = self.stopped(signal.SIGTERM, 3)
        self.assertIn("stopped: SIGTERM", said)
        partial = self.folder / "out.jsonl.partial"
        rows = read_lines(partial)  # all whole
        self.check_labels(rows, len(rows))
        self.goes_on(source, len(rows))

    def test_after_it_was_killed_and_its_last_line_cut(self):
        source, _ = self.stopped(signal.SIGKILL, -signal.SIGKILL)
        partial = self.folder / "out.jsonl.partial"
        whole = partial.read_bytes().splitlines(keepends=True)
        whole = [line for line in whole if line.endswith(b"\n")]
        for cut in (len(whole[-1]) // 2, 1):  # one half, one without its newline
            partial.write_bytes(b"".join(whole)[:-cut])
            with self.subTest(cut=cut):
                self.goes_on(source, len(whole) - 1)
            # As it was.
            os.rename(self.output, partial)
            (self.folder / "out.jsonl.job").write_text(self.job(source))

    def job(self, source):
        """What a run that has not ended leaves."""
        other = self.folder / "other.jsonl"
        run("classify", source, other, f"127.0.0.1:{free_port()}", *CLASSIFY, SOON,
            code=3)
        text = other.with_name("other.jsonl.job").read_text()
        for path in self.folder.glob("other*"):
            path.unlink()
        return text

    def test_garbage_after_a_crash_is_asked_again(self):
        source, _ = self.stopped(signal.SIGINT, 3)
        partial = self.folder / "out.jsonl.partial"
        rows = len(read_lines(partial))
        with open(partial, "ab") as file:
            file.write(b"\0" * 4096 + b"\n{}\n")
        self.goes_on(source, rows)

    def test_another_run_is_not_gone_on_with(self):
        source, _ = self.stopped(signal.SIGINT, 3)

        def refused(wanted, *flags, of=source):
            _, said = run("classify", of, self.output, self.target, *flags, code=2)
            self.assertIn(wanted, said)
        refused("begun with key='id'", f"--model={MODEL}", "--top_k=1")
        refused("begun with options=", *CLASSIFY, "--top_k=2")
        refused("begun with input=", *CLASSIFY, of=self.table(9, "other.jsonl"))
        (self.folder / "other.jsonl").unlink()
        partial = self.folder / "out.jsonl.partial"
        lines = partial.read_text().splitlines(keepends=True)
        partial.write_text("".join(lines[1:]))
        refused("line 1 has the key 'row-1', row 1 of the input 'row-0'", *CLASSIFY)
        self.goes_on(source, 0, "--restart")
        refused("exists; --restart replaces it", *CLASSIFY)
        with open(source, "a") as file:
            file.write(f'{{"id": "row-{self.COUNT}", "text": "more"}}\n')
        self.goes_on_fresh(source)

    def goes_on_fresh(self, source):
        run("classify", source, self.output, self.target, *CLASSIFY, "--restart")
        self.assertEqual(len(read_lines(self.output)), self.COUNT + 1)

    def test_two_runs_do_not_write_one_output(self):
        source = self.table(8 * self.COUNT)
        running = Running("classify", source, self.output, self.target, *CLASSIFY)
        running.until(lambda t: t["rows"] > 0)
        running.process.send_signal(signal.SIGSTOP)  # it does not end meanwhile
        _, said = run("classify", source, self.output, self.target, *CLASSIFY,
                      code=2)
        self.assertIn("being written by another run", said)
        running.process.kill()
        running.end(-signal.SIGKILL)


if __name__ == "__main__":
    bulk_case.main(__doc__)
