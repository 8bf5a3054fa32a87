"""Addresses under /api/ that lead nowhere."""

from drf_spectacular.utils import extend_schema

from core.api.problems import Problem
from core.api.resource import Door


@extend_schema(exclude=True)
class Missing(Door):
    """Answers 404 as a problem, to every method."""

    http_method_names = ["get", "post", "put", "patch", "delete", "head"]

    def get(self, request, *args, **kwargs):
        hint = "" if request.path.endswith("/") else " Addresses end with a slash."
        raise Problem(404, "not_found", f"There is no such address.{hint}")

    post = put = patch = delete = head = get
