"""ISO weeks by their names, as addresses have them: 2026-W12."""

import re
from datetime import date

NAME = re.compile(r"([12]\d{3})-W(\d{2})", re.ASCII)


def name_of(day: date) -> str:
    """The week of a day."""
    year, week, _weekday = day.isocalendar()
    return f"{year}-W{week:02}"


def monday_named(name: str) -> date | None:
    """The Monday of a week by name; None if the name is none, or lies at the ends of the calendar."""
    found = NAME.fullmatch(name or "")
    if found:
        try:
            return date.fromisocalendar(int(found[1]), int(found[2]), 1)
        except ValueError:
            pass
    return None
