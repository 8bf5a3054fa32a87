"""What goes on right now: open stops, work in every state, today's jobs for the technicians, fresh requests."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from assets.models import Source
from cmms.demo import world
from cmms.demo.chance import stream
from cmms.demo.orders import Work
from cmms.demo.plant import Plant, Unit
from cmms.demo.stops import Breakdown, History, Stop
from core.models import Site
from workorders.models import (
    Assignment,
    HoldReason,
    Kind,
    OccurrenceState,
    Request,
    RequestState,
    State,
    WorkOrder,
)

# site, machine, reason, began so many minutes ago, is it a failure
OPEN_STOPS = [
    ("regensburg", "UT-AC2", "mechanical", 95, True),
    ("regensburg", "L1-LA1", "controls", 24, False),
    ("joliet", "L3-SW1", "mechanical", 52, True),
]


@dataclass(frozen=True)
class Job:
    """An order of today: who has it (place in the list of technicians), and since how many hours it is known."""

    site: str
    machine: str
    summary: str
    state: str
    known: float
    person: int = 0
    hour: int = 8  # local start of the assignment
    minutes: int = 60
    days: int = 0  # the assignment is so many days from today
    kind: str = Kind.CORRECTIVE
    reason: str = ""
    note: str = ""
    consequence: int = 2
    likelihood: int = 2
    due_days: int | None = None


JOBS = [
    Job("regensburg", "L1-FI1", "Gearbox oil turns grey", State.SCHEDULED, 50, 0, 8, 90, consequence=3, due_days=0),
    Job("regensburg", "L1-PL1", "Light curtain reacts late", State.SCHEDULED, 26, 0, 10, 45, consequence=4, due_days=0),
    Job("regensburg", "L2-PL1", "Lift chain rubs at the guide", State.SCHEDULED, 120, 0, 13, 75, due_days=-1),
    Job("regensburg", "L2-BM1", "Preform lamp 4 flickers", State.SCHEDULED, 30, 2, 9, 40, due_days=1),
    Job("regensburg", "L1-BW1", "Caustic pump sweats at the seal", State.SCHEDULED, 70, 1, 14, 120, 1, due_days=3),
    Job("regensburg", "L2-SW1", "Sealing bar heats unevenly", State.ON_HOLD, 98, 2, reason=HoldReason.PARTS,
        note="Heating cartridge ordered, promised for Thursday", due_days=-2),
    Job("regensburg", "L1-CV2", "Guide rail bracket cracked", State.ON_HOLD, 52, 1, reason=HoldReason.ACCESS,
        note="Only while the line is empty"),
    Job("regensburg", "L1-DC1", "Print head leaves a white line", State.COMPLETED, 29, 2, minutes=35),
    Job("regensburg", "UT-WP1", "Well pump vibrates", State.PLANNED, 60, minutes=180, due_days=6),
    Job("regensburg", "L1-EI1", "Reject counter and line count differ", State.PLANNED, 44, minutes=45, due_days=4),
    Job("regensburg", "L2-FI1", "Two filling valves drip", State.APPROVED, 20, minutes=60, consequence=3, due_days=2),
    Job("regensburg", "L1-PA1", "Gripper head hits the crate edge", State.APPROVED, 12, minutes=60, due_days=-3),
    Job("regensburg", "L2-CV1", "Air filter of the conveyor is due", State.APPROVED, 200, kind=Kind.INSPECTION),
    Job("regensburg", "L1-CW1", "Nozzle bar 2 leaks", State.DRAFT, 9),
    Job("regensburg", "L2-MX1", "Brix reading jumps", State.DRAFT, 5, consequence=3),
    Job("joliet", "L3-SE1", "Seam near its upper limit", State.SCHEDULED, 30, 0, 8, 90, consequence=3, due_days=0),
    Job("joliet", "L3-PT1", "Zone 4 needs long to heat up", State.SCHEDULED, 55, 1, 10, 60, due_days=1),
    Job("joliet", "L3-DP1", "Sweep arm squeals", State.ON_HOLD, 75, 0, reason=HoldReason.PARTS,
        note="Bearing is in transit"),
    Job("joliet", "L3-PA1", "Carton flap sensor replaced", State.COMPLETED, 25, 1, minutes=40),
    Job("joliet", "L3-XR1", "Verify the X-ray shutter", State.PLANNED, 40, minutes=30, kind=Kind.SAFETY, due_days=5),
    Job("joliet", "L3-PL1", "Lift drive hums", State.APPROVED, 18, minutes=45, due_days=3),
    Job("joliet", "L3-CV3", "Roller 14 is stuck", State.DRAFT, 7),
]  # fmt: skip


def stand_still(plant: Plant, history: History) -> list[Breakdown]:
    """Add the stops that are open now; returns the failures among them."""
    failures = []
    for code, machine, reason, minutes, fails in OPEN_STOPS:
        unit = _unit(plant, code, machine)
        start = (plant.now - timedelta(minutes=minutes)).replace(second=0, microsecond=0)
        operator = plant.staff(unit.site, "requester")[0]
        stop = Stop(
            unit.asset.pk,
            start,
            None,
            plant.reasons[code, reason],
            Source.OPERATOR,
            start + timedelta(minutes=2),
            operator,
        )
        history.stops.append(stop)
        if fails:
            problem, item, _cause, _remedy = unit.kind.problems[0]
            stop.note = problem
            failure = Breakdown(
                unit, start, None, plant.codes["problem", unit.kind.code, problem], item=item, stop=stop,
                entered_at=stop.entered_at, entered_by=operator,
            )  # fmt: skip
            history.failures.append(failure)
            failures.append(failure)
    return failures


def record_twice(plant: Plant, history: History) -> None:
    """Of a stop that a machine reported lately an operator wrote down the same again: what a finding is about."""
    site = plant.sites["regensburg"]
    here = {unit.asset.pk for unit in plant.units if unit.site.pk == site.pk}
    lately = [
        each
        for each in history.stops
        if each.asset_id in here and each.end and each.source == Source.PLC and not each.planned
        and each.start > plant.now - timedelta(days=5) and each.end - each.start > timedelta(minutes=15)
    ]  # fmt: skip
    if lately:
        first = max(lately, key=lambda each: (each.end - each.start, each.start))
        operator = plant.staff(site, "requester")[0]
        again = Stop(
            first.asset_id, first.start + timedelta(minutes=4), first.end - timedelta(minutes=1), first.reason,
            Source.OPERATOR, first.end + timedelta(minutes=20), operator,
        )  # fmt: skip
        history.stops.append(again)


def work(plant: Plant, failures: list[Breakdown]) -> list[Work]:
    """Orders that are on the way: the repairs of what stands still, and JOBS."""
    return [_urgent(plant, failure) for failure in failures] + [_job(plant, job) for job in JOBS]


def _urgent(plant: Plant, failure: Breakdown) -> Work:
    site = failure.unit.site
    person, operator = plant.staff(site, "technician")[1], plant.staff(site, "requester")[0]
    order = Work(
        failure.unit, Kind.CORRECTIVE, failure.problem.name, failure.occurred + timedelta(minutes=3), State.IN_PROGRESS,
        reported_by=operator, owner=person, consequence=3, likelihood=4, failure=failure, was_failure=True,
        request="It stopped with a bang and does not restart.",
    )  # fmt: skip
    order.moved("raised", operator, order.reported_at, f"{operator} raised it")
    order.started_at = order.reported_at + timedelta(minutes=11)
    order.labour.append((person, order.started_at, None))
    order.moved("started", person, order.started_at, f"{person} started the work")
    return order


def _job(plant: Plant, job: Job) -> Work:
    unit = _unit(plant, job.site, job.machine)
    site = unit.site
    planner, reporter = plant.staff(site, "planner")[0], plant.staff(site, "requester")[0]
    person = plant.staff(site, "technician")[job.person]
    order = Work(
        unit, job.kind, job.summary, plant.now - timedelta(hours=job.known), job.state, reported_by=reporter,
        owner=planner, consequence=job.consequence, likelihood=job.likelihood,
        estimate=None if job.state in (State.DRAFT, State.APPROVED) else job.minutes,
    )  # fmt: skip
    if job.due_days is not None:
        order.due_to = _local(plant, site, job.due_days, 22)
        order.due_from = order.due_to - timedelta(days=7)
    order.moved("raised", reporter, order.reported_at, f"{reporter} raised it")
    step = timedelta(hours=job.known / 12)
    if job.state == State.DRAFT:
        return order
    order.moved("approved", planner, order.reported_at + step, f"{planner} approved it")
    if job.state == State.APPROVED:
        return order
    order.moved("planned", planner, order.reported_at + 2 * step, f"{planner} planned it")
    if job.state == State.PLANNED:
        return order
    begin = order.reported_at + 4 * step
    if job.state == State.SCHEDULED:
        begin = _local(plant, site, job.days, job.hour)
    order.assignments.append((person, begin, job.minutes))
    order.moved("scheduled", planner, order.reported_at + 3 * step, f"{planner} scheduled it for {person}")
    if job.state == State.SCHEDULED:
        order.owner = person
        return order
    order.started_at, done = begin, begin + timedelta(minutes=job.minutes)
    order.labour.append((person, begin, done))
    order.moved("started", person, begin, f"{person} started the work")
    if job.state == State.ON_HOLD:
        order.hold_reason, order.state_note = job.reason, job.note
        order.moved("held", person, done, f"{job.reason.label}: {job.note}")
        return order
    order.completed_at, order.was_failure, order.completion_note = done, False, "Replaced and tested."
    order.moved("completed", person, done, f"{person} completed the work")
    order.owner = reporter
    return order


def ask(plant: Plant) -> None:
    """Requests of the last hours that wait for an answer, and older ones that were declined."""
    rows = []
    for site in plant.sites.values():
        chance = stream("requests", site.code)
        units = plant.working(site)
        operator = plant.staff(site, "requester")[0]
        for index, (summary, description, down) in enumerate(world.REQUESTS):
            unit, at = chance.choice(units), plant.now - timedelta(hours=1.3 + 2.1 * index)
            request = Request(
                site=site, asset=unit.asset, summary=summary, description=description, reported_by=operator,
                reported_at=at, is_down=False,
            )  # fmt: skip
            if index >= 3:
                request.reported_at = plant.at(chance.uniform(0.5, 0.98))
                request.state, request.is_down = RequestState.DECLINED, down
                request.answer = chance.choice(DECLINED)
                request.answered_at = request.reported_at + timedelta(hours=chance.uniform(0.4, 20))
            rows.append(request)
    Request.objects.bulk_create(rows)


DECLINED = [
    "Already on the list for the next maintenance day.",
    "Within its limits, measured today. Please report again if it grows.",
    "Part of the changeover; see the instruction at the panel.",
]


def hand_out(plant: Plant) -> int:
    """Give some of the preventive orders that the generator raised to technicians, today and this week."""
    given = 0
    for site in plant.sites.values():
        technicians, planner = plant.staff(site, "technician"), plant.staff(site, "planner")[0]
        raised = WorkOrder.objects.filter(
            site=site, state=State.APPROVED, occurrence__state=OccurrenceState.GENERATED
        ).order_by("due_to", "id")
        for index, order in enumerate(raised[: 3 * len(technicians)]):
            person = technicians[index % len(technicians)]
            begin = _local(plant, site, index // len(technicians), 15)
            Assignment.objects.create(order=order, person=person, start=begin, minutes=order.estimate_minutes)
            order.state, order.owner, order.state_since = State.SCHEDULED, person, plant.now
            order.save(update_fields=["state", "owner", "state_since"])
            given += 1
        raised.exclude(state=State.SCHEDULED).update(owner=planner)
    return given


def _unit(plant: Plant, site: str, code: str) -> Unit:
    return next(unit for unit in plant.units if unit.site.code == site and unit.spec.code == code)


def _local(plant: Plant, site: Site, days: int, hour: int) -> datetime:
    """So many days from today at the hour of the site's clock."""
    day = site.local(plant.now).date() + timedelta(days=days)
    return datetime.combine(day, time(hour), site.zone)
