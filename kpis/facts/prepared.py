"""Statements of many steps that a connection parses and plans once.

To plan the statement of `kpis.facts.statement` takes longer than to run it where little is asked. PREPARE keeps its
plan for the connection; the plan is made for any parameters, so it suits statements whose joins do not depend on how
many rows they are given.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

from django.db import connection
from django.db.backends.utils import CursorWrapper

PARAMETER = re.compile(r"%\((\w+)\)s")
MOST = 50  # statements that one connection keeps
Key = tuple[str, str]  # types of the parameters, text
_known: WeakKeyDictionary[Any, dict[Key, str]] = WeakKeyDictionary()  # by connection of the driver
_numbers = count(1)


def execute(cursor: CursorWrapper, text: str, parameters: Mapping[str, Any]) -> None:
    """Run a statement with named parameters; parsed and planned anew only the first time on this connection.

    Call it in a transaction: it asks for the plan that holds for any parameters until its end. Behind a pooler that
    hands out connections by transaction (`DISABLE_SERVER_SIDE_CURSORS`), where nothing may be kept, it just runs.
    """
    if connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS"):
        cursor.execute(text, parameters)
        return
    names, body = _numbered(text)
    types = ", ".join(_type(parameters[name]) for name in names)
    known = _known.setdefault(connection.connection, {})
    called, first = known.get((types, text)), ""
    if called is None:
        if len(known) >= MOST:
            known.clear()
            first = "DEALLOCATE ALL; "
        # Never a name again: should the first run fail, the statement stays prepared and is not known to be.
        called = f"kpis_{next(_numbers)}"
        first += f"PREPARE {called} ({types}) AS {body}; "
    values = ", ".join(f"%({name})s" for name in names)
    cursor.execute(f"SET LOCAL plan_cache_mode = force_generic_plan; {first}EXECUTE {called} ({values})", parameters)
    known[types, text] = called


@lru_cache(MOST)
def _numbered(text: str) -> tuple[list[str], str]:
    """The parameters in the order in which the text names them, and the text with their numbers instead."""
    names = list(dict.fromkeys(PARAMETER.findall(text)))
    return names, PARAMETER.sub(lambda found: f"${names.index(found[1]) + 1}", text)


def _type(value: Any) -> str:
    """Types of plain numbers are told, those of all others follow from casts in the text."""
    return "boolean" if isinstance(value, bool) else "bigint" if isinstance(value, int) else "unknown"
