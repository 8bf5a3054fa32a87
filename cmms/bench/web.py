"""The work-order list API and the HTML pages under load, beside a bare view and plain Django REST framework."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cmms.bench.measure import Report, quantiles
from people import tokens
from people.models import User

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def server(settings: str, wsgi: str, *options: str) -> Iterator[str]:
    """gunicorn with 2 sync workers on loopback, unless the options say otherwise; yields its address."""
    port = free_port()
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": settings, "PUBLIC_URL": f"http://127.0.0.1:{port}"}
    command = [sys.executable, "-m", "gunicorn", wsgi, "--workers=2", f"--bind=127.0.0.1:{port}", "--no-control-socket",
               "--log-level=error", "--worker-tmp-dir=/tmp", "--preload", *options]  # fmt: skip
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=1):
                    break
            except OSError:
                if process.poll() is not None:
                    raise RuntimeError(f"gunicorn for {settings} ended with {process.returncode}") from None
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=30)


def port_of(address: str) -> int:
    return int(address.rsplit(":", 1)[1])


@contextmanager
def servers() -> Iterator[tuple[str, str]]:
    """The product and the reference, each by gunicorn with 2 workers."""
    with (
        server("cmms.settings", "cmms.wsgi:application") as product,
        server("cmms.bench.reference_settings", "cmms.wsgi:application") as reference,
    ):
        yield product, reference


def measure(report: Report, product: str, reference: str, *, seconds: float) -> None:
    """As a logged-in planner with a token."""
    planner = User.objects.get(username="bench-planner")
    _, secret = tokens.issue(planner, by=None, name="bench")
    headers = {"Authorization": f"Bearer {secret}"}
    compare_lists(report, product=product, reference=reference, headers=headers, seconds=seconds)


def load(url: str, *, clients: int, seconds: float, headers: dict[str, str]) -> dict:
    """Run the client in a process of its own."""
    order = json.dumps({"url": url, "clients": clients, "seconds": seconds, "headers": headers})
    done = subprocess.run(
        [sys.executable, "-m", "cmms.bench.client", order], cwd=ROOT, check=True, capture_output=True, text=True
    )
    result = json.loads(done.stdout)
    if result["failed"]:
        raise RuntimeError(f"{url} answered {result['failed']}")
    return result


def get(url: str, headers: dict[str, str]) -> dict:
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=60) as response:
        return json.load(response)


def best(results: list[dict]) -> dict:
    return max(results, key=lambda result: result["rate"])


def compare_lists(report: Report, *, product: str, reference: str, headers: dict[str, str], seconds: float) -> None:
    """The list of 50 orders with asset, site and assignees: product, bare view and plain DRF in turns."""
    url = f"{product}/api/v1/work-orders/?page_size=50"
    same = get(url, headers)["results"] == get(f"{reference}/bare/", {})["results"]
    report.add(
        "rows of the list that equal the bare view's", product=50 if same else 0, bar="all", ok=same, unit="rows"
    )
    runs: dict[str, list[dict]] = {"product": [], "bare": [], "plain": []}
    for _ in range(3):
        runs["product"].append(load(url, clients=8, seconds=seconds, headers=headers))
        runs["bare"].append(load(f"{reference}/bare/", clients=8, seconds=seconds, headers={}))
        runs["plain"].append(load(f"{reference}/plain/?page_size=50", clients=8, seconds=seconds, headers={}))
    fastest = {name: best(results) for name, results in runs.items()}
    p50, p95 = quantiles(fastest["product"]["took"])
    detail = f"p50 {p50 * 1000:.0f} ms, p95 {p95 * 1000:.0f} ms, {fastest['product']['bytes']} bytes"
    rate = {name: result["rate"] for name, result in fastest.items()}
    report.add("work-order list API beside a bare json_agg view", product=rate["product"], reference=rate["bare"],
               least=0.25, unit="req/s", detail=detail)  # fmt: skip
    report.add("work-order list API beside plain DRF with exact count", product=rate["product"], reference=rate["plain"],
               least=2.5, unit="req/s")  # fmt: skip
    deep = walk_to_page(url, headers, page=1000)
    first = load(url, clients=1, seconds=seconds, headers=headers)
    last = load(deep, clients=1, seconds=seconds, headers=headers)
    report.add("work-order list API, page 1,000 beside page 1 (p50)", product=quantiles(last["took"])[0] * 1000,
               reference=quantiles(first["took"])[0] * 1000, most=1.5, unit="ms")  # fmt: skip


def walk_to_page(url: str, headers: dict[str, str], *, page: int) -> str:
    """The address of a deep page, reached by following `next` (fewer pages where the list ends before)."""
    for _ in range(page - 1):
        following = get(url, headers)["next"]
        if not following:
            break
        url = following
    return url
