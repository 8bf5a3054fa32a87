"""Icons as inline SVG, read once from the folder of Tabler outline icons."""

import re
from functools import cache
from pathlib import Path

from django.conf import settings
from django.utils.safestring import SafeString, mark_safe


class UnknownIcon(LookupError):
    """There is no icon of this name among the staged ones."""


def folder() -> Path:
    return Path(settings.ICONS_DIR)


@cache
def svg(name: str, css: str = "") -> SafeString:
    """The icon, hidden from screen readers: the word beside it is what is read."""
    file = folder() / f"{name}.svg"
    if not re.fullmatch(r"[a-z0-9-]+", name) or not file.is_file():
        raise UnknownIcon(f"No icon {name!r} in {folder()}")
    inner = re.search(r"<svg[^>]*>(.*)</svg>", file.read_text(), re.S)[1]
    # The first path of every Tabler icon is an invisible bounding box.
    inner = re.sub(r'<path stroke="none" d="M0 0h24v24H0z" fill="none" ?/>', "", inner)
    inner = re.sub(r"\s+", " ", inner).strip()
    classes = f"icon {css}".strip()
    return mark_safe(
        f'<svg class="{classes}" width="24" height="24" viewBox="0 0 24 24" fill="none" stroke="currentColor"'
        f' stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">{inner}</svg>'
    )
