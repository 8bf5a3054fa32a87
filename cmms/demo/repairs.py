"""Corrective work of the two years: what followed from the failures, and the improvements people thought of."""

from datetime import datetime, timedelta
from random import Random

from cmms.demo import world
from cmms.demo.chance import around, stream
from cmms.demo.orders import Work
from cmms.demo.plant import Plant, Unit
from cmms.demo.stops import Breakdown, History
from workorders.models import Kind, State

SHORTEST_ORDER = timedelta(minutes=18)  # what is repaired faster rarely gets an order


def repair(plant: Plant, history: History) -> list[Work]:
    """Orders for most failures that took a while."""
    works = []
    for failure in history.failures:
        chance = stream("repair", failure.unit.site.code, failure.unit.spec.code, failure.occurred - plant.start)
        long_enough = failure.restored and failure.restored - failure.occurred > SHORTEST_ORDER
        if long_enough and chance.random() < 0.86:
            works.append(_order(plant, failure, chance))
    return works


def _order(plant: Plant, failure: Breakdown, chance: Random) -> Work:
    unit, site = failure.unit, failure.unit.site
    technicians, planner = plant.staff(site, "technician"), plant.staff(site, "planner")[0]
    reporter = failure.entered_by or plant.staff(site, "requester")[0]
    reported = min(failure.occurred + timedelta(minutes=chance.uniform(1, 6)), failure.restored - SHORTEST_ORDER / 2)
    work = Work(
        unit, Kind.CORRECTIVE, failure.problem.name, reported, reported_by=reporter, failure=failure,
        was_failure=True, likelihood=4, consequence=3 if unit.spec.stops and failure.stop else 2,
    )  # fmt: skip
    work.moved("raised", reporter, reported, f"{reporter} raised it")
    if chance.random() < 0.02:
        return _called_off(work, planner, chance)
    person = chance.choice(technicians)
    started = reported + (failure.restored - reported) * chance.uniform(0.1, 0.35)
    work.started_at, work.completed_at = started, failure.restored
    work.moved("started", person, started, f"{person} started the work")
    work.labour.append((person, started, failure.restored))
    if chance.random() < 0.28:
        helper = chance.choice([other for other in technicians if other is not person])
        work.labour.append((helper, started + (failure.restored - started) * 0.2, failure.restored))
    work.completion_note = f"{failure.item}: {failure.cause.name.lower()}. {failure.remedy.name}."
    work.moved("completed", person, failure.restored, f"{person} completed the work")
    if chance.random() < 0.55:
        amount = around(chance, 95, 0.9)
        work.costs.append(("parts", amount, failure.restored, failure.item))
    if chance.random() < 0.03:
        work.costs.append(("external", around(chance, 780, 0.4), failure.restored, "Service engineer"))
    if chance.random() < 0.14 and reporter in plant.staff(site, "requester"):
        work.request = chance.choice(["", "It began without warning.", "Reset did not help.", "Same as last week."])
    if chance.random() < 0.08:
        work.comments.append((person, failure.restored, chance.choice(COMMENTS)))
    _close(work, planner, chance, plant.now)
    return work


COMMENTS = [
    "Spare in the cabinet was the last one.",
    "Second time this quarter, worth a closer look.",
    "Guard bolts were loose as well, tightened.",
    "Operator says it starts after the changeover to the light bottles.",
    "Took the part to the workshop for measuring.",
]


def _called_off(work: Work, planner, chance: Random) -> Work:
    work.state, work.state_note = State.CANCELLED, "Reported twice"
    work.failure, work.was_failure = None, None
    work.moved("cancelled", planner, work.reported_at + timedelta(hours=chance.uniform(0.5, 5)), "Reported twice")
    return work


def _close(work: Work, planner, chance: Random, now: datetime) -> None:
    """A planner verifies within two days; what was completed just now still waits for it."""
    verified = work.completed_at + timedelta(hours=chance.uniform(1, 46))
    if verified < now:
        work.closed_at = verified
        work.moved("verified", planner, verified, f"{planner} verified the work")
    else:
        work.state, work.owner = State.COMPLETED, planner


def improve(plant: Plant) -> list[Work]:
    """Now and then somebody has an idea; some are carried out, the newest wait for a decision."""
    works = []
    for site in plant.sites.values():
        chance = stream("improvements", site.code)
        units = [unit for unit in plant.working(site) if unit.line]
        planner, technicians = plant.staff(site, "planner")[0], plant.staff(site, "technician")
        for index in range(16):
            at = plant.at((index + chance.uniform(0.2, 0.8)) / 16.2)
            summary, description = world.IMPROVEMENTS[index % len(world.IMPROVEMENTS)]
            works.append(_idea(chance.choice(units), summary, description, at, planner, technicians, chance, plant.now))
    return works


def _idea(unit: Unit, summary, description, at, planner, technicians, chance, now) -> Work:
    person = chance.choice(technicians)
    work = Work(
        unit, Kind.IMPROVEMENT, summary, at, description=description, reported_by=person, estimate=120,
        consequence=1, likelihood=2, owner=planner, state=State.DRAFT,
    )  # fmt: skip
    work.moved("raised", person, at, f"{person} raised it")
    begin = at + timedelta(days=chance.uniform(9, 40))
    if begin + timedelta(days=3) > now:
        return work
    end = begin + timedelta(minutes=chance.uniform(70, 260))
    work.moved("approved", planner, at + timedelta(days=2), f"{planner} approved it")
    work.moved("planned", planner, at + timedelta(days=3), f"{planner} planned it")
    work.assignments.append((person, begin, 120))
    work.moved("scheduled", planner, at + timedelta(days=4), f"{planner} scheduled it for {person}")
    work.started_at, work.completed_at, work.state, work.owner = begin, end, State.CLOSED, None
    work.labour.append((person, begin, end))
    work.costs.append(("parts", around(chance, 160, 0.6), end, "Material"))
    work.completion_note = "Done as described."
    work.was_failure = False
    work.moved("started", person, begin, f"{person} started the work")
    work.moved("completed", person, end, f"{person} completed the work")
    _close(work, planner, chance, now)
    return work
