"""The inputs of a figure as rows of a table that reproduces it in a spreadsheet.

One row is a span of one asset in one state, a failure event, or a count with the share of it that lies in the
window. Times are formed by adding `seconds` by `kind`, MTBF by counting `failure` rows; docs/how-to/figures.md says
how for each figure.
"""

import csv
import io
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime

from django.http import StreamingHttpResponse
from django.utils.text import slugify
from django.utils.translation import gettext as _

from assets.models import Asset, DowntimeReason
from core.errors import Refused
from core.kit.exports import harmless
from core.models import Site
from kpis import oracle, timeline
from kpis import plain_records as plain
from kpis.axis import epoch, instant
from kpis.facts.records import Shelf, shelf
from kpis.facts.zones import Stretch
from kpis.intervals import Span, Spans, clip
from kpis.profiles import in_performance

COLUMNS = (
    "asset", "kind", "from", "to", "seconds", "record", "reason", "loss", "loss_of", "items", "good", "scrap", "rework",
    "ideal_cycle", "share",
)  # fmt: skip
MOST = 200_000  # asset-days of one download


def rows(
    site: Site, members: Sequence[Stretch], start: datetime, end: datetime, *, past: datetime, now: datetime,
    unobserved: Iterable[int], silent: Callable[[int], Spans],
) -> Iterator:  # fmt: skip
    """Rows of COLUMNS for assets that count, each for as long as it stood there; refused when too many are asked.

    The records up to `past` are read here and now, as of one moment; the rows are made one by one.
    """
    end = min(end, now)
    check_size(len(members), start, end)
    ids = {each.member.asset_id for each in members}
    codes = dict(Asset.objects.filter(pk__in=ids).values_list("pk", "code"))
    reasons = dict(DowntimeReason.objects.filter(site=site).values_list("pk", "code"))
    gone = {asset_id: silent(asset_id) for asset_id in ids}
    known = shelf(site, ids, start, past, now)
    return _rows(members, start, end, set(unobserved), gone, known, codes, reasons, in_performance(site))


def check_size(assets: int, start: datetime, end: datetime) -> None:
    """Refused where the states of so many assets are too many for one file."""
    if assets * max(1, (end - start).days) > MOST:
        message = _("The inputs of so many assets and days are too many for one file; ask for a shorter window.")
        raise Refused(message, code="too_many", field="from")


def _rows(
    members: Sequence[Stretch], start: datetime, end: datetime, unobserved: set[int], silent: dict[int, Spans],
    known: Shelf, codes: dict[int, str], reasons: dict[int, str], moved: Collection[str],
) -> Iterator[dict]:  # fmt: skip
    for each in sorted(members, key=lambda each: (codes[each.member.asset_id], each.since)):
        asset = each.member.asset_id
        window = Span(instant(max(epoch(start), each.since)), instant(min(epoch(end), each.until)))
        records = known.of(asset)
        gone = clip(silent[asset], window)
        for row in _of_asset(records, asset, window, observed=asset not in unobserved, silent=gone):
            reason = row.pop("reason_id", None)
            if loss := row.get("loss"):
                row["loss_of"] = "performance" if loss in moved else "availability"
            yield {"asset": codes[asset], "reason": reasons.get(reason, ""), **row}


def spans(records: plain.Records, asset: int, window: Span, state: timeline.State) -> Iterator[dict]:
    """The spans of one state of an asset, with the id of the stop's reason as `reason_id`."""
    for each in timeline.timeline(records, asset, window):
        if each.state is state:
            yield _span_row(state.value, each)


def _of_asset(
    records: plain.Records, asset: int, window: Span, *, observed: bool, silent: Spans
) -> Iterator[dict]:  # fmt: skip
    for each in timeline.timeline(records, asset, window, known=observed, silent=silent):
        row = _span_row(each.state.value, each)
        if each.state is timeline.State.DOWN and each.stop:
            row["loss"] = oracle.loss_class(records, each.stop)
        yield row
    if not observed:
        return
    for each in timeline.off_schedule(records, asset, window):
        yield _span_row("down off schedule", each)
    for event in oracle.events(records, asset):
        if window.covers(event.occurred):
            restored = event.restored
            yield {
                "kind": "failure" if event.counts else "found in maintenance" if event.found else "down already",
                "from": event.occurred,
                "to": restored,
                "seconds": None if restored is None else (restored - event.occurred).total_seconds(),
                "items": event.items,
            }
    for count in records.counts:
        if inside := clip((count.span,), window):
            yield {
                "kind": "count",
                "from": inside[0].start,
                "to": inside[0].end,
                "seconds": inside[0].seconds,
                "good": count.good,
                "scrap": count.scrap,
                "rework": count.rework,
                "ideal_cycle": count.ideal_cycle,
                "share": oracle.share(records, asset, count, inside[0]),
            }


def _span_row(kind: str, each: timeline.StateSpan) -> dict:
    span, stop = each.span, each.stop
    return {
        "kind": kind,
        "from": span.start,
        "to": span.end,
        "seconds": span.seconds,
        "record": stop.id if stop else None,
        "reason_id": stop.reason if stop else None,
    }


def download(
    site: Site, asset: Asset | None, definition: str, start: datetime, found: Iterable[dict],
    columns: Sequence[str] = COLUMNS,
) -> StreamingHttpResponse:  # fmt: skip
    """The rows as a file that is named for its figure."""
    name = slugify(f"{definition}-{(asset or site).code}-{start.astimezone(site.zone):%Y-%m-%d}")
    response = StreamingHttpResponse(as_csv(site, found, columns), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def as_csv(site: Site, found: Iterable[dict], columns: Sequence[str] = COLUMNS) -> Iterator[bytes]:
    """The rows as CSV with a head, instants with the site's offset."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, columns, restval="")
    writer.writeheader()
    for number, row in enumerate(found, start=1):
        writer.writerow({name: _text(site, value) for name, value in row.items()})
        if number % 500 == 0:
            yield _drain(buffer)
    yield _drain(buffer)


def _text(site: Site, value):
    if isinstance(value, datetime):
        return value.astimezone(site.zone).isoformat()
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return harmless(value) if isinstance(value, str) else value


def _drain(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode()
