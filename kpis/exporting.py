"""Day facts of many assets as CSV, for BI tools: additive, so that any figure of any window can be formed from them."""

import csv
import io
from collections.abc import Iterator
from datetime import datetime, timedelta

from assets.models import Asset
from core.errors import Refused
from core.models import Site
from kpis import figures
from kpis.facts.question import calculating

MOST = 4_000_000  # asset-days of one file
CHUNK = 200  # assets that are read together


def day_facts(
    site: Site, assets: list[Asset] | None, start: datetime, end: datetime, *, now: datetime
) -> Iterator[bytes]:
    """CSV: one row for each asset (all of the site by default) and production day in [start, end).

    The columns are the inputs of figures, times in seconds. Days before an asset was commissioned or after it was
    retired have no row; `known` is 0 where nothing was ever recorded for the asset, and its times are then unknown.
    """
    rows = Asset.objects.filter(site=site).order_by("code", "pk")
    chosen = list(rows) if assets is None else assets
    if len(chosen) * max(1, (end - start) // timedelta(days=1)) > MOST:
        raise Refused(f"More than {MOST} asset-days at once; ask for a shorter window.", code="too_many", field="to")
    return _lines(site, chosen, start, end, now)


def _lines(site: Site, chosen: list[Asset], start: datetime, end: datetime, now: datetime) -> Iterator[bytes]:
    buffer = io.StringIO()
    names = list(figures.inputs(figures.formulas.NO_FACTS))
    writer = csv.writer(buffer)
    writer.writerow(["site", "asset", "day", "known", *names, "computed_at"])
    for position in range(0, len(chosen), CHUNK):
        with calculating():
            found = figures.periods(
                chosen[position : position + CHUNK], site=site, start=start, end=end, by="day", scope="asset", now=now
            )
        for each in found:
            facts = each.answer.all
            if facts.calendar:
                sums = figures.inputs(facts)
                day, computed = site.production_day(each.start), each.answer.computed_at or now
                writer.writerow(
                    [
                        site.code, each.asset.code, day, facts.recorded, *(f"{sums[name]:.12g}" for name in names),
                        computed.isoformat(timespec="seconds"),
                    ]
                )  # fmt: skip
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()
