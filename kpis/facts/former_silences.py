"""Silences as they were before a moment (`kpis.facts.kept_silences`)."""

import json
from collections.abc import Sequence
from datetime import datetime
from functools import cached_property

from django.db import connection

from kpis.facts.kept_silences import KIND
from kpis.facts.ranges import Ranges, literal, merged, minus
from kpis.facts.silences import FAR
from kpis.facts.silent import Silences, spans_of
from kpis.facts.zones import Zones
from kpis.silence import Silence


class FormerSilences:
    """The silences of the assets of a window, today's and former ones."""

    def __init__(self, zones: Zones, today: Silences):
        self.zones, self.today = zones, today

    @cached_property
    def _kept(self) -> Sequence[tuple[datetime, int, list]]:
        """When a change was followed, of which asset, and what it replaced; what was replaced last first."""
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                SELECT at, asset_id, "row"::text FROM kpis_formerrow
                WHERE kind = '{KIND}' AND asset_id = ANY(%(assets)s::bigint[]) ORDER BY id DESC
                """,
                {"assets": literal(self.zones.assets)},
            )
            return [(at, asset_id, json.loads(row)) for at, asset_id, row in cursor.fetchall()]

    def before(self, moment: datetime | None) -> Ranges:
        """As spans inside the window, as they were before the moment (None: today).

        Days that were not reported when a silence changed, and those that it left as they were, stay as they are.
        """
        found = {asset_id: [(each.since, each.until or FAR) for each in rows] for asset_id, rows in self.today.items()}
        for at, asset_id, (first, past, former) in self._kept if moment else ():
            if at >= moment:
                others = minus(found.get(asset_id, []), [(first, past)])
                found[asset_id] = merged([*others, *map(tuple, former)])
        silences = {asset_id: [Silence(lo, hi, 0) for lo, hi in days] for asset_id, days in found.items()}
        return spans_of(self.zones, silences)
