#!/usr/bin/env python3
"""The chart and deploy/kubernetes.yaml on a real Kubernetes, under load.

cluster_test.py [OPTION...] [TEST...]: run by run.sh --cluster. KUBECONFIG names the
cluster, and this machine can reach its pods' addresses: it is a node, or routes to
them. Namespaces deberta-test-* are made and deleted.

Prints what was lost in each event, as a Markdown table.
"""

import argparse
import contextlib
import pathlib
import re
import sys
import unittest

import yaml

import cluster
import load

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHART = ROOT / "deploy/charts/deberta-server"
MANIFEST = ROOT / "deploy/kubernetes.yaml"
VERSION = yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"]
# The release's name, which the manifest has too.
NAME = "deberta-server"
PORT = 50051

options = None
rows = []


def tearDownModule():
    if rows:
        print(load.TABLE_HEAD, *rows, sep="\n")


def target(namespace):
    """All pods by the cluster's own DNS, as their clients find them."""
    return (f"dns://{options.dns}/{NAME}-headless.{namespace.name}.svc."
            f"{options.domain}:{PORT}")


class EventTest(unittest.TestCase):
    """Something happens to the servers while callers ask."""

    @contextlib.contextmanager
    def event(self, name):
        # New callers know of all pods; one that had looked while a pod was away
        # may know only of the other, and lose what it sends when that one goes.
        with load.Load(target(self.namespace)) as callers:
            self.load = callers
            with load.Event(name, callers) as event:
                yield event
        rows.append(event.row())
        print(rows[-1], *load.errors(event.lost(*load.CALLERS)), sep="\n",
              flush=True)

    def assert_nothing_lost(self, event):
        for kind in load.CALLERS:
            self.assertGreater(len(event.of(kind)), 1, "there was no load")
        self.assertEqual(load.errors(event.lost(*load.CALLERS)), [])


class ChartTest(EventTest):
    """The release has two pods before and after each test."""

    @classmethod
    def setUpClass(cls):
        cls.namespace = cls.enterClassContext(cluster.Namespace())
        repository, _, tag = options.image.rpartition(":")
        values = {
            "image": {"repository": repository, "tag": tag},
            "resources": {
                "requests": {"cpu": options.cpu, "memory": "256Mi"},
                "limits": {"cpu": "1", "memory": "1Gi"}}}
        cls.namespace.helm("install", NAME, CHART, "--values", "-", "--wait",
                           "--timeout", "5m", text=yaml.safe_dump(values))
        cls.servers = cluster.Servers(cls.namespace, NAME)
        cls.servers.settled(2)

    def upgrade(self, *flags, **how):
        return self.namespace.helm("upgrade", NAME, CHART, "--reuse-values",
                                   "--wait", *flags, **how)

    def test_helm_test_passes(self):
        with self.event("`helm test`") as event:
            self.namespace.helm("test", NAME)
        self.assert_nothing_lost(event)

    def test_upgrade(self):
        before = self.servers.names()
        with self.event("upgrade, another flag") as event:
            self.upgrade("--set", "server.flags.log_calls=0.01")
            pods = self.servers.settled(2)
        for pod in pods:
            self.assertNotIn(cluster.name_of(pod), before)
            self.assertIn("--log_calls=0.01",
                          pod["spec"]["containers"][0]["args"])
        self.assert_nothing_lost(event)

    def test_a_broken_model_takes_no_traffic_and_is_rolled_back(self):
        before = self.servers.names()
        addresses = self.servers.endpoints()
        with self.event("upgrade to a model that is not there, "
                        "`helm rollback`") as event:
            failed = self.upgrade("--set", "models.serve={/models/absent}",
                                  "--timeout", "30s", check=False)
            bad, = self.servers.names() - before
            log = cluster.until(
                lambda: self.namespace.kubectl("logs", bad, check=False).stdout,
                "the broken pod says why")
            broken = self.namespace.get("pod", bad)
            during = self.servers.endpoints()
            self.namespace.helm("rollback", NAME, "--wait")
            self.servers.settled(2)
        self.assertNotEqual(failed.returncode, 0)
        self.assertIn("/models/absent", log.splitlines()[-1])
        self.assertFalse(cluster.is_ready(broken))
        self.assertEqual(during, addresses)
        # Those that served before were not even started again.
        self.assertEqual(self.servers.names(), before)
        self.assert_nothing_lost(event)

    def test_scale(self):
        with self.event("scale to three pods and back") as event:
            self.upgrade("--set", "replicaCount=3")
            self.servers.settled(3)
            self.upgrade("--set", "replicaCount=2")
            self.servers.settled(2)
        self.assert_nothing_lost(event)

    def test_the_budget_refuses_a_second_eviction(self):
        first, second = sorted(self.servers.names())
        with self.event("eviction, a second refused") as event:
            evicted = self.servers.evict(first)
            refused = self.servers.evict(second)
            pods = self.servers.settled(2)
        self.assertEqual(evicted.returncode, 0, evicted.stderr)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("disruption budget", refused.stderr)
        self.assertIn(second, {cluster.name_of(pod) for pod in pods})
        self.assert_nothing_lost(event)

    def test_a_killed_process_loses_what_was_in_flight(self):
        pods = self.servers.pods()
        found = [(pod, p) for pod in pods
                 if (p := cluster.process_of(pod)) is not None]
        if not found:
            self.skipTest("no pod of the release runs on this machine")
        pod, process = found[0]
        name = cluster.name_of(pod)
        with self.event("a pod's process killed by SIGKILL") as event:
            # So that calls are in flight.
            self.load.pause = 0
            self.load.wait_for_more()
            begun, gone = cluster.kill(process)
            self.load.pause = load.PAUSE
            cluster.until(lambda: self.restarts(name) > 0, "it starts again")
            self.servers.settled(2)
        lost = event.lost(load.KEPT, load.NEW)
        in_flight = [call for call in event.of(load.KEPT, load.NEW)
                     if call.begun <= gone and call.ended >= begun]
        self.assertLessEqual(set(lost), set(in_flight), load.errors(lost))
        self.assertEqual(load.errors(event.lost(load.RETRYING)), [])

    def restarts(self, name):
        pod = self.namespace.get("pod", name)
        return pod["status"]["containerStatuses"][0]["restartCount"]

    def test_a_pod_deleted_by_force(self):
        pod = self.servers.pods()[0]
        process = cluster.process_of(pod)
        with self.event("a pod deleted by `--force`") as event:
            self.namespace.kubectl("delete", "pod", cluster.name_of(pod),
                                   "--grace-period=0", "--force")
            self.servers.settled(2)
            # Which the API no longer knows of.
            cluster.until(lambda: process != cluster.process_of(pod) or
                          process is None, "the process has ended")
        self.assert_nothing_lost(event)

    def test_drain_of_a_node(self):
        if len(cluster.schedulable_nodes()) < 2:
            return self.evict_each()
        node = self.servers.pods()[0]["spec"]["nodeName"]
        with self.event("drain of a node") as event:
            try:
                cluster.run("kubectl", "drain", node, "--ignore-daemonsets",
                            f"--pod-selector={self.servers.selector}")
                pods = self.servers.settled(2)
            finally:
                cluster.run("kubectl", "uncordon", node)
        self.assertNotIn(node, {pod["spec"]["nodeName"] for pod in pods})
        self.assert_nothing_lost(event)

    def evict_each(self):
        """What a drain does, where there is no other node to go to."""
        before = self.servers.names()
        with self.event("each pod evicted in turn (one node)") as event:
            for name in sorted(before):
                cluster.until(
                    lambda name=name: self.servers.evict(name).returncode == 0,
                    "the budget lets it go")
            pods = self.servers.settled(2)
        self.assertFalse(before & {cluster.name_of(pod) for pod in pods})
        self.assert_nothing_lost(event)


