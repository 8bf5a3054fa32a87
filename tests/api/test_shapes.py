"""The statement behind a list: rows sought by their ids, other rows looked up one by one."""

from core.api.shapes import shape_of
from workorders.serializers import WorkOrderSerializer


def test_an_answer_seeks_its_rows_and_joins_nothing():
    """A dozen joins took longer to plan than to run, and made PostgreSQL read whole tables."""
    sql, _parameters = shape_of(WorkOrderSerializer)._compile()
    assert 'FROM "workorders_workorder" WHERE "workorders_workorder"."id" = ANY(' in sql
    assert " JOIN " not in sql
