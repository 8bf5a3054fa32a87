"""The shared test world: a small bottling plant in Berlin with a sister plant in Chicago, and a few people.

`build()` makes it in few statements; the `plant` fixture returns it. Names in tests refer to these.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from assets.models import Asset, AssetKind, DowntimeReason, LossClass, Placement
from core.models import Site
from people.models import Membership, User
from people.roles import Role

OPENED = datetime(2020, 1, 1, tzinfo=UTC)
PASSWORD = "correct horse battery"


@dataclass
class Plant:
    """Berlin: line L1 with filler M1 (stops the line), labeller M2 (does not), and palletiser M3. Chicago: X1."""

    berlin: Site
    chicago: Site
    line: Asset
    filler: Asset
    labeller: Asset
    palletiser: Asset
    foreign: Asset
    breakdown: DowntimeReason
    setup: DowntimeReason
    lunch: DowntimeReason
    requester: User
    technician: User
    planner: User
    manager: User
    administrator: User
    stranger: User  # planner and administrator in Chicago only


def build() -> Plant:
    berlin = Site.objects.create(code="berlin", name="Bottling Berlin", time_zone="Europe/Berlin", day_start=time(0))
    chicago = Site.objects.create(
        code="chicago", name="Bottling Chicago", time_zone="America/Chicago", currency="USD", day_start=time(6)
    )
    kind = AssetKind.objects.create(code="filler", name="Filler")
    line = asset(berlin, "L1", "Line 1", level="line")
    filler = asset(berlin, "M1", "Filler", parent=line, stops_parent=True, kind=kind, criticality="A")
    labeller = asset(berlin, "M2", "Labeller", parent=line)
    palletiser = asset(berlin, "M3", "Palletiser", parent=line)
    foreign = asset(chicago, "X1", "Filler in Chicago", kind=kind)
    reasons = [
        DowntimeReason(site=berlin, code="breakdown", name="Breakdown", loss_class=LossClass.BREAKDOWN),
        DowntimeReason(site=berlin, code="setup", name="Setup", planned=True, loss_class=LossClass.SETUP),
        DowntimeReason(site=berlin, code="lunch", name="Lunch", planned=True, excluded=True),
    ]
    breakdown, setup, lunch = DowntimeReason.objects.bulk_create(reasons)
    people = {role.value: person(role.value, berlin, role) for role in Role}
    stranger = person("stranger", chicago, Role.PLANNER)
    Membership.objects.create(user=stranger, site=chicago, role=Role.ADMINISTRATOR)
    return Plant(
        berlin=berlin, chicago=chicago, line=line, filler=filler, labeller=labeller, palletiser=palletiser,
        foreign=foreign, breakdown=breakdown, setup=setup, lunch=lunch, stranger=stranger, **people,
    )  # fmt: skip


def asset(
    site: Site, code: str, name: str = "", *, parent: Asset | None = None, since: datetime = OPENED, **fields
) -> Asset:
    """An asset with its placement since `since`."""
    row = Asset.objects.create(site=site, code=code, name=name or code, parent=parent, commissioned=since, **fields)
    row.path = f"{parent.path if parent else '/'}{row.pk}/"
    row.save(update_fields=["path"])
    Placement.objects.create(
        asset=row, parent=parent, stops_parent=row.stops_parent, redundancy_group=row.redundancy_group,
        valid=DateTimeTZRange(since, None),
    )  # fmt: skip
    return row


def person(username: str, site: Site, role: str) -> User:
    """A user with one role at one site; the password is `PASSWORD`, hashed cheaply by the test settings."""
    user = User(username=username, first_name=username.capitalize(), email=f"{username}@example.com", hourly_rate=40)
    user.set_password(PASSWORD)
    user.save()
    Membership.objects.create(user=user, site=site, role=role)
    return user
