"""My work: what a technician has to do today, with one tap to begin."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from core.kit.views import Page
from workorders import lifecycle
from workorders.mine import MyWork, my_work

GROUPS = (
    ("working", gettext_lazy("In progress"), "player-play"),
    ("late", gettext_lazy("Late"), "clock-exclamation"),
    ("today", gettext_lazy("Today"), "calendar-event"),
    ("to_verify", gettext_lazy("To verify"), "checks"),
    ("waiting", gettext_lazy("On hold"), "player-pause"),
    ("soon", gettext_lazy("Within a week"), "calendar-week"),
    ("later", gettext_lazy("Later"), "calendar"),
    ("ready", gettext_lazy("Free to take"), "hand-click"),
)


class MyWorkPage(Page):
    title = gettext_lazy("My work")
    template_name = "workorders/my_work.html"

    def may(self, user):
        return self.request.site is None or user.can("execute", self.request.site)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        mine = my_work(request.user, request.site) if request.site else MyWork()
        start, resume = lifecycle.MOVES["start"], lifecycle.MOVES["resume"]
        groups = [
            (name, label, icon, [(order, next_move(order, start, resume)) for order in orders])
            for name, label, icon in GROUPS
            if (orders := getattr(mine, name))
        ]
        return self.draw(mine=mine, groups=groups, answer=summary_of(mine))


def next_move(order, *moves):
    """The one press that leads on from a list, if there is one: start, or resume."""
    move = next((move for move in moves if order.state in move.sources), None)
    return (move, reverse("work-order-move", args=[order.pk, move.noun])) if move else None


def summary_of(mine: MyWork) -> str:
    """The day in one sentence."""
    said = [
        ngettext("%(n)d in progress", "%(n)d in progress", len(mine.working)) % {"n": len(mine.working)},
        ngettext("%(n)d late", "%(n)d late", len(mine.late)) % {"n": len(mine.late)},
        ngettext("%(n)d for today", "%(n)d for today", len(mine.today)) % {"n": len(mine.today)},
        ngettext("%(n)d to verify", "%(n)d to verify", len(mine.to_verify)) % {"n": len(mine.to_verify)},
        ngettext("%(n)d on hold", "%(n)d on hold", len(mine.waiting)) % {"n": len(mine.waiting)},
        ngettext("%(n)d within a week", "%(n)d within a week", len(mine.soon)) % {"n": len(mine.soon)},
    ]
    counts = (mine.working, mine.late, mine.today, mine.to_verify, mine.waiting, mine.soon)
    kept = [sentence for sentence, orders in zip(said, counts, strict=True) if orders]
    if kept:
        return ", ".join(kept) + "."
    return _("Nothing for today.") if not mine.ready else _("Nothing for today; there is work free to take.")
