"""What the demo plant's managers have agreed that the figures are to reach, what they decided last, what it earns."""

from datetime import timedelta

from assets.models import FormerHourlyCost
from cmms.demo.plant import Plant
from core.events import label_of
from core.models import Comment
from kpis.models import Counts, LabourCapacity, NetMargin, Target
from people.roles import Role

# figure, target, near it up to
OF_SITES = [("availability", 0.92, 0.89), ("mtbf", 30, 24), ("mttr", 2.0, 2.5), ("oee", 0.72, 0.68)]
OF_LINES = [("availability", 0.92, 0.88), ("oee", 0.74, 0.70)]
OF_LINES_THEMSELVES = [("availability", 0.85, 0.80)]
# net margin of a year: at first, and since a year ago
MARGINS = {"regensburg": (7_400_000, 7_900_000), "joliet": (6_100_000, 6_300_000)}
# hours a week of the crew for orders, and paid
CREWS = {"regensburg": (150, 195), "joliet": (110, 150)}
DECISION = "Two sets of filler valves on the shelf, and the palletiser's light curtain checked every Monday."


def agree(plant: Plant) -> int:
    """Targets of both sites and of every line since the plant opened; how many."""
    made = []
    for site in plant.sites.values():
        owner = plant.staff(site, Role.MANAGER)[-1]
        lines = [line for line in plant.lines.values() if line.site_id == site.pk]
        for asset, scope, goals in [
            (None, Counts.LEAVES, OF_SITES),
            *((line, Counts.LEAVES, OF_LINES) for line in lines),
            *((line, Counts.ASSET, OF_LINES_THEMSELVES) for line in lines),
        ]:
            made += [
                Target(
                    site=site, asset=asset, scope=scope, definition=key, value=value, watch=watch, owner=owner,
                    valid_from=plant.first,
                )
                for key, value, watch in goals
            ]  # fmt: skip
    Target.objects.bulk_create(made)
    decided = next(target for target in made if target.asset is None and target.definition == "oee")
    Comment.objects.create(
        site=decided.site, object_type=label_of(decided), object_id=decided.pk, author=decided.owner, body=DECISION,
        at=plant.now,
    )  # fmt: skip
    return len(made)


def price(plant: Plant) -> int:
    """What an hour of each line cost until two months ago: a little less than now; how many."""
    until = (plant.now - timedelta(days=60)).date().replace(day=1)
    made = [
        FormerHourlyCost(asset=line, until=until, amount=line.downtime_cost * 19 / 20)
        for line in plant.lines.values()
        if line.downtime_cost is not None
    ]
    return len(FormerHourlyCost.objects.bulk_create(made))


def staff(plant: Plant) -> int:
    """The labour capacity of both sites since the plant opened; how many."""
    made = [
        LabourCapacity(site=plant.sites[code], net=net, paid=paid, valid_from=plant.first)
        for code, (net, paid) in CREWS.items()
    ]
    return len(LabourCapacity.objects.bulk_create(made))


def earn(plant: Plant) -> int:
    """The net margins of both sites: one since the plant opened, another for its last year; how many."""
    made = []
    for code, (before, since) in MARGINS.items():
        site = plant.sites[code]
        later = plant.now.date() - timedelta(days=365)
        days = [plant.first, later] if later > plant.first else [plant.first]
        made += [
            NetMargin(site=site, amount=amount, valid_from=day)
            for amount, day in zip((before, since), days, strict=False)
        ]
    return len(NetMargin.objects.bulk_create(made))
