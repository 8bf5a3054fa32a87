"""Silences as they were before a moment (`kpis.facts.kept_silences`)."""

import json
from collections.abc import Sequence
from datetime import datetime
from functools import cached_property

from django.db import connection

from kpis.facts.kept_silences import KIND
from kpis.facts.ranges import Ranges, literal
from kpis.facts.silent import Silences, spans_of
from kpis.facts.zones import Zones
from kpis.silence import Silence


class FormerSilences:
    """The silences of the assets of a window, today's and former ones."""

    def __init__(self, zones: Zones, today: Silences):
        self.zones, self.today = zones, today

    @cached_property
    def _kept(self) -> Sequence[tuple[datetime, int, list]]:
        """When a change was followed, of which asset, and what was replaced; the newest first."""
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                SELECT at, asset_id, "row"::text FROM kpis_formerrow
                WHERE kind = '{KIND}' AND asset_id = ANY(%(assets)s::bigint[]) ORDER BY at DESC, id DESC
                """,
                {"assets": literal(self.zones.assets)},
            )
            return [(at, asset_id, json.loads(row)) for at, asset_id, row in cursor.fetchall()]

    def before(self, moment: datetime | None) -> Ranges:
        """As spans inside the window, as they were before the moment (None: today)."""
        found: dict[int, list[Silence]] = {asset_id: list(each) for asset_id, each in self.today.items()}
        for at, asset_id, (after, through, former) in self._kept:
            if moment is None or at < moment:
                break
            others = [each for each in found.get(asset_id, ()) if not after < each.since <= through]
            found[asset_id] = sorted([*others, *(Silence(*each) for each in former)])
        return spans_of(self.zones, found)
