"""The settings page: what administrators keep, one card each. A card whose page does not exist is not shown."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from core.kit.navigation import Item, address, can
from core.kit.views import Page


@dataclass(frozen=True)
class Card:
    """A page that administrators keep, and what it is for."""

    item: Item
    sentence: Any


CARDS = [
    Card(
        Item(_("Sites"), "building-factory-2", "sites", can("administer")),
        _("Name, clock, currency, start of the production day."),
    ),
    Card(
        Item(_("Net margin"), "coins", "net-margins", can("manage")),
        _("What the site earns in a year; downtime is measured by it."),
    ),
    Card(
        Item(_("Labour capacity"), "users", "labour-capacities", can("manage")),
        _("Hours a week of the crew; the backlog and wrench time are measured by them."),
    ),
    Card(
        Item(_("Reasons for stops"), "player-pause", "downtime-reasons", can("administer")),
        _("What people choose from when something is down, and what is planned."),
    ),
    Card(
        Item(_("Kinds of assets"), "category", "asset-kinds", can("administer")),
        _("Classes of equipment; reasons and failure codes may belong to one."),
    ),
    Card(
        Item(_("Failure codes"), "alert-octagon", "failure-codes", can("administer")),
        _("Lists of problems, causes and remedies."),
    ),
]


class Settings(Page):
    title = _("Settings")
    template_name = "cmms/settings.html"

    def may(self, user) -> bool:
        return self.request.site is not None and user.can("administer", self.request.site)

    def get(self, request: HttpRequest) -> HttpResponse:
        offered = [card for card in CARDS if card.item.may(request.user, request.site)]
        return self.draw(cards=[(card, url) for card in offered if (url := address(card.item))])
