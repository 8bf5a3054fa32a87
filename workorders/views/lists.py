"""The planner's list of orders, and raising and editing one."""

from django.db.models import Count, Q
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from core.kit.badges import Action
from core.kit.form_views import FormPage
from core.kit.views import Bulk, ListPage
from workorders import editing, raising
from workorders.assigning import assign_many, schedule_many
from workorders.filters import OrderPageFilter
from workorders.forms.orders import AssignForm, OrderForm, ScheduleForm
from workorders.models import WorkOrder
from workorders.states import HoldReason, State
from workorders.tables import OrderTable

# What people look for most: name in the address, label, rows.
VIEWS = {
    "open": (_("Open"), lambda rows, user: rows.open()),
    "overdue": (_("Overdue"), lambda rows, user: rows.overdue()),
    "unassigned": (_("Unassigned"), lambda rows, user: rows.unassigned()),
    "approval": (_("To approve"), lambda rows, user: rows.filter(state=State.DRAFT)),
    "hold": (_("On hold"), lambda rows, user: rows.filter(state=State.ON_HOLD)),
    "verify": (_("To verify"), lambda rows, user: rows.filter(state=State.COMPLETED)),
    "mine": (_("I have the ball"), lambda rows, user: rows.filter(owner=user)),
    "all": (_("All"), lambda rows, user: rows),
}


def may_plan(user, site) -> bool:
    return site is not None and user.can("plan", site)


class OrderList(ListPage):
    model, table, filterset = WorkOrder, OrderTable, OrderPageFilter
    template_name = "workorders/orders.html"
    title = _("Work orders")
    export_name = "work-orders"
    bulk = [
        Bulk("assign", _("Assign"), assign_many, icon="user-plus", form=AssignForm, may=may_plan),
        Bulk("schedule", _("Schedule"), schedule_many, icon="calendar-plus", form=ScheduleForm, may=may_plan),
    ]

    @property
    def view(self) -> str:
        """The tab: open orders, unless another is asked for or a state is."""
        asked = self.request.GET.get("view", "")
        return asked if asked in VIEWS else "all" if "state" in self.request.GET else "open"

    def rows(self):
        rows = VIEWS[self.view][1](super().rows(), self.request.user)
        return rows.select_related(
            "asset", "site", "owner", "reported_by", "job_plan"
        ).prefetch_related("assignments__person")  # fmt: skip

    def context(self):
        kept = self.request.GET.copy()
        for name in ("view", "page"):
            kept.pop(name, None)
        tabs = [(label, self.address(kept, name), name == self.view) for name, (label, _rows) in VIEWS.items()]
        return {**super().context(), "views": tabs}

    def address(self, kept, view: str) -> str:
        query = kept.copy()
        query["view"] = view
        return f"?{query.urlencode()}"

    def answer(self):
        if self.request.site is None:
            return ""
        return how_it_goes(WorkOrder.objects.at(self.request.site))

    def actions(self):
        site = self.request.site
        if site is None or not self.request.user.can("execute", site):
            return []
        return [Action(_("New order"), reverse("work-order-new"), "plus", tone="primary")]


def how_it_goes(rows) -> str:
    """The open orders of a site in one sentence."""
    counts = rows.open().aggregate(
        open=Count("pk"),
        overdue=Count("pk", filter=Q(due_to__lt=timezone.now())),
        drafts=Count("pk", filter=Q(state=State.DRAFT)),
        parts=Count("pk", filter=Q(state=State.ON_HOLD, hold_reason=HoldReason.PARTS)),
    )
    if not counts["open"]:
        return _("No open orders.")
    sentences = [
        ngettext("%(n)d open", "%(n)d open", counts["open"]),
        ngettext("%(n)d overdue", "%(n)d overdue", counts["overdue"]),
        ngettext("%(n)d waits for approval", "%(n)d wait for approval", counts["drafts"]),
        ngettext("%(n)d waits for parts", "%(n)d wait for parts", counts["parts"]),
    ]
    said = [
        sentence % {"n": n} for sentence, n in zip(sentences, counts.values(), strict=True) if n
    ]  # fmt: skip
    return ", ".join(said) + "."


class NewOrder(FormPage):
    model, form_class = WorkOrder, OrderForm
    title = _("New work order")
    submit = _("Raise")
    parent = (_("Work orders"), reverse_lazy("work-orders"))

    def may(self, user):
        return self.request.site is not None and user.can("execute", self.request.site)

    def save(self, form):
        return raising.raise_order(by=self.request.user, **form.cleaned_data)


class EditOrder(FormPage):
    model, form_class = WorkOrder, OrderForm
    parent = (_("Work orders"), reverse_lazy("work-orders"))

    def rows(self):
        return super().rows().select_related("site", "asset", "job_plan")

    def may_object(self, user, obj):
        return editing.may_edit(obj, user)

    def page_title(self):
        return _("Edit %(order)s") % {"order": self.object.code}

    def save(self, form):
        return editing.edit(self.object, form.cleaned_data, by=self.request.user, version=int(self.version))
