"""Which machines the figures of a page are of, in words: those below a line, each by itself, or the line itself."""

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from assets.models import Asset, Level
from core.models import Site
from kpis import effectiveness
from kpis.facts.members import Scope
from kpis.figures import Period


@dataclass(frozen=True)
class Counted:
    """What is counted: of a site or line its machines, or with `own` the line itself with what stops it.

    `of_oee` says which of them OEE is of and what their availability is, where that is not all of them. `other` is the
    address of the other way of counting, "" where there is none.
    """

    words: str
    of_oee: str = ""
    own: bool = False
    other: str = ""
    other_words: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, [self.words, self.of_oee]))


def is_line(asset: Asset | None) -> bool:
    """Whether machines stand below the asset, so that it may be asked for by itself or for them."""
    if asset is None:
        return False
    below = Asset.objects.filter(parent=asset, archived_at=None)
    return below.exclude(level=Level.COMPONENT).exists()


def scope_asked(text: str | None, *, line: bool) -> Scope:
    """What an address asks for; only of a line there are two ways."""
    return Scope.ASSET if line and text == Scope.ASSET else Scope.LEAVES


def counted(whole: Period, scope: Scope, *, line: bool, other: str = "") -> Counted | None:
    """What the figures of the Period count; None for a machine, which has but itself."""
    asset = whole.asset
    if asset is not None and not line:
        return None
    own = scope is Scope.ASSET and asset is not None
    words = said(asset or whole.site, scope if asset else Scope.LEAVES, whole.machines)
    if asset is None or not other:
        return Counted(words, "" if own else of_oee(whole), own=own)
    if own:
        return Counted(words, own=True, other=other, other_words=_("Its machines, each by itself"))
    other_words = _("%(code)s itself, with what stops it") % {"code": asset.code}
    return Counted(words, of_oee(whole), other=other, other_words=other_words)


def said(whose: Asset | Site, scope: Scope, number: int) -> str:
    """ "Counts the 3 machines of L1, each by itself."; `number` assets are in the scope."""
    words = {"n": number, "whose": whose.name if isinstance(whose, Site) else whose.code}
    if scope is Scope.ASSET:
        return _("Counts %(whose)s itself: its own stops and those of what stops it.") % words
    if not number:
        return _("No machine of %(whose)s was in service.") % words
    if scope is Scope.SUBTREE:
        return (
            ngettext(
                "Counts %(whose)s and everything below it: %(n)d asset, by itself.",
                "Counts %(whose)s and everything below it: %(n)d assets, each by itself.",
                number,
            )
            % words
        )
    return ngettext(
        "Counts the %(n)d machine of %(whose)s by itself.", "Counts the %(n)d machines of %(whose)s, each by itself.",
        number,
    ) % words  # fmt: skip


def of_losses(whole: Period) -> tuple[str, str]:
    """Of how many machines planned time with its losses is, and of how many the stops by reason are; "" twice where
    these are the same, or none has counts."""
    number, machines = len(whole.answer.counted_assets), whole.machines
    if not number or number == machines:
        return "", ""
    words = ngettext(
        "Of the %(n)d of %(all)d machines with counts.", "Of the %(n)d of %(all)d machines with counts.", number
    )
    return words % {"n": number, "all": machines}, _("Of all %(all)d machines.") % {"all": machines}


def of_largest(whole: Period) -> str:
    """The same of losses of speed and quality beside stops in one table."""
    number, machines = len(whole.answer.counted_assets), whole.machines
    if not number or number == machines:
        return ""
    words = ngettext(
        "Reduced speed, scrap and rework are of the %(n)d of %(all)d machines with counts, stops of all %(all)d.",
        "Reduced speed, scrap and rework are of the %(n)d of %(all)d machines with counts, stops of all %(all)d.",
        number,
    )
    return words % {"n": number, "all": machines}


def of_oee(whole: Period) -> str:
    """Of which machines OEE is, and what their own availability is; "" where it is of all or none."""
    found = effectiveness.factors(whole.answer.counted, whole.site.oee_profile)
    number = len(whole.answer.counted_assets)
    if found is None or number == whole.machines:
        return ""
    words = ngettext(
        "OEE is of the %(n)d of %(all)d machines with counts; its availability is %(share)s.",
        "OEE is of the %(n)d of %(all)d machines with counts; their availability is %(share)s.",
        number,
    )
    return words % {"n": number, "all": whole.machines, "share": effectiveness.percent(found.availability)}
