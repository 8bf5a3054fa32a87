"""Reading several things as of one moment, while others write."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def one_snapshot() -> Iterator[None]:
    """Every query inside sees the database as of the first one; also a decorator.

    So what a page shows beside each other belongs together, although it takes many queries. Inside a transaction that
    has begun already nothing changes: its queries may have been answered.
    """
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield
