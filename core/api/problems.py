"""Every error of the REST API as problem+json (RFC 9457).

    {"type": "about:blank", "title": "Bad request", "status": 400, "code": "invalid",
     "detail": "…", "errors": [{"field": "exceptions.0.date", "code": "required", "message": "…"}]}

`code` is for machines and stays stable; `field` is the path into what was sent, with dots. An error that
nobody foresaw answers 500 without a trace; the trace is in the log.
"""

import logging

from django.core.exceptions import (
    NON_FIELD_ERRORS,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFilesSent,
)
from django.core.exceptions import ValidationError as ModelError
from django.core.signals import got_request_exception
from django.db import IntegrityError
from django.db.models import ProtectedError, RestrictedError
from django.http import Http404
from django.http.multipartparser import MultiPartParserError
from rest_framework import exceptions
from rest_framework.fields import get_error_detail
from rest_framework.response import Response

from core.errors import Conflict, DomainError, NotAllowed, Refused
from core.outage import OUTAGES

log = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
TITLES = {
    400: "Bad request",
    401: "Not authenticated",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    406: "Not acceptable",
    409: "Conflict",
    412: "Precondition failed",
    413: "Too large",
    415: "Unsupported media type",
    422: "Refused",
    428: "Precondition required",
    429: "Too many requests",
    500: "Server error",
}


class Problem(exceptions.APIException):
    """An error of the API itself, with its own status and code."""

    def __init__(self, status: int, code: str, detail: str, *, headers: dict[str, str] | None = None):
        super().__init__(detail, code)
        self.status_code = status
        self.headers = headers or {}


class BadParameter(Problem):
    """A query parameter that is unknown or cannot be read."""

    def __init__(self, field: str, code: str, message: str):
        super().__init__(400, code, message)
        self.errors = [{"field": field, "code": code, "message": message}]


def handle(exc: Exception, context: dict) -> Response:
    """DRF's exception handler: the problem for whatever went wrong."""
    if isinstance(exc, OUTAGES):
        raise exc  # OutageMiddleware answers 503
    return problem_of(exc, context)


def problem_of(exc: Exception, context: dict | None = None) -> Response:
    """The problem for an exception; one that nobody foresaw is logged with its trace."""
    match exc:
        case BadParameter():
            return problem(400, exc.detail.code, str(exc.detail), errors=exc.errors)
        case Problem():
            return problem(exc.status_code, exc.detail.code, str(exc.detail), headers=exc.headers)
        case DomainError():
            return domain_problem(exc)
        case exceptions.ValidationError():
            return problem(400, "invalid", "The request is not valid; see errors.", errors=flat(exc.detail))
        case ModelError():
            return problem(400, "invalid", "The request is not valid; see errors.", errors=flat(get_error_detail(exc)))
        case exceptions.ParseError() | MultiPartParserError():
            return problem(400, "parse_error", str(exc) or "The body cannot be read.")
        case exceptions.Throttled():
            wait = str(int(exc.wait or 1))
            return problem(429, "throttled", str(exc.detail), headers={"Retry-After": wait})
        case exceptions.APIException():
            headers = {"WWW-Authenticate": exc.auth_header} if getattr(exc, "auth_header", None) else {}
            return problem(exc.status_code, exc.get_codes(), str(exc.detail), headers=headers)
        case Http404():
            return problem(404, "not_found", "There is no such row, or it is not yours to see.")
        case PermissionDenied():
            return problem(403, "permission_denied", str(exc) or "You may not do this.")
        case RequestDataTooBig() | TooManyFilesSent():
            return problem(413, "too_large", "The body is too large.")
        case SuspiciousOperation():
            return problem(400, "suspicious", "The request is not valid.")
        case ProtectedError() | RestrictedError():
            return problem(409, "in_use", "Other rows still refer to this one.")
        case IntegrityError():
            return integrity_problem(exc)
    request = (context or {}).get("request")
    log.error("Unexpected error at %s", getattr(request, "path", "?"), exc_info=exc)
    got_request_exception.send(sender=None, request=request)
    return problem(500, "server_error", "Something went wrong here; nothing was saved. It is in the log.")


def domain_problem(exc: DomainError) -> Response:
    status = {Refused: 422, Conflict: 409, NotAllowed: 403}.get(type(exc), 422)
    errors = [{"field": exc.field, "code": exc.code, "message": str(exc.message)}] if exc.field else []
    return problem(status, exc.code, str(exc.message), errors=errors)


def integrity_problem(exc: IntegrityError) -> Response:
    """A rule that PostgreSQL held; its constraint's name is the code."""
    constraint = getattr(getattr(exc.__cause__, "diag", None), "constraint_name", None)
    log.warning("Constraint %s refused an API request", constraint)
    return problem(409, constraint or "constraint", "The row breaks a rule of the database; nothing was saved.")


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    errors: list[dict] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    body = {
        "type": "about:blank",
        "title": TITLES.get(status, "Error"),
        "status": status,
        "code": code,
        "detail": detail,
        "errors": errors or [],
    }
    response = Response(body, status=status, headers=headers, content_type=CONTENT_TYPE)
    response.exception = True
    return response


def flat(detail, path: str = "") -> list[dict]:
    """DRF's nested error detail as one list; the path into lists and objects is written with dots."""
    if isinstance(detail, dict):
        found = []
        for name, inner in detail.items():
            own = name in (NON_FIELD_ERRORS, "non_field_errors")
            found += flat(inner, path if own else f"{path}.{name}".lstrip("."))
        return found
    if isinstance(detail, list):
        found = []
        for index, inner in enumerate(detail):
            nested = isinstance(inner, (dict, list))
            found += flat(inner, f"{path}.{index}".lstrip(".") if nested else path)
        return found
    return [{"field": path or None, "code": getattr(detail, "code", "invalid"), "message": str(detail)}]
