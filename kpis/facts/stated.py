"""What managers state of a site from a day on, as windows want it: what it earned, and what hours its crew had."""

from collections.abc import Sequence
from datetime import datetime

from core.models import Site
from kpis.crew import Crew, Weekly, crew
from kpis.intervals import span
from kpis.margin import Earned, Yearly, earned
from kpis.models import LabourCapacity, NetMargin

Windows = Sequence[tuple[datetime, datetime]]


def earned_in(site: Site, windows: Windows) -> list[Earned]:
    """The net margin of each window; one query."""
    rates = margins_of(site)
    return [earned(rates, span(start, max(start, end)), site.day_begins) for start, end in windows]


def margins_of(site: Site) -> list[Yearly]:
    rows = NetMargin.objects.filter(site=site).values_list("valid_from", "amount")
    return [Yearly(since, float(amount)) for since, amount in rows]


def crews_in(site: Site, windows: Windows) -> list[Crew]:
    """The hours of the crew in each window; one query."""
    rates = capacities_of(site)
    return [crew(rates, span(start, max(start, end)), site.day_begins) for start, end in windows]


def capacities_of(site: Site) -> list[Weekly]:
    rows = LabourCapacity.objects.filter(site=site).values_list("valid_from", "net", "paid")
    return [Weekly(since, float(net), None if paid is None else float(paid)) for since, net, paid in rows]
