"""kubectl and helm as the test of a cluster needs them."""

import json
import os
import pathlib
import secrets
import select
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from served import eventually  # noqa: E402

SECONDS = 300  # that a step may take


def until(condition, what):
    return eventually(SECONDS, condition, what, pause=0.25)


def run(*command, text=None, check=True):
    done = subprocess.run(command, input=text, capture_output=True, text=True,
                          timeout=2 * SECONDS, check=False)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done


def is_ready(pod):
    return any(c["type"] == "Ready" and c["status"] == "True"
               for c in pod["status"].get("conditions", []))


def name_of(pod):
    return pod["metadata"]["name"]


class Namespace:
    """A new one that enforces Pod Security "restricted"; use as a context
    manager, which deletes it."""

    def __init__(self):
        self.name = f"deberta-test-{secrets.token_hex(3)}"

    def __enter__(self):
        run("kubectl", "create", "namespace", self.name)
        run("kubectl", "label", "namespace", self.name,
            "pod-security.kubernetes.io/enforce=restricted")
        # Pods need it, and a controller makes it.
        until(lambda: self.kubectl("get", "serviceaccount", "default",
                                   check=False).returncode == 0,
              "the namespace has its service account")
        return self

    def __exit__(self, *unused):
        run("kubectl", "delete", "namespace", self.name, "--wait")

    def kubectl(self, *arguments, **options):
        return run("kubectl", "-n", self.name, *arguments, **options)

    def get(self, *arguments):
        return json.loads(self.kubectl("get", *arguments, "-o", "json").stdout)

    def helm(self, *arguments, **options):
        return run("helm", "-n", self.name, *arguments, **options)

    def describe(self):
        """For a failure that a run alone can explain."""
        return self.kubectl("get", "pods,events", "-o", "wide",
                            check=False).stdout


class Servers:
    """The pods of one release or manifest."""

    def __init__(self, namespace, name):
        self.namespace, self.name = namespace, name
        self.selector = (f"app.kubernetes.io/instance={name},"
                         "app.kubernetes.io/component=server")

    def pods(self):
        return self.namespace.get("pods", "-l", self.selector)["items"]

    def names(self):
        return {name_of(pod) for pod in self.pods()}

    def endpoints(self):
        """The addresses that DNS and proxies are told of."""
        slices = self.namespace.get(
            "endpointslices", "-l",
            f"kubernetes.io/service-name={self.name}-headless")["items"]
        return {address for part in slices
                for endpoint in part.get("endpoints") or []
                if endpoint["conditions"].get("ready")
                for address in endpoint["addresses"]}

    def _settled(self, count):
        pods = self.pods()
        good = len(pods) == count and all(
            is_ready(pod) and "deletionTimestamp" not in pod["metadata"]
            for pod in pods)
        same = good and self.endpoints() == {
            pod["status"]["podIP"] for pod in pods}
        return pods if same else None

    def settled(self, count):
        """The pods, once there are `count` that are ready and no others, so that
        none is still on its way out."""
        try:
            return until(lambda: self._settled(count),
                         f"{count} pods of {self.name}, ready")
        except AssertionError as error:
            raise AssertionError(
                f"{error}\n{self.namespace.describe()}") from error

    def evict(self, name):
        """kubectl's answer: refused where a budget forbids it."""
        eviction = {"apiVersion": "policy/v1", "kind": "Eviction",
                    "metadata": {"name": name,
                                 "namespace": self.namespace.name}}
        return run("kubectl", "create", "-f", "-", "--raw",
                   f"/api/v1/namespaces/{self.namespace.name}/pods/{name}"
                   "/eviction", text=json.dumps(eviction), check=False)


def schedulable_nodes():
    nodes = json.loads(run("kubectl", "get", "nodes", "-o", "json").stdout)
    return [node for node in nodes["items"]
            if not node["spec"].get("unschedulable") and is_ready(node) and
            all(taint["effect"] == "PreferNoSchedule"
                for taint in node["spec"].get("taints", []))]


def server_version():
    """(major, minor)."""
    version = json.loads(run("kubectl", "version", "-o", "json").stdout)
    found = version["serverVersion"]
    return int(found["major"]), int(found["minor"].rstrip("+"))


def dns_address():
    """Of the cluster's DNS, as HOST:PORT that a pod's address can be."""
    slices = json.loads(run(
        "kubectl", "-n", "kube-system", "get", "endpointslices", "-l",
        "kubernetes.io/service-name=kube-dns", "-o", "json").stdout)["items"]
    for part in slices:
        port = next((p["port"] for p in part["ports"]
                     if p.get("protocol", "TCP") == "UDP"), None)
        for endpoint in part.get("endpoints") or []:
            if port and endpoint["conditions"].get("ready"):
                return f"{endpoint['addresses'][0]}:{port}"
    raise AssertionError("kube-system/kube-dns has no endpoint: say --dns")


def process_of(pod):
    """The process of a pod's server, if its node is this machine."""
    container = pod["status"]["containerStatuses"][0]
    identifier = container["containerID"].rpartition("/")[2]
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            found = identifier in (folder / "cgroup").read_text()
            if found and (folder / "comm").read_text() == "deberta-server\n":
                return int(folder.name)
        except OSError:  # it has ended
            continue
    return None


def kill(process):
    """By SIGKILL. When that was, and when the process was gone."""
    watched = os.pidfd_open(process)
    begun = time.monotonic()
    os.kill(process, signal.SIGKILL)
    gone, _, _ = select.select([watched], [], [], SECONDS)
    os.close(watched)
    if not gone:
        raise AssertionError(f"process {process} outlives SIGKILL")
    return begun, time.monotonic()
