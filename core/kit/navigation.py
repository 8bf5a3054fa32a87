"""Entries of the menu. The roof keeps the one list (`cmms/navigation.py`); names of addresses tie it to the pages."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse


def everybody(user, site) -> bool:
    return True


@dataclass(frozen=True)
class Item:
    """One entry: `may(user, site)` decides who sees it, `phone` puts it in the bar at the thumb (lowest first)."""

    label: Any
    icon: str
    url_name: str
    may: Callable[[Any, Any], bool] = everybody
    phone: int | None = None
    short: Any = ""  # a shorter word for the bar of a phone


@dataclass(frozen=True)
class Section:
    """A group of entries under a heading."""

    label: Any
    items: list[Item] = field(default_factory=list)


@dataclass(frozen=True)
class Link:
    """An entry as this user sees it on this page."""

    item: Item
    url: str
    active: bool


def can(capability: str) -> Callable[[Any, Any], bool]:
    """An entry for those whose role at the chosen site includes a capability."""
    return lambda user, site: site is not None and user.can(capability, site)


def address(item: Item) -> str | None:
    """Where the entry leads, or None while the page does not exist."""
    try:
        return reverse(item.url_name)
    except NoReverseMatch:
        return None


def for_request(menu: list[Section], request: HttpRequest) -> list[tuple[Section, list[Link]]]:
    """The sections and entries to show; the entry with the longest matching address is the active one."""
    site = getattr(request, "site", None)
    found = [
        (section, [(item, url) for item in section.items if item.may(request.user, site) and (url := address(item))])
        for section in menu
    ]
    matching = [url for _, links in found for _, url in links if request.path.startswith(url)]
    here = max(matching, key=len, default=None)
    return [(section, [Link(item, url, url == here) for item, url in links]) for section, links in found if links]


def for_phone(sections: list[tuple[Section, list[Link]]], limit: int = 4) -> list[Link]:
    """The entries of the bar at the thumb."""
    links = [link for _, links in sections for link in links if link.item.phone is not None]
    return sorted(links, key=lambda link: link.item.phone)[:limit]
