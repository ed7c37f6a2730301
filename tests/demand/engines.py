"""Metrics of serving engines whose every count is known, and a Prometheus that holds them."""

import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

MODELS = {"llama-3.3-70b": (120, 1000, 200), "deepseek-v3": (30, 4000, 100)}
"""Requests a minute, and tokens in and out of each."""
EDGES = (128, 512, 2048, 8192)


def exposition(minute, *, before="", engine="vllm"):
    """What the engine of each model shows after so many minutes; `before`: more labels."""
    lines = []
    for model, (per_minute, prompt, answer) in MODELS.items():
        n = per_minute * minute
        labels = f'{before}model_name="{model}"'
        kinds = {
            "request_success_total": n,
            "prompt_tokens_total": n * prompt,
            "generation_tokens_total": n * answer,
            "prefix_cache_hits_total": n * prompt // 4,
            "kv_cache_usage_perc": 0.5,
        }
        lines += [f"{engine}:{name}{{{labels}}} {value}" for name, value in kinds.items()]
        for name, length in (("prompt", prompt), ("generation", answer)):
            stem = f"{engine}:request_{name}_tokens"
            for edge in (*EDGES, "+Inf"):
                inside = n if edge == "+Inf" or length <= edge else 0
                lines.append(f'{stem}_bucket{{{labels},le="{edge}"}} {inside}')
            lines += [f"{stem}_sum{{{labels}}} {n * length}", f"{stem}_count{{{labels}}} {n}"]
        for name, mean_s in (("prefill", 0.25), ("decode", 0.75)):
            stem = f"{engine}:request_{name}_time_seconds"
            lines += [f"{stem}_sum{{{labels}}} {n * mean_s}", f"{stem}_count{{{labels}}} {n}"]
    return lines


HOURS = 3
MINUTES = 60 * HOURS
RESTARTED_AT = 100


def three_hours(folder: Path):
    """Three hours of two engines that both serve both models, one restarted, in a Prometheus."""
    if shutil.which("prometheus") is None:
        pytest.skip("Debian's package prometheus is not installed")
    end = int(time.time() // 60) * 60
    lines = {}
    for minute in range(MINUTES + 1):
        at = end - (MINUTES - minute) * 60
        since = minute if minute < RESTARTED_AT else minute - RESTARTED_AT
        for instance, shown in (("a", minute), ("b", since)):
            for line in exposition(shown, before=f'instance="{instance}",'):
                name, _, value = line.rpartition(" ")
                lines.setdefault(name, []).append(f"{name} {value} {at}\n")
    text = "".join(point for _, points in sorted(lines.items()) for point in points)
    return Prometheus(folder, text + "# EOF\n")


class Prometheus:
    """Debian's Prometheus on a free port of this machine, in a folder of its own."""

    def __init__(self, folder: Path, samples: str):
        (folder / "samples.om").write_text(samples)
        (folder / "prometheus.yml").write_text("global: {scrape_interval: 1s}\n")
        fill = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "samples.om", "data"]
        subprocess.run(fill, cwd=folder, check=True, capture_output=True)
        with socket.socket() as held:
            held.bind(("127.0.0.1", 0))
            self.address = f"http://127.0.0.1:{held.getsockname()[1]}"
        command = [shutil.which("prometheus"), "--config.file=prometheus.yml"]
        command += ["--storage.tsdb.path=data", f"--web.listen-address={self.address[7:]}"]
        self.log = (folder / "log").open("wb")
        self.process = subprocess.Popen(command, cwd=folder, stdout=self.log, stderr=self.log)
        deadline = time.monotonic() + 60
        while not self._ready():
            assert self.process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, "Prometheus did not start"
            time.sleep(0.1)

    def _ready(self):
        try:
            with urllib.request.urlopen(f"{self.address}/-/ready", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        self.log.close()
