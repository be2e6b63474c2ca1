"""What the measurements ran on."""

import datetime
import importlib.metadata
import json
import os
import pathlib
import platform
import subprocess

# The instructions that decide how fast products of each precision can be.
FLAGS = ["avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "avx512_fp16",
         "avx_vnni", "amx_bf16", "amx_int8"]
PACKAGES = ["openvino", "onnxruntime", "onnx", "torch", "transformers"]


def _output(*command, cwd=None):
    try:
        return subprocess.run(command, check=True, capture_output=True,
                              text=True, cwd=cwd).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def _lscpu():
    lines = _output("lscpu").splitlines()
    pairs = (line.partition(":") for line in lines)
    return {key.strip(): value.strip() for key, _, value in pairs}


def _memory_gb():
    for line in pathlib.Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemTotal:"):
            return round(int(line.split()[1]) * 1024 / 1e9)
    return 0


def _system():
    for line in pathlib.Path("/etc/os-release").read_text().splitlines():
        if line.startswith("PRETTY_NAME="):
            return line.partition("=")[2].strip('"')
    return platform.system()


def _processor(cpu):
    known = cpu.get("Flags", "").split()
    return {"cpu": cpu.get("Model name", "unknown"),
            "flags": [flag for flag in FLAGS if flag in known]}


def processor():
    """Its name, as "cpu", and those of FLAGS that it has."""
    return _processor(_lscpu())


def describe(root, gemm_peak):
    cpu = _lscpu()
    peak = _output(gemm_peak, "--precisions=fp32", "--seconds=0.05")
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    versions["oneDNN (ours)"] = json.loads(peak)["onednn"] if peak else "?"
    versions["g++"] = _output("c++", "-dumpfullversion")
    versions["Python"] = platform.python_version()
    return {
        "date": datetime.date.today().isoformat(),
        "commit": _output("git", "rev-parse", "--short", "HEAD", cwd=root),
        **_processor(cpu),
        "family": " ".join(f"{key} {cpu[name]}" for key, name in [
            ("family", "CPU family"), ("model", "Model"),
            ("stepping", "Stepping")] if name in cpu),
        "cpus": len(os.sched_getaffinity(0)),
        "threads_per_core": cpu.get("Thread(s) per core", "?"),
        "hypervisor": cpu.get("Hypervisor vendor", ""),
        "caches": {level: cpu[f"{level} cache"] for level in
                   ["L1d", "L2", "L3"] if f"{level} cache" in cpu},
        "memory_gb": _memory_gb(),
        "system": f"{_system()}, Linux {platform.release()}",
        "versions": versions,
    }
