"""Typed readers of environment variables, which fail loudly.

Each reader takes the variable's name and a default; a variable without a default is required.
`NAME_FILE` names a file that holds the value (for container secrets). Every name that is read is
kept in `READ`, so that the README's table of settings can be checked against it.
"""

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

READ: dict[str, object] = {}
_REQUIRED = object()


def text(name: str, default: object = _REQUIRED) -> str:
    READ[name] = None if default is _REQUIRED else default
    if path := os.environ.get(f"{name}_FILE"):
        try:
            return Path(path).read_text().strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE: cannot read {path}: {error.strerror}") from None
    value = os.environ.get(name, default)
    if value is _REQUIRED:
        raise ImproperlyConfigured(f"{name} is not set (nor {name}_FILE)")
    return str(value)


def boolean(name: str, default: bool) -> bool:
    value = text(name, default).lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off", ""}:
        return False
    raise ImproperlyConfigured(f"{name} must be true or false, not {value!r}")


def integer(name: str, default: int) -> int:
    value = text(name, default)
    try:
        return int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {value!r}") from None


def words(name: str, default: str = "") -> list[str]:
    """A comma-separated list."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def postgres(name: str, default: object = _REQUIRED) -> dict:
    """Django's database settings from postgresql://user:password@host:port/name."""
    url = urlsplit(text(name, default))
    if url.scheme not in {"postgresql", "postgres"} or not url.path.strip("/"):
        raise ImproperlyConfigured(f"{name} must look like postgresql://user:password@host:5432/name")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(url.path.strip("/")),
        "USER": unquote(url.username or ""),
        "PASSWORD": unquote(url.password or ""),
        "HOST": url.hostname or "",
        "PORT": str(url.port or 5432),
    }


def redis(name: str, default: object = _REQUIRED) -> str:
    """A Redis address without a database number: redis://:password@host:port."""
    value = text(name, default).rstrip("/")
    if urlsplit(value).scheme not in {"redis", "rediss", "unix"}:
        raise ImproperlyConfigured(f"{name} must look like redis://:password@host:6379")
    return value
