"""Taking the demo plant out of the database, to the last row."""

from django.apps import apps
from django.db import connection, models, transaction

from assets.models import AssetKind, FailureCode
from cmms.demo import world
from core.models import Event, Site
from people.models import User


@transaction.atomic
def remove() -> int:
    """Delete the demo sites with everything that belongs to them, and their people; returns how many rows.

    People who got a role at a real site, or who left their name there, stay; the latter can no longer log in.
    Foreign keys are checked when the transaction ends, so rows may go in any order once they are named.
    """
    sites = list(Site.objects.filter(demo=True).values_list("pk", flat=True))
    if not sites:
        return 0
    usernames = [person[0] for person in world.PEOPLE]
    people = User.objects.filter(username__in=usernames).exclude(memberships__site__demo=False)
    leaving = list(people.values_list("pk", flat=True))
    table = connection.ops.quote_name(Event._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        # Events are append-only; those of the demo plant never happened.
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER event_append_only")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    gone = 0
    for model, ways in _belonging():
        own = models.Q()
        for way in ways:
            own |= _reaching(model, way, sites)
        gone += _delete(model._base_manager.filter(own))
    gone += _remove_people(leaving)
    unused = AssetKind.objects.filter(code__in=[kind.code for kind in world.KINDS], assets=None)
    kinds = list(unused.values_list("pk", flat=True))
    gone += _delete(FailureCode.objects.filter(kind__in=kinds)) + _delete(AssetKind.objects.filter(pk__in=kinds))
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER event_append_only")
    return gone


def _belonging() -> list[tuple[type[models.Model], list[str]]]:
    """Each model whose rows belong to a site, with the look-ups that lead to it; what leans on others comes first.

    A row belongs by a reference that it must have; without such a one, by any that it may have. The latter are
    marks that triggers leave while the others go, so they follow these, and what they refer to goes last.
    """
    paths: dict[type[models.Model], list[str]] = {Site: [""]}
    models_ = [model for model in apps.get_models(include_auto_created=True) if model not in (Site, User)]
    grown = True
    while grown:
        found = {model: way[:1] for model in models_ if model not in paths and (way := _ways(model, paths, null=False))}
        paths |= found
        grown = bool(found)
    marks = {model: ways for model in models_ if model not in paths and (ways := _ways(model, paths, null=True))}
    last = {field.related_model for model in marks for field in model._meta.concrete_fields} & paths.keys()
    deepest = sorted(paths, key=lambda model: paths[model][0].count("__") + bool(paths[model][0]), reverse=True)
    order = [model for model in deepest if model not in last] + list(marks) + [m for m in deepest if m in last]
    return [(model, (paths | marks)[model]) for model in order]


def _ways(model: type[models.Model], paths: dict, *, null: bool) -> list[str]:
    """Look-ups from the model's own references to a site."""
    return [
        f"{field.name}__{paths[field.related_model][0]}".removesuffix("__")
        for field in model._meta.concrete_fields
        if (field.many_to_one or field.one_to_one) and field.null is null and field.related_model in paths
    ]


def _reaching(model: type[models.Model], way: str, sites: list[int]) -> models.Q:
    """Rows that lead to the sites, by references in subqueries: a join with itself would be planned badly here."""
    if not way:
        return models.Q(pk__in=sites)
    name, _, rest = way.partition("__")
    above = model._meta.get_field(name).related_model
    if not rest:
        return models.Q(**{f"{name}__in": sites})
    return models.Q(**{f"{name}__in": above._base_manager.filter(_reaching(above, rest, sites)).values("pk")})


def _remove_people(leaving: list[int]) -> int:
    """Tokens and roles go with their people; who is named by a row that stays, stays too, without a log-in."""
    named: set[int] = set()
    for model in apps.get_models(include_auto_created=True):
        for field in model._meta.concrete_fields:
            if field.related_model is User and field.remote_field.on_delete is models.PROTECT:
                named |= set(
                    model.objects.filter(**{f"{field.name}__in": leaving}).values_list(field.attname, flat=True)
                )
    User.objects.filter(pk__in=named).update(is_active=False)
    return sum(User.objects.filter(pk__in=set(leaving) - named).delete()[0:1])


def _delete(rows: models.QuerySet) -> int:
    return rows._raw_delete(rows.db)
