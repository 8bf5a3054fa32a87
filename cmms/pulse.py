"""Signs of life of the worker and of beat, kept in the cache for /healthz.

The worker's comes from its main process, which also answers while every child is busy with a long job; beat's comes
with each look at the table of schedules. Neither queues a task, so nothing piles up while the other is away.
"""

import logging
import time

import redis.exceptions
from celery.beat import PersistentScheduler
from celery.signals import heartbeat_sent, worker_shutting_down
from django.core.cache import cache

log = logging.getLogger(__name__)

EVERY = 5  # seconds
LIFETIME = 45  # seconds after which the sender counts as down
PARTS = ("worker", "beat")
_last: dict[str, float] = {}


def note(part: str) -> None:
    """Say that this part is alive, at most every few seconds; a lost cache is the cache's trouble, not the part's."""
    if time.monotonic() - _last.get(part, -EVERY) < EVERY:
        return
    _last[part] = time.monotonic()
    try:
        cache.set(f"pulse:{part}", time.time(), LIFETIME)
    except redis.exceptions.RedisError as error:
        log.warning("%s cannot show that it is alive: %s", part, type(error).__name__)


def ages() -> dict[str, float | None]:
    """Seconds since each part's last sign of life; None if there is none to count on."""
    kept = cache.get_many([f"pulse:{part}" for part in PARTS])
    now = time.time()
    return {part: max(0.0, now - kept[f"pulse:{part}"]) if f"pulse:{part}" in kept else None for part in PARTS}


@heartbeat_sent.connect
def worker_is_alive(**_) -> None:
    note("worker")


@worker_shutting_down.connect
def worker_leaves(**_) -> None:
    _last["worker"] = float("inf")  # it may finish a job for a while, but takes no other
    try:
        cache.delete("pulse:worker")
    except redis.exceptions.RedisError as error:
        log.warning("worker cannot show that it leaves: %s", type(error).__name__)


class Scheduler(PersistentScheduler):
    """Celery's own scheduler, which shows at each look at its table that it is alive."""

    def tick(self, *args, **kwargs) -> float:
        note("beat")
        return min(super().tick(*args, **kwargs), EVERY)
