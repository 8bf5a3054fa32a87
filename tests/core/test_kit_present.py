"""How single facts read: durations, moments, figures, badges, icons."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.template import Context, Template
from django.utils import formats, timezone, translation

from cmms.navigation import MENU
from core.kit import icons, present
from core.kit.badges import Badge

NOW = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "no data"),
        (0, "0 s"),
        (45, "45 s"),
        (60, "1 min"),
        (150, "2 min 30 s"),
        (3600, "1 h"),
        (12_000, "3 h 20 min"),
        (3599.6, "1 h"),
        (86_399, "24 h"),
        (187_200, "2 d 4 h"),
        (-90, "−1 min 30 s"),
        (timedelta(hours=2), "2 h"),
        (Decimal("61"), "1 min 1 s"),
    ],
)
def test_a_duration_is_said_in_its_two_largest_parts(seconds, text):
    assert present.duration_text(seconds).replace("\u00a0", " ") == text


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (NOW - timedelta(seconds=20), "just now"),
        (NOW - timedelta(minutes=12), "12 min ago"),
        (NOW + timedelta(hours=3, minutes=10), "in 3 h"),
        (NOW - timedelta(hours=25), "yesterday 14:00"),
        (NOW + timedelta(days=1, hours=1), "tomorrow 16:00"),
        (NOW - timedelta(days=9), "13 Nov 15:00"),
        (datetime(2024, 2, 29, 23, 30, tzinfo=UTC), "1 Mar 2024 00:30"),
        (date(2026, 11, 22), "today"),
        (date(2026, 3, 1), "1 Mar"),
    ],
)
def test_a_moment_is_said_on_the_clock_of_the_site(moment, text):
    with timezone.override("Europe/Berlin"):
        assert present.when_text(moment, now=NOW) == text


def test_a_recent_moment_counts_real_hours_across_a_clock_change():
    """On 25 October 2026 Berlin's 02:30 comes twice; four and a half hours pass between 00:30 and 04:00."""
    with timezone.override("Europe/Berlin"):
        before = datetime(2026, 10, 24, 22, 30, tzinfo=UTC)
        now = datetime(2026, 10, 25, 3, 0, tzinfo=UTC)
        assert present.when_text(before, now=now) == "4 h ago"


def test_a_moment_tells_its_exact_time_and_zone():
    with timezone.override("Europe/Berlin"):
        html = present.when(datetime(2026, 7, 1, 12, 0, tzinfo=UTC))
    assert 'datetime="2026-07-01T14:00:00+02:00"' in html
    assert 'title="1 Jul 2026, 14:00 (CEST)"' in html


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0, None, "0"),
        (1234567, None, "1 234 567"),
        (93.44, 1, "93.4"),
        (2.5, None, "2.50"),
        (41.26, None, "41.3"),
        (Decimal("-12.5"), 1, "−12.5"),
    ],
)
def test_a_figure_has_groups_of_three_and_a_real_minus(value, digits, text):
    assert present.number_text(value, digits).replace("\u202f", " ") == text


@pytest.mark.parametrize("language", ["en", "de", "fr", "hi"])
def test_numbers_are_written_as_django_writes_them(language):
    values = [0, -0.04, 0.05, 0.25, 2.675, 999.95, -1234.5, 1e-9, 123456789.5, 10**15, Decimal("-7.125"), 1e21]
    with translation.override(language):
        for value in values:
            for digits in range(4):
                by_django = formats.number_format(round(Decimal(str(value)), digits), digits, True, True)
                assert present.number_text(value, digits) == by_django.replace("-", "−"), (value, digits)


def test_a_day_is_said_in_the_language_of_whoever_asks():
    day = date(2026, 10, 3)
    said = []
    for language in ("en", "de", "en"):
        with translation.override(language):
            said.append((present.date_text(day, "j F Y"), formats.date_format(day, "j F Y")))
    assert [ours for ours, _ in said] == [by_django for _, by_django in said]
    assert said[0] != said[1]


def test_german_writes_a_decimal_comma():
    with translation.override("de"):
        assert present.number_text(1234.5, 1) == "1\u202f234,5"


def test_no_data_is_a_word_and_zero_is_a_figure():
    draw = Template('{% figure nothing "%" 1 %}|{% figure zero "%" 1 %}|{% duration nothing %}|{% when nothing %}')
    nothing, zero, duration, when = draw.render(Context({"nothing": None, "zero": 0})).split("|")
    assert nothing == duration == when == '<span class="no-data">no data</span>'
    assert zero == '<span class="num">0.0<span class="unit">\u202f%</span></span>'


def test_a_badge_is_icon_word_and_tone():
    html = Template("{% badge state %}").render(Context({"state": Badge("<Down>", "stop", "player-pause")}))
    assert html.startswith('<span class="state state-stop"><svg class="icon"')
    assert 'aria-hidden="true"' in html
    assert html.endswith("</svg>&lt;Down&gt;</span>")


def test_a_badge_of_an_unknown_tone_is_refused():
    with pytest.raises(ValueError, match="purple"):
        Badge("Late", "purple")


def test_an_unknown_icon_is_an_error():
    with pytest.raises(icons.UnknownIcon, match="no-such-icon"):
        Template('{% icon "no-such-icon" %}').render(Context())


def test_an_icon_name_cannot_leave_its_folder():
    with pytest.raises(icons.UnknownIcon):
        icons.svg("../../../../package")


def test_every_icon_of_the_menu_exists():
    for section in MENU:
        for item in section.items:
            assert icons.svg(item.icon).startswith("<svg")
