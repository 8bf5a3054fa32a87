"""Making, using and revoking the bearer tokens with which other systems call the REST API.

The secret is shown once, when it is made; only its SHA-256 is kept. A token does what its user may do, and no more
than its scope.
"""

import secrets
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from core.errors import NotAllowed, Refused
from core.events import record
from people.models import Token, User

PREFIX = "tandem_"  # so that secret scanners know one when they see it
LONGEST = timedelta(days=3650)
NOTED_EVERY = timedelta(minutes=5)  # `last_used` is not worth a write per request


@transaction.atomic
def issue(
    user: User, *, by: User | None, scope: str = Token.Scope.READ, name: str = "", lifetime: timedelta = Token.LIFETIME
) -> tuple[Token, str]:
    """A new token of `user` and its secret. People make their own; `by=None` is the command line."""
    if by is not None and by != user:
        raise NotAllowed("You can make tokens for yourself only.")
    if not timedelta(0) < lifetime <= LONGEST:
        raise Refused(f"A token lasts from 1 to {LONGEST.days} days.", code="lifetime", field="days")
    if not user.is_active:
        raise Refused("This user is not active.", code="inactive", field="user")
    secret = PREFIX + secrets.token_urlsafe(32)
    now = timezone.now()
    token = Token.objects.create(
        user=user, name=name, scope=scope, digest=Token.digest_of(secret), created=now, expires=now + lifetime
    )
    record("token.issued", token, by=by, site=None, summary=f"Token {token} for {user.username} ({scope})")
    return token, secret


@transaction.atomic
def revoke(token: Token, *, by: User | None) -> None:
    """Close a token for ever: one's own, or as administrator one of a colleague's."""
    if by is not None and not Token.objects.visible_to(by).filter(pk=token.pk).exists():
        raise NotAllowed("This is not your token.")
    if Token.objects.filter(pk=token.pk, revoked=None).update(revoked=timezone.now()):
        record("token.revoked", token, by=by, site=None, summary=f"Token {token} of {token.user.username} revoked")
    token.refresh_from_db()


def find(secret: str) -> Token | None:
    """The valid token with this secret, with its user."""
    token = Token.objects.select_related("user").filter(digest=Token.digest_of(secret)).order_by().first()
    if token is None or not token.is_valid:
        return None
    note_use(token)
    return token


def note_use(token: Token) -> None:
    """Keep when the token was last used, to within a few minutes."""
    now = timezone.now()
    if token.last_used is None or now - token.last_used > NOTED_EVERY:
        Token.objects.filter(pk=token.pk).update(last_used=now)
