#!/usr/bin/env python3
"""deploy/compose.yaml against the Compose specification, and what it mounts.

compose_test.py SCHEMA
"""

import json
import pathlib
import sys
import unittest

import jsonschema
import yaml

DEPLOY = pathlib.Path(__file__).resolve().parents[2] / "deploy"
schema = None


class ComposeTest(unittest.TestCase):
    def setUp(self):
        self.compose = yaml.safe_load(
            (DEPLOY / "compose.yaml").read_text("utf-8"))

    def test_fits_the_specification(self):
        jsonschema.validate(self.compose, schema)

    def test_mounts_what_is_there(self):
        for name, service in self.compose["services"].items():
            for volume in service.get("volumes", []):
                source, target = volume.split(":")[:2]
                with self.subTest(service=name, volume=volume):
                    if source.startswith("."):
                        self.assertTrue((DEPLOY / source).exists())
                    else:
                        self.assertIn(source, self.compose["volumes"])
                    self.assertTrue(target.startswith("/"))

    def test_prometheus_finds_its_rules(self):
        config = yaml.safe_load((DEPLOY / "prometheus.yml").read_text("utf-8"))
        mounts = [v.split(":")[1] for v in
                  self.compose["services"]["prometheus"]["volumes"]]
        for rules in config["rule_files"]:
            self.assertIn(f"/etc/prometheus/{rules}", mounts)
        job, = config["scrape_configs"]
        names, = (d["names"] for d in job["dns_sd_configs"])
        self.assertEqual(set(names) - set(self.compose["services"]), set())

    def test_grafana_finds_prometheus_and_the_dashboard(self):
        source, = yaml.safe_load((DEPLOY / "grafana/datasources/prometheus.yaml")
                                 .read_text("utf-8"))["datasources"]
        self.assertEqual(source["url"], "http://prometheus:9090")
        provider, = yaml.safe_load(
            (DEPLOY / "grafana/dashboards/deberta-server.yaml")
            .read_text("utf-8"))["providers"]
        mounts = [v.split(":")[1] for v in
                  self.compose["services"]["grafana"]["volumes"]]
        self.assertTrue(any(m.startswith(provider["options"]["path"] + "/")
                            for m in mounts))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    schema = json.loads(pathlib.Path(sys.argv[1]).read_text("utf-8"))
    unittest.main(argv=sys.argv[:1])
