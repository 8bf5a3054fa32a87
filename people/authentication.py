"""How other systems show who they are: `Authorization: Bearer <token>`."""

import hashlib

from django.core.cache import cache
from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, Throttled

from people import tokens
from people.login import address_of
from people.models import Token, User

MOST_FAILURES = 20  # wrong tokens from one address
FAILURES_LAST = 300  # seconds


class TokenAuthentication(BaseAuthentication):
    """Knows the caller by a bearer token. Many wrong ones from one address are made to wait."""

    def authenticate(self, request) -> tuple[User, Token] | None:
        scheme, _space, secret = get_authorization_header(request).partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        token = tokens.find(secret.strip().decode(errors="replace"))
        if token is None:
            Failures(request).note()
            raise AuthenticationFailed(_("This token is wrong, revoked or expired."), code="bad_token")
        return token.user, token

    def authenticate_header(self, request) -> str:
        return 'Bearer realm="Tandem"'


class Failures:
    """Wrong tokens from one address in the last minutes. Callers with a right one never wait."""

    def __init__(self, request):
        place = hashlib.sha256(address_of(request).encode()).hexdigest()
        self.key = f"token-failures:{place}"

    def note(self) -> None:
        """Count one more; Throttled after too many."""
        cache.add(self.key, 0, timeout=FAILURES_LAST)
        try:
            count = cache.incr(self.key)
        except ValueError:  # it ran out just now
            return
        if count > MOST_FAILURES:
            raise Throttled(wait=FAILURES_LAST)
