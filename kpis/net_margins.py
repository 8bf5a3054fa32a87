"""The net margin of a site, year by year: what cost of downtime is measured by."""

from kpis.dated import Verbs
from kpis.models import NetMargin


def described(margin: NetMargin) -> str:
    """ "4,800,000.00 EUR a year from 2026-01-01"."""
    return f"{margin.amount:,.2f} {margin.site.currency} a year from {margin.valid_from}"


VERBS = Verbs(NetMargin, "net_margin", ("amount", "valid_from"), described)
