"""A real Prometheus (Debian's) that scrapes services of a test every second, and looks at its rules more often."""

import json
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx

from support.service import HTTP, wait_until

CONFIGURATION = """
global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 250ms}}
rule_files: {rules}
scrape_configs:
  - job_name: datastorage
    static_configs: {targets}
"""


@dataclass(frozen=True)
class Prometheus:
    """One server, by its address."""

    url: str

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The samples of an expression, now. Errors: AssertionError, with what Prometheus says."""
        return self._asked("query", query=expression)["result"]

    def query_range(self, expression: str, start: float, end: float, step_s: float) -> list[dict[str, Any]]:
        """The series of an expression over a span."""
        return self._asked("query_range", query=expression, start=start, end=end, step=step_s)["result"]

    def value(self, expression: str) -> float | None:
        """The value of an expression with one sample; None without any."""
        found = self.query(expression)
        assert len(found) <= 1, found
        return float(found[0]["value"][1]) if found else None

    def alerts(self) -> dict[str, str]:
        """What is pending or firing."""
        return {alert["labels"]["alertname"]: alert["state"] for alert in self._asked("alerts")["alerts"]}

    def _asked(self, path: str, **parameters: object) -> Any:
        answer = HTTP.get(f"{self.url}/api/v1/{path}", params=parameters).json()
        assert answer["status"] == "success", (parameters, answer)
        return answer["data"]


@contextmanager
def scraping(targets: Mapping[str, str], rules: Path | None = None) -> Iterator[Prometheus]:
    """Scrapes these addresses (by namespace, as in a cluster), and has scraped each once before it is handed over."""
    place = Path(tempfile.mkdtemp(prefix="ds-prometheus-"))
    static = [
        {"targets": [re.sub(r"^http://", "", url)], "labels": {"namespace": namespace}}
        for namespace, url in targets.items()
    ]
    (place / "prometheus.yml").write_text(
        CONFIGURATION.format(rules=json.dumps([str(rules)] if rules else []), targets=json.dumps(static))
    )
    port = _free_port()
    with (place / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                "prometheus", f"--config.file={place}/prometheus.yml", f"--storage.tsdb.path={place}/data",
                f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn",
            ],
            stdout=log,
            stderr=log,
            cwd=place,
        )  # fmt: skip
    prometheus = Prometheus(f"http://127.0.0.1:{port}")

    def has_scraped() -> bool:
        assert process.poll() is None, (place / "log").read_text()
        try:
            is_ready = HTTP.get(f"{prometheus.url}/-/ready").status_code == HTTPStatus.OK
        except httpx.TransportError:
            return False
        return is_ready and prometheus.value('sum(up{job="datastorage"})') == len(targets)

    try:
        wait_until(has_scraped)
        yield prometheus
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(place)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
