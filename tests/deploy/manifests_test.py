#!/usr/bin/env python3
"""What schemas do not see in Kubernetes manifests.

manifests_test.py SERVER MANIFEST...: SERVER is the deberta-server that the
manifests' arguments are tried on.
"""

import re
import subprocess
import sys
import unittest

import yaml

server, manifests = None, {}


def seconds_of(args, flag):
    return int(next(a for a in args if a.startswith(f"--{flag}=")).split("=")[1])


class Manifest:
    """The objects of one file, and its server's pod."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.objects = [o for o in yaml.safe_load_all(file) if o]
        self.deployment, = self.of("Deployment")
        self.template = self.deployment["spec"]["template"]
        self.pod = self.template["spec"]
        self.container, = self.pod["containers"]
        self.args = self.container["args"]
        self.ports = {p["name"]: p["containerPort"]
                      for p in self.container["ports"]}

    def of(self, kind):
        return [o for o in self.objects if o["kind"] == kind]

    def selects(self, selector):
        labels = self.template["metadata"]["labels"]
        return selector and all(labels.get(k) == v for k, v in selector.items())

    def pods(self):
        """Of every kind of object that has them, with its name."""
        for thing in self.objects:
            if thing["kind"] == "Pod":
                yield thing["metadata"]["name"], thing["spec"]
            elif "template" in thing.get("spec", {}):
                yield (thing["metadata"]["name"],
                       thing["spec"]["template"]["spec"])


def each(test):
    """`test` of every manifest."""
    def run(self):
        for path, manifest in manifests.items():
            with self.subTest(manifest=path):
                test(self, manifest)
    return run


class ManifestTest(unittest.TestCase):
    @each
    def test_names_are_unique(self, manifest):
        names = [(o["kind"], o["metadata"]["name"])
                 for o in manifest.objects]
        self.assertEqual(len(names), len(set(names)), names)

    @each
    def test_the_drain_fits_the_grace_period(self, manifest):
        stop = manifest.container["lifecycle"]["preStop"]["sleep"]["seconds"]
        drain = seconds_of(manifest.args, "drain_seconds")
        longest = seconds_of(manifest.args, "default_deadline_ms") / 1000
        grace = manifest.pod["terminationGracePeriodSeconds"]
        self.assertGreaterEqual(drain, longest)
        # The server's farewell takes less than a second.
        self.assertGreaterEqual(grace, stop + drain + 2)
        readiness = manifest.container["readinessProbe"]
        self.assertLessEqual(
            readiness["periodSeconds"] * readiness["failureThreshold"], 5)

    @each
    def test_ports_are_those_that_the_server_listens_on(self, manifest):
        for flag, name in (("listen", "grpc"), ("health_listen", "health"),
                           ("metrics_listen", "metrics")):
            address, = (a for a in manifest.args
                        if a.startswith(f"--{flag}="))
            self.assertTrue(address.endswith(f":{manifest.ports[name]}"))
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            self.assertEqual(manifest.container[probe]["grpc"]["port"],
                             manifest.ports["health"])
        for service in manifest.of("Service"):
            for port in service["spec"]["ports"]:
                self.assertIn(port["targetPort"], manifest.ports)
        for policy in manifest.of("NetworkPolicy"):
            for rule in policy["spec"]["ingress"]:
                for port in rule["ports"]:
                    self.assertIn(port["port"], manifest.ports)
        annotations = manifest.template["metadata"].get("annotations", {})
        port = annotations.get("prometheus.io/port")
        self.assertIn(port, (None, str(manifest.ports["metrics"])))

    @each
    def test_liveness_does_not_depend_on_models(self, manifest):
        probe = manifest.container["livenessProbe"]["grpc"]
        self.assertEqual(probe["service"], "liveness")
        ready = manifest.container["readinessProbe"]["grpc"]
        self.assertEqual(ready["service"], "deberta.v1.DebertaService")

    @each
    def test_selectors_select_the_pods_and_nothing_else(self, manifest):
        spec = manifest.deployment["spec"]
        self.assertTrue(manifest.selects(spec["selector"]["matchLabels"]))
        for service in manifest.of("Service"):
            self.assertTrue(manifest.selects(service["spec"]["selector"]))
        for budget in manifest.of("PodDisruptionBudget"):
            self.assertTrue(manifest.selects(
                budget["spec"]["selector"]["matchLabels"]))
        for policy in manifest.of("NetworkPolicy"):
            self.assertTrue(manifest.selects(
                policy["spec"]["podSelector"]["matchLabels"]))
        for spread in manifest.pod.get("topologySpreadConstraints", []):
            self.assertTrue(manifest.selects(
                spread["labelSelector"]["matchLabels"]))
        # A test's pod must get no calls.
        for pod in manifest.of("Pod"):
            labels = pod["metadata"]["labels"]
            self.assertFalse(
                spec["selector"]["matchLabels"].items() <= labels.items())

    @each
    def test_one_service_is_scraped(self, manifest):
        for monitor in manifest.of("ServiceMonitor"):
            wanted = monitor["spec"]["selector"]["matchLabels"].items()
            found = [s for s in manifest.of("Service")
                     if wanted <= s["metadata"]["labels"].items()]
            self.assertEqual(len(found), 1)
            ports = [p["name"] for p in found[0]["spec"]["ports"]]
            for endpoint in monitor["spec"]["endpoints"]:
                self.assertIn(endpoint["port"], ports)
            # Not a second time by annotations.
            annotations = manifest.template["metadata"].get(
                "annotations", {})
            self.assertNotIn("prometheus.io/scrape", annotations)

    @each
    def test_the_autoscaler_owns_the_number_of_replicas(self, manifest):
        scalers = manifest.of("HorizontalPodAutoscaler")
        self.assertEqual("replicas" in manifest.deployment["spec"],
                         not scalers)
        for scaler in scalers:
            self.assertEqual(scaler["spec"]["scaleTargetRef"]["name"],
                             manifest.deployment["metadata"]["name"])

    @each
    def test_volumes_are_mounted_and_mounts_have_volumes(self, manifest):
        for name, pod in manifest.pods():
            containers = pod["containers"] + pod.get("initContainers", [])
            mounted = {m["name"] for c in containers
                       for m in c.get("volumeMounts", [])}
            self.assertEqual(
                mounted, {v["name"] for v in pod.get("volumes", [])}, name)

    @each
    def test_pod_security_restricted(self, manifest):
        volumes = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral",
                   "persistentVolumeClaim", "projected", "secret", "image"}
        for name, pod in manifest.pods():
            self.assertTrue(pod["securityContext"]["runAsNonRoot"], name)
            self.assertEqual(pod["securityContext"]["seccompProfile"],
                             {"type": "RuntimeDefault"})
            self.assertFalse(pod["automountServiceAccountToken"])
            for field in ("hostNetwork", "hostPID", "hostIPC"):
                self.assertNotIn(field, pod)
            for volume in pod.get("volumes", []):
                self.assertTrue(set(volume) - {"name"} <= volumes, volume)
            for container in (pod["containers"] +
                              pod.get("initContainers", [])):
                context = container["securityContext"]
                self.assertFalse(context["allowPrivilegeEscalation"])
                self.assertTrue(context["readOnlyRootFilesystem"])
                self.assertEqual(context["capabilities"], {"drop": ["ALL"]})

    @each
    def test_the_server_understands_its_arguments(self, manifest):
        """It gets as far as the ports or the first file that is not here."""
        args = [re.sub(r"^(--\w*listen=).*", r"\g<1>127.0.0.1:0", a)
                for a in manifest.args]
        models = [a for a in args if a.startswith("--model")]
        done = subprocess.run(
            [server, *args, *([] if models else ["--models=/no/such"])],
            capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertRegex(done.stderr.splitlines()[-1],
                         "/no/such|/models|/etc/deberta/", done.stderr)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    server = sys.argv[1]
    manifests = {path: Manifest(path) for path in sys.argv[2:]}
    unittest.main(argv=sys.argv[:1])
