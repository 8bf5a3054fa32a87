"""Timing, memory and the table of results."""

import json
import os
import platform
import re
import resource
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from django.db import connection
from django.test.utils import CaptureQueriesContext


@dataclass
class Row:
    """One line of the table. `ratio` is product ÷ reference; `bar` says in words what must hold."""

    name: str
    product: float
    reference: float | None
    ratio: float | None
    bar: str
    ok: bool
    unit: str = "s"
    detail: str = ""


@dataclass
class Report:
    """The rows of a run, printed as they come."""

    rows: list[Row] = field(default_factory=list)

    def add(self, name: str, *, product: float, reference: float | None = None, most: float | None = None,
            least: float | None = None, bar: str | None = None, ok: bool | None = None, unit="s", detail="") -> Row:  # fmt: skip
        """Add a row: `most` and `least` bound the ratio; `bar` with `ok` states another condition."""
        ratio = product / reference if reference else None
        if ok is None:
            ok = (most is None or (ratio is not None and ratio <= most)) and (
                least is None or (ratio is not None and ratio >= least)
            )
        if bar is None:
            bar = f"≤ {most:g}×" if most is not None else f"≥ {least:g}×" if least is not None else "stated"
        row = Row(name, product, reference, ratio, bar, ok, unit, detail)
        self.rows.append(row)
        self.show(row)
        return row

    def head(self) -> None:
        print(f"{'name':<58}{'product':>12}{'reference':>12}{'ratio':>8}  {'bar':<16}ok   detail")

    def show(self, row: Row) -> None:
        reference = f"{row.reference:.4g}" if row.reference is not None else "–"
        ratio = f"{row.ratio:.2f}" if row.ratio is not None else "–"
        print(
            f"{row.name:<58}{row.product:>12.4g}{reference:>12}{ratio:>8}  {row.bar:<16}"
            f"{'yes' if row.ok else 'NO':<5}{row.unit} {row.detail}",
            flush=True,
        )

    def write(self, path: Path) -> None:
        path.write_text(json.dumps({"machine": machine(), "rows": [asdict(row) for row in self.rows]}, indent=1))


def machine() -> dict:
    """What the figures were measured on."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        postgres = cursor.fetchone()[0]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(memory, 1),
        "python": sys.version.split()[0],
        "postgresql": postgres,
        "system": platform.platform(),
        "load": os.getloadavg()[0],
    }


def seconds(work: Callable[[], object]) -> float:
    """Wall seconds of one call."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def interleaved(product: Callable[[], object], reference: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Best wall seconds of each, taken in turns so that a slow minute hits both."""
    pairs = [(seconds(product), seconds(reference)) for _ in range(rounds)]
    return min(pair[0] for pair in pairs), min(pair[1] for pair in pairs)


def quantiles(values: list[float]) -> tuple[float, float]:
    """p50 and p95."""
    ordered = sorted(values)
    return statistics.median(ordered), ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]


def queries(work: Callable[[], object]) -> int:
    """How many queries one call makes."""
    with CaptureQueriesContext(connection) as captured:
        work()
    return len(captured)


def peak_mib() -> float:
    """Peak resident memory of this process in MiB."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage would count the parent's memory at the moment of the fork as well
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read_text())[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
