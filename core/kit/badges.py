"""A state as a person sees it: word, tone and icon, never colour alone."""

from dataclasses import dataclass
from typing import Any

TONES = ("ok", "watch", "warn", "stop", "idle")


@dataclass(frozen=True)
class Badge:
    """Something to show as a badge; any object with `label`, `tone` and `icon` will do as well."""

    label: Any
    tone: str = "idle"
    icon: str = ""

    def __post_init__(self):
        if self.tone not in TONES:
            raise ValueError(f"{self.tone!r} is not a tone; use one of {', '.join(TONES)}")

    def __str__(self) -> str:
        return str(self.label)


@dataclass(frozen=True)
class Action:
    """A button: a link (`post=False`), or a form of one button that posts to `url`.

    `fields` are posted along; `confirm` is a question asked first. `tone` "primary", "stop" or "".
    """

    label: Any
    url: str
    icon: str = ""
    tone: str = ""
    post: bool = False
    confirm: Any = ""
    fields: tuple[tuple[str, str], ...] = ()