class ManifestTest(EventTest):
    @classmethod
    def setUpClass(cls):
        cls.namespace = cls.enterClassContext(cluster.Namespace())
        applied = cls.namespace.kubectl("apply", "-f", "-",
                                        text=cls.manifest())
        if "Warning" in applied.stderr:
            raise AssertionError(applied.stderr)
        cls.servers = cluster.Servers(cls.namespace, NAME)
        cls.servers.settled(2)

    @classmethod
    def manifest(cls):
        """As it is, but for the image's name, and with --small for the CPU."""
        text = MANIFEST.read_text(encoding="utf-8")
        text = text.replace(f"image: deberta-server:{VERSION}",
                            f"image: {options.image}")
        if options.small:
            text = re.sub(r'(requests:\s*cpu: )"2"', rf"\g<1>{options.cpu}",
                          text)
        return text

    def test_rolling_restart(self):
        before = self.servers.names()
        with self.event("`kubernetes.yaml`, rolling restart") as event:
            self.namespace.kubectl("rollout", "restart", f"deployment/{NAME}")
            self.namespace.kubectl("rollout", "status", f"deployment/{NAME}",
                                   f"--timeout={cluster.SECONDS}s")
            pods = self.servers.settled(2)
        self.assertFalse(before & {cluster.name_of(pod) for pod in pods})
        self.assert_nothing_lost(event)


class DryRunTest(unittest.TestCase):
    """What the API server says of each set of values, Pod Security included."""

    def test_values_are_accepted(self):
        groups = cluster.run("kubectl", "api-versions").stdout.split()
        version = cluster.server_version()
        with cluster.Namespace() as namespace:
            for values in sorted((CHART / "ci").glob("*-values.yaml")):
                with self.subTest(values=values.name):
                    if "imageVolume" in values.read_text() and (
                            version < (1, 35)):
                        print(f"{values.name}: not before Kubernetes 1.35")
                        continue
                    self.accepted(namespace, values, groups)

    def accepted(self, namespace, values, groups):
        rendered = namespace.helm(
            "template", NAME, CHART, "--values", values, "--kube-version",
            ".".join(map(str, (*cluster.server_version(), 0)))).stdout
        objects = [o for o in yaml.safe_load_all(rendered) if o]
        known = [o for o in objects if o["apiVersion"] in groups]
        for left in {o["kind"] for o in objects if o not in known}:
            print(f"{values.name}: the cluster knows no {left}")
        done = namespace.kubectl("apply", "--dry-run=server", "-f", "-",
                                 text=yaml.safe_dump_all(known))
        self.assertNotIn("Warning", done.stderr)


def parse_options():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image", default=f"deberta-server:{VERSION}",
                        help="with the demo models, on all nodes")
    parser.add_argument("--cpu", default="100m",
                        help="that a pod of the chart asks for")
    parser.add_argument("--small", action="store_true",
                        help="let the manifest's pods too ask for --cpu, not "
                        "two CPUs each")
    parser.add_argument("--dns", help="address of the cluster's DNS; else that "
                        "of kube-system/kube-dns")
    parser.add_argument("--domain", default="cluster.local")
    parser.add_argument("tests", nargs="*")
    return parser.parse_args()


if __name__ == "__main__":
    options = parse_options()
    options.dns = options.dns or cluster.dns_address()
    unittest.main(argv=[sys.argv[0], "-v", *options.tests])
