"""The same POST sent twice does its work once: `Idempotency-Key`.

The answer is kept in the same transaction as the work, so there is never one without the other. While one request
runs, a lock of its transaction keeps out its twin (409); a worker that dies lets go of it. Refused requests keep
nothing: nothing was done, and the corrected request may use the key.
"""

import hashlib
import json
from datetime import timedelta

from django.db import connection
from django.http import HttpResponse
from django.utils import timezone

from core.api.problems import Problem
from core.models import IdempotencyRecord

LIFETIME = timedelta(days=7)
KEPT_HEADERS = ("Content-Type", "ETag", "Location")
REPLAYED = "Idempotency-Replayed"


class Claim:
    """One POST with a key, inside its transaction."""

    def __init__(self, request, key: str):
        if not (1 <= len(key) <= 200 and key.isascii() and key.isprintable()):
            raise Problem(400, "idempotency_key_invalid", "An Idempotency-Key has 1 to 200 printable characters.")
        self.identity = {"user": request.user, "path": request.path[:300], "key": key}
        self.digest = digest_of(request)
        if not self._lock():
            raise Problem(
                409,
                "idempotency_in_flight",
                "A request with this Idempotency-Key is still running.",
                headers={"Retry-After": "1"},
            )

    def earlier_answer(self) -> HttpResponse | None:
        """The answer that this key got before; a different body is refused."""
        record = IdempotencyRecord.objects.filter(**self.identity).first()
        if record is None:
            return None
        if record.digest != self.digest:
            raise Problem(
                422, "idempotency_key_reused", "This Idempotency-Key was sent before with a different request."
            )
        answer = HttpResponse(record.body, status=record.status, headers=record.headers)
        answer[REPLAYED] = "true"
        return answer

    def keep(self, answer: HttpResponse) -> None:
        """Keep the answer; one that holds a secret carries what may be kept instead as `kept`."""
        headers = {name: answer[name] for name in KEPT_HEADERS if name in answer}
        IdempotencyRecord.objects.create(
            **self.identity,
            digest=self.digest,
            status=answer.status_code,
            headers=headers,
            body=getattr(answer, "kept", answer.content.decode()),
        )

    def _lock(self) -> bool:
        text = f"{self.identity['user'].pk} {self.identity['path']} {self.identity['key']}"
        number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], signed=True)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
            return cursor.fetchone()[0]


def digest_of(request) -> str:
    """A hash of what was sent. The parts of a form count, not the boundary between them, which changes each time."""
    digest = hashlib.sha256(request.META.get("QUERY_STRING", "").encode())
    if request.content_type.startswith("multipart/"):
        fields = {name: value for name, value in request.data.lists() if name not in request.FILES}
        digest.update(json.dumps(fields, sort_keys=True).encode())
        for name, file in sorted(request.FILES.items()):
            digest.update(f"\n{name}\n{file.name}\n".encode())
            for chunk in file.chunks():
                digest.update(chunk)
            file.seek(0)
    else:
        digest.update(request._request.body)
    return digest.hexdigest()


def forget_old_records() -> int:
    """Delete answers older than seven days; how many."""
    return IdempotencyRecord.objects.filter(created__lt=timezone.now() - LIFETIME).delete()[0]
