"""The work orders of the demo plant as they will be recorded: the order, what was done, who did it, what it cost."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count

from assets.models import Source
from cmms.demo.plant import Unit
from cmms.demo.stops import Breakdown
from core.copying import copy_in, reserve_ids
from core.events import label_of
from core.models import Comment, Event, Site
from people.models import User
from workorders.models import (
    Assignment,
    Cost,
    JobPlan,
    Kind,
    Labour,
    NumberSeries,
    PlanOccurrence,
    Request,
    RequestState,
    State,
    Step,
    WorkOrder,
)
from workorders.models.plan import StepKind
from workorders.priority import judge


@dataclass
class Work:
    """One order with everything that hangs on it. `trail` is what happened: (verb, who, when, words)."""

    unit: Unit
    kind: str
    summary: str
    reported_at: datetime
    state: str = State.CLOSED
    description: str = ""
    reported_by: User | None = None
    owner: User | None = None
    consequence: int = 2
    likelihood: int = 2
    due_from: datetime | None = None
    due_to: datetime | None = None
    estimate: int | None = None
    job_plan: JobPlan | None = None
    occurrence: PlanOccurrence | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    closed_at: datetime | None = None
    state_since: datetime | None = None
    hold_reason: str = ""
    state_note: str = ""
    completion_note: str = ""
    failure: Breakdown | None = None
    was_failure: bool | None = None
    assignments: list[tuple[User, datetime | None, int | None]] = field(default_factory=list)
    labour: list[tuple[User, datetime, datetime | None]] = field(default_factory=list)
    costs: list[tuple[str, float, datetime, str]] = field(default_factory=list)
    steps: list[dict] = field(default_factory=list)
    comments: list[tuple[User, datetime, str]] = field(default_factory=list)
    trail: list[tuple[str, User | None, datetime, str]] = field(default_factory=list)
    request: str | None = None  # what the operator wrote
    id: int = 0
    number: int = 0

    @property
    def site(self) -> Site:
        return self.unit.site

    def moved(self, verb: str, by: User | None, at: datetime, words: str) -> None:
        """Keep what happened; the last move says since when the state holds."""
        self.trail.append((verb, by, at, words))
        self.state_since = at


def answered(template, chance, by: User, at: datetime) -> dict:
    """A step of a job plan with a believable answer."""
    values: dict = {"outcome": "ok", "number": None, "answer": "", "answered_by_id": by.pk, "answered_at": at}
    if template.kind == StepKind.PASS and chance.random() < 0.03:
        values |= {"outcome": "flag", "answer": "Watch at the next inspection"}
    elif template.kind == StepKind.NUMBER:
        low, high = float(template.low), float(template.high)
        values["number"] = Decimal(str(round(low + (high - low) * min(max(chance.gauss(0.5, 0.16), 0.04), 0.96), 1)))
    elif template.kind == StepKind.CHOICE:
        values["answer"] = chance.choice(template.choices[:2])
    elif template.kind == StepKind.TEXT:
        values["answer"] = chance.choice(["Nothing to remark", "All in order", "Cleaned while there"])
    return values


def write(works: list[Work]) -> None:
    """Store the orders in the order in which they were raised, numbered per site."""
    works.sort(key=lambda work: work.reported_at)
    last: dict[int, int] = {}
    for work, id_ in zip(works, reserve_ids(WorkOrder, len(works)), strict=True):
        work.id = id_
        work.number = last[work.site.pk] = last.get(work.site.pk, 0) + 1
    NumberSeries.objects.bulk_create(NumberSeries(site_id=site, last=number) for site, number in last.items())
    _orders(works)
    _steps(works)
    _labour_and_costs(works)
    copy_in(Assignment, ["order_id", "person_id", "start", "minutes"], (
        (work.id, person.pk, start, minutes) for work in works for person, start, minutes in work.assignments
    ))  # fmt: skip
    columns = ["site_id", "asset_id", "summary", "description", "is_down", "state", "work_order_id", "reported_by_id",
               "reported_at", "answered_at", "answer"]  # fmt: skip
    copy_in(Request, columns, (
        (work.site.pk, work.unit.asset.pk, work.summary, work.request, bool(work.failure and work.failure.stop),
         RequestState.ACCEPTED, work.id, work.reported_by.pk, work.reported_at,
         work.reported_at + timedelta(minutes=9), "")
        for work in works if work.request is not None
    ))  # fmt: skip
    copy_in(Comment, ["site_id", "object_type", "object_id", "author_id", "body", "at"], (
        (work.site.pk, label_of(WorkOrder), work.id, author.pk, body, at)
        for work in works for author, at, body in work.comments
    ))  # fmt: skip
    columns = ["site_id", "actor_id", "verb", "object_type", "object_id", "summary", "at"]
    copy_in(Event, columns, (
        (work.site.pk, by and by.pk, f"work_order.{verb}", label_of(WorkOrder), work.id, words, at)
        for work in works for verb, by, at, words in work.trail
    ))  # fmt: skip


def _orders(works: list[Work]) -> None:
    columns = [
        "id", "site_id", "number", "kind", "asset_id", "summary", "description", "state", "consequence", "likelihood",
        "priority", "due_from", "due_to", "estimate_minutes", "job_plan_id", "occurrence_id", "owner_id",
        "reported_by_id", "reported_at", "created", "state_since", "started_at", "completed_at", "closed_at",
        "hold_reason", "state_note", "completion_note", "was_failure", "failure_id", "downtime_id", "source",
    ]  # fmt: skip
    copy_in(WorkOrder, columns, (
        (
            w.id, w.site.pk, w.number, w.kind, w.unit.asset.pk, w.summary, w.description, w.state, w.consequence,
            w.likelihood, _priority(w), w.due_from, w.due_to, w.estimate, w.job_plan and w.job_plan.pk,
            w.occurrence and w.occurrence.pk, w.owner and w.owner.pk, w.reported_by and w.reported_by.pk,
            w.reported_at, w.reported_at, w.state_since or w.reported_at, w.started_at, w.completed_at, w.closed_at,
            w.hold_reason, w.state_note, w.completion_note, w.was_failure, w.failure and w.failure.id,
            w.failure and w.failure.stop and w.failure.stop.id, Source.OPERATOR,
        )
        for w in works
    ))  # fmt: skip


def _priority(work: Work) -> int:
    judgement = judge(criticality=work.unit.spec.criticality, consequence=work.consequence, likelihood=work.likelihood)
    return judgement.priority.value


def _steps(works: list[Work]) -> None:
    names = ["position", "kind", "text", "required", "unit", "low", "high", "choices"]
    answers = ["outcome", "number", "answer", "answered_by_id", "answered_at"]
    unanswered = {"outcome": "", "number": None, "answer": "", "answered_by_id": None, "answered_at": None}
    copy_in(Step, ["order_id", *names, *answers], (
        (work.id, *(getattr(template, name) for name in names), *((answer or unanswered)[name] for name in answers))
        for work in works
        for template, answer in ((step["template"], step.get("answer")) for step in work.steps)
    ))  # fmt: skip


def _labour_and_costs(works: list[Work]) -> None:
    total = sum(len(work.labour) for work in works)
    ids = reserve_ids(Labour, total)
    number = count()
    labour, costs = [], []
    for work in works:
        for person, start, end in work.labour:
            id_ = ids[next(number)]
            labour.append((id_, work.id, person.pk, start, end, person.hourly_rate))
            if end and work.completed_at:
                hours = Decimal((end - start).total_seconds()) / 3600
                amount = (hours * Decimal(person.hourly_rate)).quantize(Decimal("0.01"))
                costs.append((work.id, Cost.Source.LABOUR, amount, end, "", id_))
        costs += [(work.id, source, round(amount, 2), at, note, None) for source, amount, at, note in work.costs]
    copy_in(Labour, ["id", "order_id", "person_id", "start", "end", "hourly_rate"], labour)
    copy_in(Cost, ["order_id", "source", "amount", "at", "note", "labour_id"], costs)


__all__ = ["Kind", "Work", "answered", "write"]
