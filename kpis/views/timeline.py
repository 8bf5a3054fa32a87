"""The state timeline: what each machine below an asset or a site did, span by span, and which hours lose time."""

from functools import cached_property

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from assets.models import DowntimeReason
from core.kit.present import number_text
from kpis import charts_states, figures, windows
from kpis.charts import HOUR
from kpis.facts.members import Scope, members
from kpis.facts.records import Shelf
from kpis.hours import week
from kpis.states import Machine, StopOnMachine, machines, records_of, stops_of
from kpis.timeline import State
from kpis.views.asked import Asked

MOST_DAYS = 8  # of the timeline: beyond them a stop is too narrow to be seen
MOST_MACHINES = 100
MOST_STOPS = 40  # rows of the table
NAMED = 5  # machines in a sentence
MOST_OF_WEEK = 500  # machines of the hours of the week
MOST_ASSET_DAYS = 20_000


class Timeline(Asked):
    """The same question as on the Performance page; without a window it is about 7 days."""

    template_name = "kpis/timeline.html"
    title = gettext_lazy("Timeline")
    route = "performance-timeline"

    @cached_property
    def window(self) -> windows.Window:
        return windows.asked(self.site, self.request.GET, now=self.now, asset=self.asset, default="7d")

    def page_title(self) -> str:
        if self.site is None:
            return str(self.title)
        return f"{self.title} · {self.asset.code if self.asset else self.site.name}"

    def _picker(self) -> dict:
        return super()._picker() | {"comparisons": []}

    def instead(self) -> dict[str, str]:
        return {"scope": Scope.LEAVES}  # it compares nothing and has no trend

    def crumbs(self) -> list[tuple]:
        return [(_("Performance"), self.url(page="performance"))]

    def context(self) -> dict:
        if self.site is None:
            return {"window": None}
        counting = members(self.site, [self.asset], self.window.start, self.window.end, Scope.LEAVES)
        number = len({each.asset_id for each in counting})
        return {**self.picker(), **self.hours(number), **self.states(number)}

    @cached_property
    def known(self) -> tuple[figures.Period, Shelf]:
        """What both pictures are made of."""
        span = [(self.window.start, self.window.end)]
        (period,) = figures.known([self.asset], span, site=self.site, now=self.now)
        return period, records_of(period)

    def hours(self, number: int) -> dict:
        """The hours of the week; where the machines or their days are too many, that it is so."""
        if number > MOST_OF_WEEK or number * self.window.days > MOST_ASSET_DAYS:
            said = _("Hours of the week are told of %(most)d machines and %(days)d days of a machine at most.")
            return {"no_hours": said % {"most": MOST_OF_WEEK, "days": MOST_ASSET_DAYS}}
        return {"hours": charts_states.hours_of_week(week(*self.known), threshold=self.site.coverage_threshold)}

    def states(self, number: int) -> dict:
        """The timeline of so many machines with its stops; where they or the days are too many, what to choose."""
        if self.window.days > MOST_DAYS:
            said = _("A timeline shows %(most)d days at most, these are %(days)d: choose a shorter window.")
            return {"too_much": said % {"most": MOST_DAYS, "days": self.window.days}, "narrower": self.shorter()}
        if number > MOST_MACHINES:
            said = _("A timeline shows %(most)d machines at most, these are %(number)d: choose what is below.")
            return {"too_much": said % {"most": MOST_MACHINES, "number": number}, "narrower": self.below()}
        found = machines(*self.known)
        reasons = dict(DowntimeReason.objects.filter(site=self.site).values_list("pk", "name"))
        stops = stops_of(found, now=self.now)
        return {
            "answer": self.said(found),
            "chart": charts_states.timeline(
                found, start=self.window.start, end=self.window.end, zone=self.site.zone, reasons=reasons
            ),
            "stops": [
                (each, charts_states.STATES[each.state], charts_states.reason_of(each.reason_id, reasons))
                for each in stops[:MOST_STOPS]
            ],
            "more_stops": self.left_out(stops),
        }

    def shorter(self) -> list[tuple]:
        """(label, address) of windows that a timeline can show."""
        none = {"from": None, "to": None}
        return [(windows.NAMES[name], self.url(window=name, **none)) for name in ("day", "7d")]

    def below(self) -> list[tuple]:
        """(label, address) of the assets right below."""
        return [(f"{each.code} · {each.name}", self.url(asset=each.pk)) for each in self.children]

    def said(self, found: list[Machine]) -> str:
        """What the timeline shows, in words."""
        unknown = sum(not machine.observed for machine in found)
        never = sum(not machine.observed and not machine.silent for machine in found)
        silent = [machine.asset.code for machine in found if machine.silent]
        hours = {state: sum(each.seconds(state) or 0 for each in found) / HOUR for state in State}
        if not found:
            return _("There was no machine in this window.")
        if never == len(found):
            return _("Nothing was ever recorded for these machines, so their states are unknown.")
        planned = hours[State.OPERATING] + hours[State.DOWN]
        known, down = len(found) - unknown, hours[State.DOWN]
        numbers = {"n": known, "down": number_text(down, 1), "planned": number_text(planned, 1)}
        if round(down * HOUR):
            sentence = ngettext(
                "%(n)d machine was stopped for %(down)s h of %(planned)s h of planned production time.",
                "%(n)d machines were stopped for %(down)s h of %(planned)s h of planned production time.",
                known,
            )
        else:
            sentence = ngettext(
                "%(n)d machine was never stopped in %(planned)s h of planned production time.",
                "%(n)d machines were never stopped in %(planned)s h of planned production time.",
                known,
            )
        words = [sentence % numbers]
        if never:
            words.append(
                ngettext(
                    "Of %(n)d other nothing was ever recorded.", "Of %(n)d others nothing was ever recorded.", never
                )
                % {"n": never}
            )
        if silent:
            codes = ", ".join(silent[:NAMED]) + ("…" if len(silent) > NAMED else "")
            words.append(
                _("Nothing has been told for long of %(codes)s, whose state was unknown then.") % {"codes": codes}
            )
        return " ".join(words)

    def left_out(self, stops: list[StopOnMachine]) -> str:
        if len(stops) <= MOST_STOPS:
            return ""
        return _("%(most)d of %(all)d are listed.") % {"most": MOST_STOPS, "all": len(stops)}
