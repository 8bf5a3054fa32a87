"""Recording what happened, and letting upper apps react to it after commit.

A verb calls `record(...)` once, inside its transaction. An upper app reacts in its `reactions.py`:

    @reacts_to("asset.archived")
    def cancel_open_orders(event): ...

Reactions run after commit; one that fails is logged and does not undo the verb.
"""

import logging
from collections import defaultdict
from collections.abc import Callable

from django.db import models, transaction

from core.models import Event

log = logging.getLogger(__name__)
REACTIONS: dict[str, list[Callable[[Event], None]]] = defaultdict(list)


def label_of(obj: models.Model) -> str:
    """The name under which events, comments and attachments know a row's kind: "assets.asset"."""
    return obj._meta.label_lower


def record(verb: str, obj: models.Model, *, by, site, summary: str, **data) -> Event:
    """Write one event about `obj`; `by` is the acting user, or None when a background job acts."""
    event = Event.objects.create(
        verb=verb,
        object_type=label_of(obj),
        object_id=obj.pk,
        actor=by,
        site=site,
        summary=summary[:300],
        data=data,
    )
    for reaction in REACTIONS[verb]:
        transaction.on_commit(lambda reaction=reaction: _run(reaction, event))
    return event


def record_many(
    verb: str,
    rows: list[models.Model],
    *,
    by,
    summary: Callable[[models.Model], str],
    site=None,
    data: Callable[[models.Model], dict] | None = None,
) -> None:
    """Events of one verb about many rows in one statement; `site` defaults to each row's own, `data` to nothing."""
    events = Event.objects.bulk_create(
        Event(
            verb=verb,
            object_type=label_of(row),
            object_id=row.pk,
            actor=by,
            site=site or row.site,
            summary=summary(row)[:300],
            data=data(row) if data else {},
        )
        for row in rows
    )
    for reaction in REACTIONS[verb]:
        for event in events:
            transaction.on_commit(lambda reaction=reaction, event=event: _run(reaction, event))


def announce(verb: str, event_ids: list[int]) -> None:
    """Let reactions follow events that a set-based statement has written; call it inside its transaction."""
    if not REACTIONS[verb]:
        return
    for event in Event.objects.filter(pk__in=event_ids):
        for reaction in REACTIONS[verb]:
            transaction.on_commit(lambda reaction=reaction, event=event: _run(reaction, event))


def reacts_to(*verbs: str):
    """Register a function that is called with the event after commit."""

    def register(reaction: Callable[[Event], None]) -> Callable[[Event], None]:
        for verb in verbs:
            REACTIONS[verb].append(reaction)
        return reaction

    return register


def history(obj: models.Model) -> models.QuerySet[Event]:
    """The events of one row, newest first."""
    return Event.objects.filter(object_type=label_of(obj), object_id=obj.pk).select_related("actor")


def _run(reaction: Callable[[Event], None], event: Event) -> None:
    try:
        reaction(event)
    except Exception:
        log.exception("Reaction %s to event %s failed", reaction.__qualname__, event.pk)
