"""OEE taken apart: availability, performance and quality of the machines with counts, whose product it is."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from core.kit.present import number_text
from kpis import formulas
from kpis.formulas import Facts
from kpis.profiles import IN_PERFORMANCE


@dataclass(frozen=True)
class Factors:
    """The three shares, each of the same machines and time as the OEE; None where one is undefined."""

    availability: float | None
    performance: float | None
    quality: float | None

    def __str__(self) -> str:
        """ "A 87.1 % × P 92.0 % × Q 98.0 %"."""
        return _("A %(a)s × P %(p)s × Q %(q)s") % {
            "a": percent(self.availability), "p": percent(self.performance), "q": percent(self.quality),
        }  # fmt: skip


def factors(facts: Facts, profile: str = "") -> Factors | None:
    """Of the facts of machines with counts, by an OEE profile; None where these have no OEE."""
    if formulas.oee(facts).value is None:
        return None
    moved = IN_PERFORMANCE.get(profile, ())
    return Factors(
        formulas.oee_availability(facts, in_performance=moved).value,
        formulas.performance(facts, in_performance=moved).value,
        formulas.quality(facts).value,
    )


def percent(share: float | None) -> str:
    return _("undefined") if share is None else f"{number_text(share * 100, 1)}\u202f%"
