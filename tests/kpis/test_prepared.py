"""Statements that a connection keeps: once per connection, for any parameters, and never in the way of an error."""

from unittest.mock import patch

import pytest
from django.db import DataError, connection, transaction

from kpis.facts import prepared

TEXT = "SELECT a, %(add)s + a, '100 %%' FROM unnest(%(given)s::int[]) AS g(a) WHERE %(all)s OR a > 1"

pytestmark = pytest.mark.django_db


def asked(text: str = TEXT, **changes) -> list[tuple]:
    with transaction.atomic(), connection.cursor() as cursor:
        prepared.execute(cursor, text, {"given": "{1,2}", "add": 10, "all": True} | changes)
        return cursor.fetchall()


def kept(like: str = "%") -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE %s", [like])
        return cursor.fetchone()[0]


def test_it_is_kept_once_and_answers_for_other_parameters():
    before = kept()
    assert asked() == [(1, 11, "100 %"), (2, 12, "100 %")]
    assert asked(given="{1,5,7}", all=False, add=2**40) == [(5, 2**40 + 5, "100 %"), (7, 2**40 + 7, "100 %")]
    assert kept() == before + 1


def test_its_plan_holds_for_any_parameters_and_only_for_this_transaction():
    with transaction.atomic():
        asked()
        with connection.cursor() as cursor:
            cursor.execute("SELECT generic_plans > 0 FROM pg_prepared_statements WHERE statement LIKE %s", ["%unnest%"])
            assert {row for (row,) in cursor.fetchall()} == {True}
    text = "SELECT current_setting('plan_cache_mode'), %(add)s"
    assert asked(text)[0][0] == "force_generic_plan"


@pytest.mark.django_db(transaction=True)
def test_outside_nothing_has_changed():
    asked()
    with connection.cursor() as cursor:
        cursor.execute("SHOW plan_cache_mode")
        assert cursor.fetchone()[0] == "auto"


def test_a_first_run_that_fails_is_no_obstacle_to_the_next():
    text = "SELECT 10 / %(add)s"
    with pytest.raises(DataError):
        asked(text, add=0)
    assert asked(text, add=5) == [(2,)]
    assert asked(text, add=2) == [(5,)]


def test_another_type_of_parameter_is_another_statement():
    text = "SELECT %(add)s IS NULL"
    assert [asked(text, add=value) for value in (1, True)] == [[(False,)], [(False,)]]


def test_a_connection_keeps_so_many_only():
    with patch.object(prepared, "MOST", 3):
        for number in range(8):
            assert asked(f"SELECT {number} + %(add)s", add=1) == [(number + 1,)]
        assert kept("PREPARE kpis_%") <= 3
        assert asked("SELECT 7 + %(add)s", add=2) == [(9,)]
        assert asked("SELECT 0 + %(add)s", add=2) == [(2,)]


@pytest.mark.django_db(transaction=True)
def test_a_new_connection_knows_nothing_and_learns_it():
    asked()
    connection.close()
    assert kept() == 0
    assert asked(given="{3}") == [(3, 13, "100 %")]
    assert kept() == 1


def test_behind_a_pooler_of_transactions_nothing_is_kept(monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "DISABLE_SERVER_SIDE_CURSORS", True)
    before = kept()
    assert asked(given="{4}") == [(4, 14, "100 %")]
    assert kept() == before
