"""What is right below an asset or a site, each beside the others: bad actors, and a row of figures of each."""

from collections.abc import Callable, Sequence

from assets.models import Asset
from kpis import charts
from kpis.definitions import DEFINITIONS
from kpis.figures import Period
from kpis.present import address_of, said, why, word

ROW = ("availability", "mtbf", "oee")
MOST = 20  # rows; of more, those that lost most time


def actors(periods: Sequence[Period], *, url: Callable[[Asset], str]) -> charts.Chart:
    """Those that were there in the window, by lost time; `url` gives the page of one."""
    there = [period for period in periods if period.answer.all.calendar]
    known = [period for period in there if period.answer.all.recorded]
    unknown = [period for period in there if not period.answer.all.recorded]
    return charts.actors([actor(each, url) for each in known], unknown=[actor(each, url) for each in unknown])


def actor(period: Period, url: Callable[[Asset], str]) -> charts.Actor:
    """One of them, its lost time as far to be trusted as its availability."""
    facts = period.answer.all
    said = word(period.figure(DEFINITIONS["availability"]))
    return charts.Actor(period.asset.code, facts.down, facts.events, url(period.asset), said)


def rows(
    periods: Sequence[Period], *, scope: str, url: Callable[[Asset], str], everything: bool = False
) -> list[dict]:  # fmt: skip
    """Their figures in the order of `periods`; of many, unless `everything` is asked for, those that lost most."""
    found = periods
    if len(periods) > MOST and not everything:
        found = sorted(periods, key=lambda period: -period.answer.all.down)[:MOST]
    return [row(period, scope=scope, url=url(period.asset)) for period in found]


def row(period: Period, *, scope: str, url: str) -> dict:
    """One of them: figures with their text and the address that explains them."""
    found = [period.figure(DEFINITIONS[key]) for key in ROW]
    return {
        "asset": period.asset,
        "url": url,
        "cells": [(figure, said(figure), why(figure), address_of(figure, period.site, scope)) for figure in found],
    }
