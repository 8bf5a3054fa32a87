"""Day facts of many assets as CSV or Parquet, for BI tools: additive, so that any figure of any window can be formed.

Parquet is made from the lines of the CSV: one way to the figures, and only one piece of them is in memory at a time.
"""

import csv
import io
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import IO

from assets.models import Asset
from core.errors import Refused
from core.models import Site
from kpis import figures
from kpis.cutting import refuse_wrong
from kpis.facts.question import calculating

MOST = 4_000_000  # asset-days of one file
CHUNK = 200  # assets that are read together
ROW_GROUP = 65_536  # rows of Parquet that are held in memory
SUMS = tuple(figures.inputs(figures.formulas.NO_FACTS))
COUNTED = ("good", "scrap", "rework", "ideal_time", "ideal_time_of_good")  # of SUMS, what only counts tell
COLUMNS = ("site", "asset", "day", "known", "counted", *SUMS, "computed_at")


def day_facts(
    site: Site, assets: list[Asset] | None, start: datetime, end: datetime, *, now: datetime
) -> Iterator[bytes]:
    """CSV: one row for each asset (all of the site by default) and production day in [start, end).

    The columns are the inputs of figures, times in seconds. Days before an asset was commissioned or after it was
    retired have no row; `known` is 0 where nothing was ever recorded for the asset, and its times are then unknown.
    `counted` is 1 on all days of an asset that has counts in [start, end), of which OEE is then formed; on a day
    without counts its pieces are empty.
    """
    refuse_wrong(start, end)  # before anything is streamed
    rows = Asset.objects.filter(site=site).order_by("code", "pk")
    chosen = list(rows) if assets is None else assets
    if len(chosen) * max(1, (end - start) // timedelta(days=1)) > MOST:
        raise Refused(f"More than {MOST} asset-days at once; ask for a shorter window.", code="too_many", field="to")
    return _lines(site, chosen, start, end, now)


def _lines(site: Site, chosen: list[Asset], start: datetime, end: datetime, now: datetime) -> Iterator[bytes]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    for position in range(0, len(chosen), CHUNK):
        with calculating():
            found = figures.periods(
                chosen[position : position + CHUNK], site=site, start=start, end=end, by="day", scope="asset", now=now
            )
        counted = {each.asset.pk for each in found if each.answer.all.counts}
        for each in found:
            facts = each.answer.all
            if facts.calendar:
                sums = {name: f"{value:.12g}" for name, value in figures.inputs(facts).items()}
                if not facts.counts:
                    sums |= dict.fromkeys(COUNTED, "")
                day, computed = site.production_day(each.start), each.answer.computed_at or now
                writer.writerow(
                    [
                        site.code, each.asset.code, day, facts.recorded, int(each.asset.pk in counted),
                        *(sums[name] for name in SUMS), computed.isoformat(timespec="seconds"),
                    ]
                )  # fmt: skip
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()


def as_parquet(lines: Iterator[bytes]) -> IO[bytes]:
    """The rows of `day_facts` as a Parquet file at its beginning; it is deleted from the disk when it is closed."""
    from arro3.core import DataType, Field, Schema  # noqa: PLC0415  memory that most processes never need
    from arro3.io import read_csv, write_parquet  # noqa: PLC0415

    kinds = {
        "site": DataType.utf8(),
        "asset": DataType.utf8(),
        "day": DataType.date32(),
        "known": DataType.int8(),
        "counted": DataType.int8(),
        "computed_at": DataType.timestamp("ms", tz="UTC"),
    }
    schema = Schema([Field(name, kinds.get(name, DataType.float64()), nullable=name in COUNTED) for name in COLUMNS])
    rows = read_csv(Pieces(lines), schema, has_header=True, batch_size=8192)
    file = tempfile.NamedTemporaryFile(prefix="tandem-facts-", suffix=".parquet")  # noqa: SIM115  the caller closes it
    write_parquet(rows, file.name, compression="zstd(3)", max_row_group_size=ROW_GROUP)
    return file


class Pieces(io.RawIOBase):
    """Bytes that come in pieces, as a file to read from."""

    def __init__(self, pieces: Iterator[bytes]):
        self.pieces = pieces
        self.rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        while not self.rest:
            piece = next(self.pieces, None)
            if piece is None:
                return 0
            self.rest = memoryview(piece)
        number = min(len(buffer), len(self.rest))
        buffer[:number] = self.rest[:number]
        self.rest = self.rest[number:]
        return number
