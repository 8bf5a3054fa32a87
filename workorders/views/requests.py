"""Reporting a problem, following it up, and the planner's inbox."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse, reverse_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views import View

from assets.models import Asset
from core.kit.badges import Action, Badge
from core.kit.form_views import ActionPage, FormPage
from core.kit.views import DetailPage, ListPage
from core.querysets import id_of
from core.talk import AddComment, AddFiles
from workorders.filters import RequestPageFilter
from workorders.forms.requests import AcceptForm, DeclineForm, ReportForm
from workorders.models import Request, RequestState
from workorders.reporting import accept, decline, join, open_work, report
from workorders.tables import RequestTable

REQUESTS = (gettext_lazy("Requests"), reverse_lazy("requests"))


class ReportProblem(FormPage):
    """The requester's home: which machine, what is wrong, a photo."""

    model, form_class = Request, ReportForm
    template_name = "workorders/report.html"
    title = gettext_lazy("Report a problem")
    submit = gettext_lazy("Report")
    parent = REQUESTS

    def may(self, user):
        return self.request.site is None or user.can("report", self.request.site)

    @property
    def done(self):
        return _("Thank you. You will see the answer here.")

    def save(self, form):
        sent = form.cleaned_data
        return report(
            sent["asset"],
            sent["summary"],
            by=self.request.user,
            description=sent["description"],
            is_down=sent["is_down"],
            files=[sent["photo"]] if sent["photo"] else [],
        )

    def context(self):
        mine = Request.objects.visible_to(self.request.user).filter(reported_by=self.request.user)
        newest = mine.select_related("asset", "work_order").order_by("-reported_at")[:5]
        return {**super().context(), "mine": newest}


class OpenWork(View):
    """What is under way on an asset already, so that nobody reports it a second time."""

    def get(self, request: HttpRequest) -> HttpResponse:
        key = request.GET.get("asset", "")
        asset = Asset.objects.visible_to(request.user).filter(pk=id_of(key)).first() if key else None
        if key and asset is None:
            raise Http404
        orders, requests = open_work(asset) if asset else ([], [])
        return render(request, "workorders/_open_work.html", {"asset": asset, "orders": orders, "requests": requests})


VIEWS = {
    "new": (gettext_lazy("To answer"), lambda rows, user: rows.filter(state=RequestState.NEW)),
    "mine": (gettext_lazy("Mine"), lambda rows, user: rows.filter(reported_by=user)),
    "all": (gettext_lazy("All"), lambda rows, user: rows),
}


class RequestList(ListPage):
    """A planner's inbox; everybody else finds his own reports and their answers."""

    model, table, filterset = Request, RequestTable, RequestPageFilter
    template_name = "workorders/requests.html"
    title = gettext_lazy("Requests")
    export_name = "requests"

    def may(self, user):
        return self.request.site is None or user.can("report", self.request.site)

    @property
    def plans(self) -> bool:
        return self.request.site is not None and self.request.user.can("plan", self.request.site)

    @property
    def view(self) -> str:
        asked = self.request.GET.get("view", "")
        if asked in VIEWS:
            return asked
        return "all" if "state" in self.request.GET else "new" if self.plans else "mine"

    def rows(self):
        rows = VIEWS[self.view][1](super().rows(), self.request.user)
        return rows.select_related("asset", "site", "work_order", "reported_by")

    def context(self):
        tabs = [(label, f"?view={name}", name == self.view) for name, (label, _rows) in VIEWS.items()]
        return {**super().context(), "views": tabs}

    def answer(self):
        if self.request.site is None:
            return ""
        waiting = Request.objects.at(self.request.site).filter(state=RequestState.NEW)
        count = waiting.count()
        if not count:
            return _("Every request is answered.")
        down = waiting.filter(is_down=True).count()
        said = ngettext("%(n)d request waits for an answer", "%(n)d requests wait for an answer", count) % {"n": count}
        if down:
            said += ", " + ngettext("%(n)d machine stands still", "%(n)d machines stand still", down) % {"n": down}
        return f"{said}."

    def actions(self):
        return [Action(_("Report a problem"), reverse("request-new"), "speakerphone", tone="primary")]


class RequestPage(DetailPage):
    model = Request
    template_name = "workorders/request.html"
    parent = REQUESTS

    def rows(self):
        return super().rows().select_related("site", "asset", "reported_by", "work_order__owner")

    def badges(self):
        still = Badge(_("Stands still"), "stop", "player-pause") if self.object.is_down else None
        return [badge for badge in (self.object.badge, still) if badge]

    def answer(self):
        request = self.object
        if request.state == RequestState.NEW:
            return _("Waits for a planner's answer.")
        if request.work_order:
            step = request.work_order.badge.next_step
            who = request.work_order.owner
            return (
                _("%(order)s: %(who)s is to %(step)s.")
                % {"order": request.work_order.code, "who": who or _("somebody"), "step": step}
                if step
                else request.answer
            )
        return request.answer

    def actions(self):
        request, user = self.object, self.request.user
        if request.state != RequestState.NEW or not user.can("plan", request.site):
            return []
        return [
            Action(_("Accept"), reverse("request-accept", args=[request.pk]), "circle-check", tone="primary"),
            Action(_("Decline"), reverse("request-decline", args=[request.pk]), "circle-x"),
        ]


class AnswerRequest(ActionPage):
    model = Request
    parent = REQUESTS

    def rows(self):
        return super().rows().select_related("site", "asset", "reported_by")

    def may_object(self, user, obj):
        return user.can("plan", obj.site)

    @property
    def sentence(self):
        return f"{self.object.asset} · {self.object.reported_by}"


class AcceptRequest(AnswerRequest):
    form_class = AcceptForm
    template_name = "workorders/accept.html"
    title = gettext_lazy("Accept")
    submit = gettext_lazy("Make it an order")
    icon = "circle-check"

    def initial(self):
        return AcceptForm.start_with(self.object)

    def context(self):
        orders, requests = open_work(self.object.asset)
        return {
            **super().context(), "orders": orders, "requests": [each for each in requests if each != self.object],
        }  # fmt: skip

    def do(self, obj, **cleaned):
        self.order = accept(obj, by=self.request.user, **cleaned)
        return _("%(order)s is raised.") % {"order": self.order}

    def success_url(self):
        return self.back(self.order.get_absolute_url())


class DeclineRequest(AnswerRequest):
    form_class = DeclineForm
    title = submit = gettext_lazy("Decline")
    icon = "circle-x"
    tone = "stop"

    def do(self, obj, *, answer):
        decline(obj, by=self.request.user, answer=answer)
        return _("The reporter reads your answer.")


class JoinRequest(ActionPage):
    """It affects somebody else as well."""

    model = Request
    title = submit = gettext_lazy("This affects me as well")
    icon = "users"

    def rows(self):
        return super().rows().select_related("site", "work_order")

    def may_object(self, user, obj):
        return user.can("report", obj.site)

    def do(self, obj):
        join(obj, by=self.request.user)
        return _("Noted. You need not report it again.")


class CommentRequest(AddComment):
    model = Request


class AddFileToRequest(AddFiles):
    model = Request
