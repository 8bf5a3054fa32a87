"""Lists of operating calendars and counts."""

from datetime import timedelta

from django.utils.translation import gettext_lazy as _

from core.kit.tables import Column, DurationColumn, Empty, NumberColumn, Table, WhenColumn
from production.calendars import pattern_of
from production.models import OperatingCalendar


def hours_a_week(calendar: OperatingCalendar) -> float:
    """Scheduled hours of an ordinary week."""
    slots = [slot for slots in pattern_of(calendar).weekly.values() for slot in slots]
    return sum(slot.nominal / timedelta(hours=1) for slot in slots)


def owner(calendar: OperatingCalendar):
    return calendar.asset or _("Whole site")


class CalendarTable(Table):
    name = Column(_("Name"), link=True, order_by="name", phone="title")
    asset = Column(_("For"), owner, link="asset", order_by="asset__code", phone="subtitle")
    valid_from = WhenColumn(_("Valid from"), order_by="valid_from")
    valid_to = WhenColumn(_("Valid to"), order_by="valid_to")
    hours = NumberColumn(_("Hours a week"), hours_a_week, digits=1, unit="h")

    default_sort = "name"
    empty = Empty(
        _("No calendars yet: everything is taken to run around the clock."), _("Agree on the first"),
        "operating-calendar-new", "calendar-time",
    )  # fmt: skip


class CountTable(Table):
    start = WhenColumn(_("From"), order_by="start", link=True, phone="title")
    end = WhenColumn(_("To"), order_by="end")
    asset = Column(_("Asset"), link="asset", order_by="asset__code", phone="subtitle")
    product = Column(_("Product"), order_by="product")
    good = NumberColumn(_("Good"), order_by="good")
    scrap = NumberColumn(_("Scrap"), order_by="scrap")
    rework = NumberColumn(_("Rework"), order_by="rework", phone="hidden")
    ideal_cycle = NumberColumn(_("Ideal cycle"), unit="s", order_by="ideal_cycle", digits=2, phone="hidden")
    lasted = DurationColumn(_("Lasted"), lambda count: count.end - count.start, hidden=True)
    source = Column(_("Source"), "get_source_display", order_by="source", hidden=True)
    external_id = Column(_("External id"), order_by="external_id", hidden=True)

    default_sort = "-start"
    empty = Empty(_("Nothing is counted yet."), _("Record a count"), "count-new", "packages")
