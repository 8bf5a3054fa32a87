"""Logging in, with a pause after repeated failures.

Failures are counted per user name and address together, so that nobody can lock somebody else out from afar,
and per address alone with a higher limit, so that one machine cannot try many names.
"""

import hashlib

from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, PasswordChangeView
from django.contrib.messages.views import SuccessMessageMixin
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

FAILURES_PER_NAME = 5
FAILURES_PER_ADDRESS = 50
PAUSE = 5 * 60  # seconds


def address_of(request: HttpRequest) -> str:
    """The caller's address: what the outermost of our own proxies saw, or else the web server itself.

    Each proxy appends the address that it was called from, so only the last entries are not made up.
    """
    seen = [entry.strip() for entry in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if entry.strip()]
    ours = settings.TRUSTED_PROXIES
    return seen[-ours] if 0 < ours <= len(seen) else request.META.get("REMOTE_ADDR", "")


def counters(request: HttpRequest, username: str) -> dict[str, int]:
    """Cache key → limit; names are hashed, because a password typed into the wrong box must not be kept."""
    address = address_of(request)
    name = hashlib.sha256(f"{username.strip().lower()}|{address}".encode()).hexdigest()
    place = hashlib.sha256(address.encode()).hexdigest()
    return {f"login:name:{name}": FAILURES_PER_NAME, f"login:address:{place}": FAILURES_PER_ADDRESS}


class LoginForm(AuthenticationForm):
    """User name and password; refuses even the right password during a pause."""

    error_messages = {
        **AuthenticationForm.error_messages,
        "invalid_login": _("This user name and password do not belong together. Mind capital letters."),
    }

    def clean(self) -> dict:
        keys = counters(self.request, self.cleaned_data.get("username") or "")
        failures = cache.get_many(keys)
        if any(failures.get(key, 0) >= limit for key, limit in keys.items()):
            minutes = PAUSE // 60
            raise ValidationError(
                ngettext(
                    "Too many wrong passwords. Wait %(n)s minute, then try again.",
                    "Too many wrong passwords. Wait %(n)s minutes, then try again.",
                    minutes,
                )
                % {"n": minutes},
                code="paused",
            )
        try:
            cleaned = super().clean()
        except ValidationError:
            for key in keys:
                cache.add(key, 0, PAUSE)
                cache.incr(key)
            raise
        cache.delete(next(iter(keys)))
        return cleaned


class LogIn(LoginView):
    form_class = LoginForm
    redirect_authenticated_user = True

    def form_valid(self, form):
        """A person who chose a language gets it on every machine."""
        response = super().form_valid(form)
        if language := form.get_user().language:
            speak(response, language)
        return response


def speak(response: HttpResponse, language: str) -> None:
    """Pages are in this language from now on; an empty one leaves it to the browser."""
    if language:
        response.set_cookie(settings.LANGUAGE_COOKIE_NAME, language, max_age=60 * 60 * 24 * 365, samesite="Lax")
    else:
        response.delete_cookie(settings.LANGUAGE_COOKIE_NAME)


class ChangePassword(SuccessMessageMixin, PasswordChangeView):
    template_name = "registration/password_change.html"
    success_url = reverse_lazy("home")
    success_message = _("Your new password counts from now on.")
    extra_context = {"title": _("Change password")}
