"""A real Prometheus that scrapes a real server, with the rules of the chart."""

import json
import pathlib
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from served import eventually, free_ports  # noqa: E402

FILES = ROOT / "deploy/charts/deberta-server/files"
START_SECONDS = 120
PAUSE = 0.2  # between two looks
POD = "deberta-server-0"


def dashboard():
    return json.loads((FILES / "dashboard.json").read_text("utf-8"))


def groups():
    return yaml.safe_load((FILES / "rules.yml").read_text("utf-8"))["groups"]


def expand(query, rate_interval):
    """As Grafana does where all jobs and models are chosen."""
    query = query.replace("$__rate_interval", rate_interval)
    query = re.sub(r"\$(job|model)\b", ".+", query)
    assert "$" not in query, query
    return query


class Observed:
    """Both run, and the server is scraped once a second, until stop()."""

    def __init__(self, build, work, *flags):
        self.build, self.work = build, work
        self.running = []
        grpc, metrics, prometheus = free_ports(3)
        self.server_target = f"127.0.0.1:{grpc}"
        self.metrics_url = f"http://127.0.0.1:{metrics}/metrics"
        self.prometheus = f"http://127.0.0.1:{prometheus}"
        try:
            self.start("server", str(build / "deberta-server"), *flags,
                       f"--listen={self.server_target}",
                       f"--metrics_listen=127.0.0.1:{metrics}")
            self.write_config(metrics)
            self.start("prometheus", "prometheus",
                       f"--config.file={work}/prometheus.yml",
                       f"--storage.tsdb.path={work}/tsdb",
                       f"--web.listen-address=127.0.0.1:{prometheus}")
            eventually(START_SECONDS, lambda: self.ask("models").returncode == 0,
                       "models", PAUSE)
            eventually(START_SECONDS, lambda: self.answers("up == 1"),
                       "the server is scraped", PAUSE)
        except BaseException:
            self.stop()
            raise

    def start(self, name, *command):
        with open(self.work / f"{name}.log", "wb") as log:
            self.running.append(subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL))

    def stop(self):
        for process in reversed(self.running):
            process.send_signal(signal.SIGTERM)
            process.wait(60)

    def write_config(self, port):
        """deploy/prometheus.yml, faster, with the server that runs here."""
        config = yaml.safe_load(
            (ROOT / "deploy/prometheus.yml").read_text("utf-8"))
        config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        rules = {"groups": [{**group, "interval": "1s"} for group in groups()]}
        (self.work / "rules.yml").write_text(yaml.safe_dump(rules), "utf-8")
        config["rule_files"] = [str(self.work / "rules.yml")]
        job, = config["scrape_configs"]
        del job["dns_sd_configs"]
        job["static_configs"] = [
            {"targets": [f"127.0.0.1:{port}"],
             "labels": {"namespace": "models", "pod": POD}}]
        (self.work / "prometheus.yml").write_text(yaml.safe_dump(config), "utf-8")

    def ask(self, *arguments, stdin=None):
        return subprocess.run(
            [str(self.build / "deberta-client"), f"--server={self.server_target}",
             *arguments], input=stdin, capture_output=True, check=False,
            timeout=120)

    def get(self, path, **query):
        url = f"{self.prometheus}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=30) as reply:
            return json.load(reply)["data"]

    def answers(self, query):
        try:
            return self.get("query", query=query)["result"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{query}: {error.read().decode()}") from error
        except urllib.error.URLError:
            return []  # not up yet
