"""What became of each row of a batch: a refused row leaves the others alone, and says why."""

from dataclasses import dataclass
from typing import Any, Literal

from core.errors import DomainError


@dataclass(frozen=True)
class Outcome:
    """What became of one entry: the row, or the error that kept it out."""

    status: Literal["created", "closed", "unchanged", "refused"]
    row: Any = None
    error: DomainError | None = None
