"""The tabs of orders and requests, and the tab that assets get from this app."""

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from assets.models import Asset
from core.attachments import attachments_of
from core.comments import comments_of
from core.events import history
from core.kit.badges import Action
from core.kit.forms import Form, make_form
from core.kit.panels import Panel, register
from workorders import lifecycle
from workorders.forms.moves import move_form
from workorders.models import Request, RequestState, WorkOrder
from workorders.priority import judge_order
from workorders.states import State
from workorders.tables import OrderTable
from workorders.timekeeping import overlaps
from workorders.views.steps import step_context

NEWEST = 200
WORKED_ON = (State.IN_PROGRESS, State.ON_HOLD, State.COMPLETED)


@register("workorders.WorkOrder")
class Work(Panel):
    """Steps, time, and the form that completes the order."""

    slug, label, icon, order = "work", _("Work"), "tool", 0
    template = "workorders/panels/work.html"

    def context(self, request, obj):
        labour = list(obj.labour.select_related("person"))
        doubts = overlaps(labour) if obj.state in WORKED_ON else {}
        return {
            **step_context(obj, request.user),
            "assignments": list(obj.assignments.select_related("person")),
            "labour": [(entry, doubts.get(entry.pk, [])) for entry in labour],
            "my_clock": next((each for each in labour if each.end is None and each.person == request.user), None),
            "may_time": obj.state in WORKED_ON and request.user.can("execute", obj.site),
            "may_plan": request.user.can("plan", obj.site),
            "finish": finish_form(request, obj),
            "judgement": judge_order(obj),
            "follow_ups": list(obj.follow_ups.all()),
            "costs": list(obj.costs.order_by("source", "at")),
        }


def finish_form(request, order: WorkOrder) -> Form | None:
    """The questions of the completion, for those who may complete the order now."""
    move = lifecycle.MOVES["complete"]
    if order.state not in move.sources or not move.allowed_to(request.user, order):
        return None
    return make_form(move_form(move, order), request)


class Talk(Panel):
    """What people say about the row, and its files."""

    slug, label, icon, order = "talk", _("Notes & files"), "messages", 20
    template = "workorders/panels/talk.html"
    names = ("", "")  # addresses for a comment and for a file

    def count(self, obj, user):
        return comments_of(obj).count() + attachments_of(obj).count() or None

    def context(self, request, obj):
        may = request.user.can("report", obj.site)
        comment, file = self.names
        return {
            "comments": comments_of(obj),
            "attachments": self.files(obj),
            "comment_url": reverse(comment, args=[obj.pk]) if may else "",
            "attachment_url": reverse(file, args=[obj.pk]) if may else "",
        }

    def files(self, obj):
        return list(attachments_of(obj))


@register("workorders.WorkOrder")
class OrderTalk(Talk):
    names = ("work-order-comment", "work-order-file")

    def files(self, obj):
        """The files of the order, and what its reporter sent."""
        request = getattr(obj, "request", None)
        return [*(attachments_of(request) if request else []), *attachments_of(obj)]


@register("workorders.Request")
class RequestTalk(Talk):
    order = 0
    names = ("request-comment", "request-file")


class History(Panel):
    """What happened to the row."""

    slug, label, icon, order = "history", _("History"), "history", 90
    template = "workorders/panels/history.html"

    def context(self, request, obj):
        return {"events": history(obj)[:NEWEST]}


register("workorders.WorkOrder")(History)
register("workorders.Request")(type("RequestHistory", (History,), {}))


class OrdersHere(OrderTable):
    default_sort = "-number"
    page_size = 20


@register("assets.Asset")
class WorkOnAsset(Panel):
    """Open requests and all orders of the asset and what stands below it."""

    slug, label, icon, order = "work", _("Work"), "clipboard-list", 10
    template = "workorders/panels/asset.html"

    def count(self, obj, user):
        return self.orders(obj, user).open().count()

    def actions(self, obj, user):
        """What an operator came for who scanned the label of the machine."""
        if obj.archived_at or not user.can("report", obj.site):
            return []
        return [Action(_("Report a problem"), f"{reverse('request-new')}?asset={obj.pk}", "speakerphone")]

    def context(self, request, obj):
        rows = self.orders(obj, request.user).select_related("asset", "site", "owner", "reported_by", "job_plan")
        waiting = Request.objects.visible_to(request.user).filter(
            asset__path__startswith=obj.path, state=RequestState.NEW
        )
        return {
            "table": OrdersHere(rows.prefetch_related("assignments__person"), request.GET, user=request.user),
            "requests": list(waiting.select_related("asset", "reported_by")[:20]),
            "may_raise": request.user.can("execute", obj.site) and not obj.archived_at,
        }

    def orders(self, asset: Asset, user):
        return WorkOrder.objects.visible_to(user).filter(asset__path__startswith=asset.path)
