"""What a site earned in windows, by the net margins that held then."""

from collections.abc import Sequence
from datetime import datetime

from core.models import Site
from kpis.intervals import span
from kpis.margin import Earned, Yearly, earned
from kpis.models import NetMargin


def earned_in(site: Site, windows: Sequence[tuple[datetime, datetime]]) -> list[Earned]:
    """The net margin of each window; one query."""
    rows = NetMargin.objects.filter(site=site).values_list("valid_from", "amount")
    rates = [Yearly(since, float(amount)) for since, amount in rows]
    return [earned(rates, span(start, max(start, end)), site.day_begins) for start, end in windows]
