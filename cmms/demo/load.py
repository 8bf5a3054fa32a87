"""Loading the demo plant into an empty database, and taking it out again."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from cmms.demo import goals, orders, output, plant, preventive, promises, repairs, stops, today, world
from core.errors import Refused
from core.models import Site
from kpis import doubts
from kpis.computing import compute_due
from people.models import User
from workorders.generation import generate
from workorders.planning import replan

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Login:
    """Who may log in to the demo plant."""

    username: str
    password: str
    name: str
    roles: str


def demo_logins() -> list[Login]:
    """The log-ins of the demo plant, in the order in which they are shown."""
    return [
        Login(
            username,
            world.PASSWORD,
            f"{first} {last}",
            ", ".join(
                f"{'/'.join(str(role.label).lower() for role in held)} in {site.capitalize()}"
                for site, held in roles.items()
            ),
        )
        for username, first, last, roles, _rate in world.PEOPLE
    ]


def load(
    now: datetime | None = None, *, days: int = plant.DAYS, say: Callable[[str], None] = log.info
) -> dict[str, int]:
    """Make the demo plant as of `now`, opened `days` before; returns how many rows of each sort.

    Refused where real data may be. Facts of key figures and findings are made at once, as the nightly jobs make them.
    """
    now = now or timezone.now()
    made = _write(now, days, say)
    say("key figures …")
    return made | {"asset-days": compute_due(now=now), "findings": doubts.look(now=now)}


@transaction.atomic
def _write(now: datetime, days: int, say: Callable[[str], None]) -> dict[str, int]:
    if Site.objects.filter(demo=False).exists():
        raise Refused(_("This database holds real sites; the demo plant is not mixed with them."), code="real_data")
    if Site.objects.filter(demo=True).exists():
        raise Refused(_("The demo plant is loaded already; remove it first."), code="loaded")
    taken = User.objects.filter(username__in=[person[0] for person in world.PEOPLE]).values_list("username", flat=True)
    if taken:
        message = _("These user names are taken: %(names)s.") % {"names": ", ".join(sorted(taken))}
        raise Refused(message, code="users_exist")
    say("sites, people and machines …")
    made = plant.build(now, days)
    say("stops and failures of two years …")
    history = stops.happen(made)
    standing = today.stand_still(made, history)
    output.fall_silent(made, history)
    today.record_twice(made, history)
    stops.write(made, history)
    say("counts per shift …")
    counts = output.make(made, history)
    say("work orders …")
    plans, planned = preventive.plans(made)
    works = planned + repairs.repair(made, history) + repairs.improve(made) + today.work(made, standing)
    orders.write(works)
    today.ask(made)
    say("preventive work ahead …")
    for plan in plans:
        replan(plan, now=now)
    raised = sum(generate(site=site, now=now).orders for site in made.sites.values())
    today.hand_out(made)
    promises.promise(made, works)
    agreed = goals.agree(made)
    goals.earn(made)
    goals.staff(made)
    goals.price(made)
    return {
        "machines": len(made.units),
        "stops": len(history.stops),
        "failures": len(history.failures),
        "counts": counts,
        "orders": len(works) + raised,
        "targets": agreed,
    }
