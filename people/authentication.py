"""How other systems show who they are: `Authorization: Bearer <token>`."""

import hashlib

from django.core.cache import cache
from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, Throttled

from people import tokens
from people.models import Token, User

MOST_FAILURES = 20  # wrong tokens from one address
FAILURES_LAST = 300  # seconds


class TokenAuthentication(BaseAuthentication):
    """Knows the caller by a bearer token. Many wrong ones from one address are made to wait."""

    def authenticate(self, request) -> tuple[User, Token] | None:
        scheme, _space, secret = get_authorization_header(request).partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        failures = Failures(request)
        failures.check()
        token = tokens.find(secret.strip().decode(errors="replace"))
        if token is None:
            failures.note()
            raise AuthenticationFailed(_("This token is wrong, revoked or expired."), code="bad_token")
        return token.user, token

    def authenticate_header(self, request) -> str:
        return 'Bearer realm="Tandem"'


class Failures:
    """Wrong tokens from one address in the last minutes."""

    def __init__(self, request):
        address = request.META.get("REMOTE_ADDR", "")
        self.key = f"token-failures:{hashlib.sha256(address.encode()).hexdigest()[:32]}"

    def check(self) -> None:
        if cache.get(self.key, 0) >= MOST_FAILURES:
            raise Throttled(wait=FAILURES_LAST)

    def note(self) -> None:
        cache.add(self.key, 0, timeout=FAILURES_LAST)
        try:
            cache.incr(self.key)
        except ValueError:  # it ran out just now
            cache.set(self.key, 1, timeout=FAILURES_LAST)
