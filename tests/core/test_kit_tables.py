"""Lists: columns, order, pages, files, and what they never ask the database for."""

import csv
import io
import re
from datetime import UTC, datetime

import pytest
from django.http import QueryDict
from openpyxl import load_workbook

from assets.models import Asset
from core.kit import exports
from core.kit.tables import Column, NumberColumn, Table
from tests import plant as world
from tests.core.sample import SampleTable


class Codes(Table):
    code = Column("Code", order_by="code", phone="title")
    name = Column("Name", order_by="-name")
    rows = NumberColumn("Cost", "downtime_cost", order_by="downtime_cost")
    secret = Column("Kind", "kind.name", hidden=True)
    default_sort = "code"
    page_size = 2


def table(query: str = "", rows=None) -> Codes:
    return Codes(Asset.objects.all() if rows is None else rows, QueryDict(query))


def codes(made: Table) -> list[str]:
    return [row.code for row in made.rows]


def test_columns_keep_their_order_and_may_bear_any_name():
    assert list(Codes.columns) == ["code", "name", "rows", "secret"]
    assert isinstance(Codes.rows, property)


def test_a_table_adds_to_its_parent_and_may_drop_a_column():
    class Shorter(Codes):
        name = None
        place = Column("Place")

    assert list(Shorter.columns) == ["code", "rows", "secret", "place"]
    assert list(Codes.columns) == ["code", "name", "rows", "secret"]


def test_a_card_has_only_parts_that_exist():
    with pytest.raises(ValueError, match="banner"):
        Column("Code", phone="banner")


@pytest.mark.parametrize(
    ("query", "order"),
    [
        ("", ["L1", "M1"]),
        ("sort=-code", ["X1", "M3"]),
        ("sort=name", ["M3", "L1"]),  # the column sorts by "-name": Palletiser, Line 1
        ("sort=-name", ["M1", "X1"]),
        ("sort=rows", ["M2", "M1"]),  # 10, 20; the assets without a cost come last
        ("sort=-rows", ["M1", "M2"]),
        ("sort=secret", ["L1", "M1"]),  # cannot be sorted by
        ("sort=site__name", ["L1", "M1"]),  # no column at all
    ],
)
def test_only_columns_that_allow_it_are_sorted_by_and_nothing_comes_last(plant, query, order):
    Asset.objects.filter(code="M1").update(downtime_cost=20)
    Asset.objects.filter(code="M2").update(downtime_cost=10)
    assert codes(table(query)) == order


def test_equal_rows_keep_a_steady_order_over_the_pages(plant):
    Asset.objects.update(name="Same")
    seen = [code for page in (1, 2, 3) for code in codes(table(f"sort=name&page={page}"))]
    assert sorted(seen) == ["L1", "M1", "M2", "M3", "X1"]


def test_a_page_asks_for_one_row_more_and_never_counts(plant, django_assert_num_queries):
    with django_assert_num_queries(1) as asked:
        made = table("page=2")
        assert codes(made) == ["M2", "M3"]
        assert (made.has_previous, made.has_next, made.first, made.last) == (True, True, 3, 4)
    assert "COUNT" not in asked[0]["sql"]
    assert "LIMIT 3 OFFSET 2" in asked[0]["sql"]


def test_the_last_page_has_no_next_one(plant):
    made = table("page=3")
    assert (codes(made), made.has_next) == (["X1"], False)


@pytest.mark.parametrize("page", ["0", "-3", "x", ""])
def test_a_senseless_page_is_the_first(plant, page):
    assert codes(table(f"page={page}")) == ["L1", "M1"]


def test_chosen_columns_are_shown_and_a_title_always_stays(plant):
    assert [column.name for column in table().shown] == ["code", "name", "rows"]
    assert [column.name for column in table("columns=secret,rows").shown] == ["code", "rows", "secret"]
    assert [column.name for column in table("columns=nonsense").shown] == ["code", "name", "rows"]


def test_turning_the_order_keeps_the_rest_of_the_question(plant):
    head = table("level=machine&sort=code&page=3").heads()[0]
    assert (head.url, head.direction) == ("?level=machine&sort=-code", "ascending")


def test_a_missing_value_is_a_dash_and_text_is_escaped(plant):
    Asset.objects.filter(code="M1").update(name="<script>")
    line = next(table(rows=Asset.objects.filter(code="M1")).lines())
    assert re.findall(r"<td [^>]*>(.*?)</td>", line.cells) == ["M1", "&lt;script&gt;", '<span class="nothing">–</span>']
    assert 'class="phone-detail align-end numeric" data-label="Cost"' in line.cells


def read_csv(made: Table) -> list[list[str]]:
    text = b"".join(exports.lines(made)).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


def test_a_file_holds_all_pages_in_the_order_and_columns_shown(plant):
    made = table("sort=-code&columns=code,secret")
    assert read_csv(made) == [
        ["Code", "Kind"], ["X1", "Filler"], ["M3", ""], ["M2", ""], ["M1", "Filler"], ["L1", ""],
    ]  # fmt: skip


def test_a_file_never_starts_a_formula(plant):
    world.asset(plant.berlin, "M9", "=HYPERLINK(1)")
    made = table("columns=code,name", Asset.objects.filter(code="M9"))
    assert read_csv(made)[1] == ["M9", "'=HYPERLINK(1)"]
    sheet = load_workbook(io.BytesIO(exports.workbook(made, "assets"))).active
    assert (sheet["B2"].value, sheet["B2"].data_type) == ("=HYPERLINK(1)", "s")


def test_a_workbook_keeps_numbers_and_local_instants(plant):
    Asset.objects.filter(code="M1").update(
        downtime_cost="12.50", commissioned=datetime(2026, 7, 1, 22, 0, tzinfo=UTC), name="A\x07B"
    )
    rows = Asset.objects.filter(code="M1").select_related("parent", "kind")
    made = SampleTable(rows, QueryDict("columns=code,name,criticality,threshold,cost,commissioned"))
    sheet = load_workbook(io.BytesIO(exports.workbook(made, "assets"))).active
    assert [cell.value for cell in sheet[1]] == [
        "Code", "Name", "Criticality", "Short stop", "Hour down", "Commissioned",
    ]  # fmt: skip
    local = datetime.fromisoformat("2026-07-01T22:00")  # Excel knows no zones
    assert [cell.value for cell in sheet[2]] == ["M1", "AB", "A · critical", 300, 12.5, local]
