"""How lists of orders and requests are narrowed: the same on pages, in the API and in exports."""

import django_filters
from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from assets.models import Asset
from core.filters import RowFilter
from core.kit.forms import Day, SearchSelect
from core.models import Site
from people.models import User
from workorders.models import Assignment, Request, RequestState, WorkOrder
from workorders.states import OPEN_STATES, Kind, Priority, State

YES_NO = [("", _("any")), ("true", _("Yes")), ("false", _("No"))]


class YesNo(django_filters.TypedChoiceFilter):
    """A truth that may be asked for either way."""

    def __init__(self, **options):
        super().__init__(choices=YES_NO, coerce=lambda value: value == "true", empty_value=None, **options)


class Several(django_filters.MultipleChoiceFilter):
    """One or more of a list of values."""

    def __init__(self, **options):
        super().__init__(distinct=False, widget=forms.CheckboxSelectMultiple, **options)


class WorkOrderFilter(django_filters.FilterSet):
    search = django_filters.CharFilter(label=_("Number or text"), method="by_text")
    state = Several(label=_("State"), choices=State.choices)
    kind = Several(label=_("Kind"), choices=Kind.choices)
    priority = Several(label=_("Priority"), choices=Priority.choices)
    asset = RowFilter(Asset, label=_("Asset"), widget=SearchSelect)
    ancestor = RowFilter(Asset, label=_("Line or area"), method="by_ancestor", widget=SearchSelect)
    assignee = RowFilter(User, code="username", label=_("Assigned to"), method="by_assignee")
    owner = RowFilter(User, code="username", label=_("Has the ball"))
    open = YesNo(label=_("Open"), method="by_open")
    overdue = YesNo(label=_("Overdue"), method="by_overdue")
    unassigned = YesNo(label=_("Unassigned"), method="by_unassigned")
    late = YesNo(label=_("Starts late"), method="by_late")
    due_since = django_filters.IsoDateTimeFilter(
        label=_("Due from"), field_name="due_to", lookup_expr="gte", widget=Day
    )
    due_until = django_filters.IsoDateTimeFilter(
        label=_("Due before"), field_name="due_to", lookup_expr="lt", widget=Day
    )
    completed_since = django_filters.IsoDateTimeFilter(
        label=_("Completed from"), field_name="completed_at", lookup_expr="gte", widget=Day
    )
    completed_until = django_filters.IsoDateTimeFilter(
        label=_("Completed before"), field_name="completed_at", lookup_expr="lt", widget=Day
    )
    site = RowFilter(Site, label=_("Site"))
    number = django_filters.NumberFilter(label=_("Number"))
    external_id = django_filters.CharFilter(label=_("External id"))

    class Meta:
        model = WorkOrder
        fields: list[str] = []

    def by_text(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        return matching(rows, value)

    def by_ancestor(self, rows: QuerySet, name: str, value: Asset) -> QuerySet:
        return rows.filter(asset__path__startswith=value.path)

    def by_assignee(self, rows: QuerySet, name: str, value: User) -> QuerySet:
        return rows.assigned_to(value)

    def by_open(self, rows: QuerySet, name: str, value: bool) -> QuerySet:
        return rows.filter(state__in=OPEN_STATES) if value else rows.exclude(state__in=OPEN_STATES)

    def by_overdue(self, rows: QuerySet, name: str, value: bool) -> QuerySet:
        overdue = Q(state__in=OPEN_STATES, due_to__isnull=False, due_to__lt=timezone.now())
        return rows.filter(overdue) if value else rows.exclude(overdue)

    def by_unassigned(self, rows: QuerySet, name: str, value: bool) -> QuerySet:
        given = Exists(Assignment.objects.filter(order=OuterRef("pk")))
        return rows.filter(~given if value else given)

    def by_late(self, rows: QuerySet, name: str, value: bool) -> QuerySet:
        """Not begun, though somebody should have by now."""
        missed = Exists(Assignment.objects.filter(order=OuterRef("pk"), start__lt=timezone.now()))
        waiting = Q(state__in=[State.APPROVED, State.PLANNED, State.SCHEDULED])
        return rows.filter(waiting, missed) if value else rows.exclude(Q(missed) & waiting)


class OrderPageFilter(WorkOrderFilter):
    """Without what only programs ask for, or what the tabs of the page ask for."""

    state = django_filters.ChoiceFilter(label=_("State"), choices=State.choices)
    kind = django_filters.ChoiceFilter(label=_("Kind"), choices=Kind.choices)
    priority = django_filters.ChoiceFilter(label=_("Priority"), choices=Priority.choices)
    owner = open = site = number = external_id = completed_since = completed_until = None


class RequestFilter(django_filters.FilterSet):
    search = django_filters.CharFilter(label=_("Text"), method="by_text")
    state = Several(label=_("State"), choices=RequestState.choices)
    asset = RowFilter(Asset, label=_("Asset"), widget=SearchSelect)
    ancestor = RowFilter(Asset, label=_("Line or area"), method="by_ancestor", widget=SearchSelect)
    is_down = YesNo(label=_("Machine stands still"))
    site = RowFilter(Site, label=_("Site"))

    class Meta:
        model = Request
        fields: list[str] = []

    def by_text(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        for word in value.split():
            rows = rows.filter(summary__icontains=word)
        return rows

    def by_ancestor(self, rows: QuerySet, name: str, value: Asset) -> QuerySet:
        return rows.filter(asset__path__startswith=value.path)


class RequestPageFilter(RequestFilter):
    """Without what only programs ask for."""

    state = django_filters.ChoiceFilter(label=_("State"), choices=RequestState.choices)
    site = None


def matching(rows: QuerySet, text: str) -> QuerySet:
    """Orders by number (12 or #12), by words of their summary, or spelt alike; unordered."""
    text = text.strip().replace("\x00", "")
    number = text.removeprefix("#")
    if number.isascii() and number.isdigit() and len(number) < 18:
        return rows.filter(Q(number=int(number)) | Q(summary__icontains=text))
    each_word = Q()
    for word in text.split():
        each_word &= Q(summary__icontains=word)
    return rows.filter(each_word | Q(summary__trigram_word_similar=text))
