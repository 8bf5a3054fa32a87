"""Strong ETags: the hash of the row's JSON, so that nothing in the answer can change unnoticed."""

import hashlib

from django.utils.http import parse_etags

from core.api.problems import Problem


def etag_of(text: str) -> str:
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def check_if_match(header: str | None, text: str) -> None:
    """Refuse with 412 when the caller's `If-Match` names another state of the row than `text`."""
    if header is None or header.strip() == "*":
        return
    if etag_of(text) not in parse_etags(header):
        raise Problem(412, "changed_meanwhile", "Somebody changed this row since you read it; read it again.")


def is_unchanged(header: str | None, text: str) -> bool:
    """Whether `If-None-Match` says that the caller has this state already."""
    if header is None:
        return False
    return header.strip() == "*" or etag_of(text) in [tag.removeprefix("W/") for tag in parse_etags(header)]
