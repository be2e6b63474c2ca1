#!/usr/bin/env python3
"""A real Prometheus scrapes a real server under load: every query of the
dashboard, of the autoscaler's rule and every recording rule must have an answer.

observed_test.py BUILD_DIR WORK_DIR, with prometheus on PATH. Some 30 s.
"""

import math
import pathlib
import re
import shutil
import sys
import threading
import time
import unittest
import urllib.request

import yaml

from observed import FILES, PAUSE, ROOT, Observed, dashboard, expand, groups
from served import eventually

RATE_INTERVAL = "10s"
LOAD_SECONDS = 12
build, work = None, None

CALLS = (
    ("classify", "--model=section-classifier", "A chess engine with books."),
    ("tag", "Fetches mail over IMAP, written in Rust."),
    ("answer", "--question=What section?", "Package: qpdf\nSection: text"),
    ("fill", "QPDF is a program to inspect PDF [MASK]."),
    ("classify", "--model=none", "is refused"),
    ("embed", "--model=tech-tagger", "Fetches mail over IMAP."),
)


class ObservedTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        models = ",".join(str(p.parent) for p in
                          sorted((ROOT / "demo").glob("*/model.safetensors")))
        cls.observed = Observed(build, work, f"--models={models}")
        cls.addClassCleanup(cls.observed.stop)
        cls.load()
        eventually(20, lambda: cls.observed.answers(
            "model:deberta_slow:ratio_rate3d"), "the rules are evaluated", PAUSE)

    @classmethod
    def load(cls):
        end = time.monotonic() + LOAD_SECONDS

        def caller():
            while time.monotonic() < end:
                for call in CALLS:
                    cls.observed.ask(*call)
        callers = [threading.Thread(target=caller) for _ in range(2)]
        for thread in callers:
            thread.start()
        for thread in callers:
            thread.join()

    def check(self, query):
        found = self.observed.answers(query)
        self.assertTrue(found, f"no answer: {query}")
        for series in found:
            self.assertFalse(math.isinf(float(series["value"][1])), query)
        # A quantile of no calls is NaN, of some task or model it is none.
        self.assertTrue(any(not math.isnan(float(s["value"][1]))
                            for s in found), query)
        return found

    def test_every_panel_has_an_answer(self):
        panels = [p for p in dashboard()["panels"] if p["type"] != "row"]
        self.assertGreater(len(panels), 20)
        for panel in panels:
            for target in panel["targets"]:
                with self.subTest(panel=panel["title"]):
                    found = self.check(expand(target["expr"], RATE_INTERVAL))
                    for label in re.findall(r"{{(\w+)}}",
                                            target["legendFormat"]):
                        self.assertTrue(all(label in s["metric"] for s in found)
                                        or "vector(0)" in target["expr"], label)

    def test_variables_have_values(self):
        for variable in dashboard()["templating"]["list"]:
            if variable["type"] != "query":
                continue
            with self.subTest(variable=variable["name"]):
                of, label = re.fullmatch(r"label_values\((.*), (\w+)\)",
                                         variable["definition"]).groups()
                found = self.check(expand(of, RATE_INTERVAL))
                self.assertTrue(all(series["metric"][label] for series in found))

    def test_panels_do_not_overlap(self):
        taken = set()
        for panel in dashboard()["panels"]:
            at = panel["gridPos"]
            self.assertLessEqual(at["x"] + at["w"], 24)
            cells = {(x, y) for x in range(at["x"], at["x"] + at["w"])
                     for y in range(at["y"], at["y"] + at["h"])}
            self.assertFalse(taken & cells, panel["title"])
            taken |= cells
        ids = [panel["id"] for panel in dashboard()["panels"]]
        self.assertEqual(len(ids), len(set(ids)))

    def test_every_recording_rule_has_an_answer(self):
        recorded = [rule["record"] for group in groups()
                    for rule in group["rules"] if "record" in rule]
        self.assertGreater(len(recorded), 10)
        for name in recorded:
            with self.subTest(rule=name):
                self.check(name)

    def test_alerts_are_evaluated_and_silent(self):
        for group in self.observed.get("rules")["groups"]:
            for rule in group["rules"]:
                with self.subTest(rule=rule["name"]):
                    self.assertEqual(rule["health"], "ok",
                                     rule.get("lastError"))
                    self.assertNotEqual(rule.get("state"), "firing")

    def test_alerts_and_panels_name_series_that_exist(self):
        """A misspelt metric of an alert would never fire."""
        with urllib.request.urlopen(self.observed.metrics_url, timeout=30) as reply:
            exported = set(re.findall(r"^# TYPE (\w+)", reply.read().decode(),
                                      re.MULTILINE))
        texts = [rule["expr"] for group in groups() for rule in group["rules"]]
        texts += [t["expr"] for p in dashboard()["panels"]
                  for t in p.get("targets", [])]
        for name in set(re.findall(
                r"(?<![\w:])(?:deberta|process)_\w+(?!:)\b", " ".join(texts))):
            if re.search(rf"\w:{name}|{name}:", " ".join(texts)) and \
                    name not in exported:
                continue  # part of the name of a recording rule
            name = re.sub(r"_(bucket|sum|count)$", "", name)
            self.assertIn(name, exported)

    def test_what_the_autoscaler_asks_for(self):
        adapter = yaml.safe_load(
            (ROOT / "deploy/prometheus-adapter.yml").read_text("utf-8"))
        rule, = adapter["rules"]["custom"]
        series = rule["seriesQuery"].split("{")[0]
        self.assertTrue(self.observed.get("series", **{"match[]": rule["seriesQuery"]}))
        query = rule["metricsQuery"]
        for place, value in (("<<.GroupBy>>", "pod"), ("<<.Series>>", series),
                             ("<<.LabelMatchers>>",
                              'namespace="models",pod=~"deberta-server-0"')):
            self.assertIn(place, query)
            query = query.replace(place, value)
        found, = self.check(query)
        self.assertEqual(found["metric"], {"pod": "deberta-server-0"})
        hpa = (FILES.parent / "templates/horizontalpodautoscaler.yaml")
        self.assertIn(f"name: {rule['name']['as']}\n", hpa.read_text("utf-8"))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    build = pathlib.Path(sys.argv[1]).resolve()
    work = pathlib.Path(sys.argv[2]).resolve() / "observed"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    unittest.main(argv=sys.argv[:1])
