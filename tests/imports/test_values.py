"""Days, numbers, truth and choices as other systems write them."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from core.imports import dates, values
from core.models import Site

BERLIN = Site(code="b", time_zone="Europe/Berlin", day_start=datetime(2000, 1, 1, 6).time())  # noqa: DTZ001


def at(*parts):
    return datetime(*parts, tzinfo=UTC)


def moment(text, slug="iso"):
    return values.moment(text, site=BERLIN, date_format=slug, note=values.Note())


@pytest.mark.parametrize(
    ("text", "slug", "expected"),
    [
        ("2026-03-14 15:09", "iso", at(2026, 3, 14, 14, 9)),
        ("2026-03-14T15:09:26Z", "iso", at(2026, 3, 14, 15, 9, 26)),
        ("2026-03-14T15:09+05:30", "iso", at(2026, 3, 14, 9, 39)),
        ("2026-03-14 15:09:26.5", "iso", at(2026, 3, 14, 14, 9, 26, 500_000)),
        ("14.03.2026 15:09", "dmy.", at(2026, 3, 14, 14, 9)),
        ("03/04/2026 3:09 PM", "mdy/", at(2026, 3, 4, 14, 9)),
        ("03/04/2026 12:30 am", "mdy/", at(2026, 3, 3, 23, 30)),
        ("03/04/2026 15:09", "dmy/", at(2026, 4, 3, 13, 9)),
        ("14-Mar-2026 06:00", "dmon", at(2026, 3, 14, 5)),
        ("Mar 14, 2026 06:00", "mond", at(2026, 3, 14, 5)),
        ("20260314", "ymd", at(2026, 3, 14, 5)),
        ("31.12.99 08:00", "dmy.2", at(1999, 12, 31, 7)),
    ],
)
def test_days_are_read_as_named(text, slug, expected):
    assert moment(text, slug) == expected


def test_a_day_without_a_time_is_the_start_of_its_production_day():
    assert moment("2026-07-01") == at(2026, 7, 1, 4)
    assert BERLIN.production_day(moment("2026-07-01")).isoformat() == "2026-07-01"


@pytest.mark.parametrize(
    ("text", "slug", "reason"),
    [
        ("31.02.2026", "dmy.", "no such day"),
        ("2026-13-01", "iso", "no such day"),
        ("14.03.2026", "mdy/", "not written like"),
        ("2026-03-29 02:30", "iso", "skipped"),
        ("2026-03-14 25:00", "iso", "no such day or time"),
        ("03/04/2026 13:09 PM", "mdy/", "time of day"),
        ("0202-03-04", "iso", "between 1900"),
    ],
)
def test_what_is_no_day_says_why(text, slug, reason):
    with pytest.raises(values.BadValue, match=reason):
        moment(text, slug)


def test_a_time_that_came_twice_is_taken_as_the_first_with_a_note():
    note = values.Note()
    found = values.moment("2026-10-25 02:30", site=BERLIN, date_format="iso", note=note)
    assert found == at(2026, 10, 25, 0, 30)
    assert "came twice" in note.text


def test_formats_that_fit_all_values_are_offered_and_no_other():
    assert [each.slug for each in dates.fitting(["03/04/2026", "12/11/2025"])] == ["dmy/", "mdy/"]
    assert [each.slug for each in dates.fitting(["03/04/2026", "13/11/2025"])] == ["dmy/"]
    assert [each.slug for each in dates.fitting(["2026-04-03"])] == ["iso"]
    assert dates.fitting(["soon"]) == []
    assert dates.fitting([]) == []


def test_a_few_cells_that_hold_nonsense_do_not_hide_how_the_others_are_written():
    assert [each.slug for each in dates.fitting(["2026-04-03", "2026-02-31", "2026-04-04"])] == ["iso"]
    few_typos = [f"{day:02d}/04/2026" for day in range(1, 13)] + ["04/13/2026"]
    assert [each.slug for each in dates.fitting(few_typos)] == ["dmy/", "mdy/"]


@pytest.mark.parametrize(
    ("text", "sign", "expected"),
    [
        ("1143", "point", "1143"),
        ("1,143.50", "point", "1143.50"),
        ("1.143,50", "comma", "1143.50"),
        ("1 143,5", "comma", "1143.5"),
        ("-0.5", "point", "-0.5"),
        ("1.5e3", "point", "1.5e3"),
        (7, "comma", "7"),
        (1.25, "comma", "1.25"),
    ],
)
def test_numbers_are_read_with_the_sign_that_was_named(text, sign, expected):
    assert values.number(text, decimal=sign) == Decimal(expected)


@pytest.mark.parametrize(
    ("text", "sign"),
    [("1.5", "comma"), ("1,5", "point"), ("1,2,3", "point"), ("12 h", "point"), ("NaN", "point"), (True, "point"),
     ("1e99", "point")],
)  # fmt: skip
def test_what_is_no_number_is_refused(text, sign):
    with pytest.raises(values.BadValue):
        values.number(text, decimal=sign)


def test_decimal_signs_are_asked_for_only_where_they_can_be_mistaken():
    assert values.decimal_signs(["1", "22"]) == ["point"]
    assert values.decimal_signs(["1.5", "22"]) == ["point"]
    assert values.decimal_signs(["1,5", "22"]) == ["comma"]
    assert values.decimal_signs(["1,143", "22,500"]) == ["point", "comma"]
    assert values.decimal_signs(["x"]) == []


def test_truth_and_choices():
    assert [values.truth(cell) for cell in ("Yes", "ja", True, "x", "0", "Nein")] == [
        True,
        True,
        True,
        True,
        False,
        False,
    ]
    with pytest.raises(values.BadValue):
        values.truth("maybe")
    choices = {"corrective": "Corrective"}
    assert values.choice("CORRECTIVE", choices=choices, chosen={}) == "corrective"
    assert values.choice("PM01", choices=choices, chosen={"PM01": "corrective"}) == "corrective"
    with pytest.raises(values.BadValue, match="Corrective"):
        values.choice("PM09", choices=choices, chosen={})
