"""Who may call at all; what a caller may see and do is decided by the queryset and the verb."""

from rest_framework.permissions import SAFE_METHODS, BasePermission


class MayCall(BasePermission):
    """A known caller; one with a token of scope *read* may only read."""

    def has_permission(self, request, view) -> bool:
        if not (request.user and request.user.is_authenticated):
            return False
        if request.method not in SAFE_METHODS and getattr(request.auth, "scope", "write") == "read":
            self.message = "This token may only read."
            self.code = "read_only_token"
            return False
        return True
