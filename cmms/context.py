"""What every page's frame needs: the product's name, the sites, the menu and the colours."""

from dataclasses import dataclass
from functools import cached_property

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from cmms.navigation import MENU
from core.kit import navigation

SCRIPTS = [
    "js/shortcuts.js",
    "js/tandem-menu.js",
    "js/tandem-theme.js",
    "js/tandem-toasts.js",
    "js/tandem-form.js",
    "js/tandem-select-rows.js",
]
THEMES = {"light", "dark", "auto"}


@dataclass
class Frame:
    """Read by `templates/base.html`; nothing is worked out that the page does not draw."""

    request: HttpRequest
    product: str = "Tandem"

    @property
    def site(self):
        return getattr(self.request, "site", None)

    @property
    def sites(self) -> list:
        return getattr(self.request, "sites", [])

    @property
    def scripts(self) -> list[str]:
        return SCRIPTS

    @property
    def theme(self) -> str:
        chosen = self.request.COOKIES.get("tandem_theme", "auto")
        return chosen if chosen in THEMES else "auto"

    @cached_property
    def menu(self) -> list:
        return navigation.for_request(MENU, self.request) if self.request.user.is_authenticated else []

    @cached_property
    def thumb(self) -> list:
        return navigation.for_phone(self.menu)

    @property
    def home(self) -> str:
        return address("home")

    @property
    def search(self) -> str:
        return address("search")


def address(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


def frame(request: HttpRequest) -> dict:
    found = Frame(request)
    return {"frame": found, "product": found.product, "site": found.site, "sites": found.sites}
