"""Forms: the site's clock, the user's rows, long lists, and what a screen reader hears."""

from datetime import UTC, datetime

import pytest
from django import forms
from django.utils import timezone

from assets.models import Asset
from core.kit.forms import Form, SearchSelect
from core.models import Site
from tests import plant as world
from tests.core.sample import SampleForm

pytestmark = pytest.mark.usefixtures("sample_pages")


class When(Form):
    at = forms.DateTimeField(help_text="On the clock of the site.")


def test_an_instant_is_shown_and_read_on_the_clock_of_the_site():
    moment = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
    with timezone.override("Europe/Berlin"):
        shown = str(When(initial={"at": moment})["at"])
        form = When({"at": "2026-07-01T14:00"})
        assert form.is_valid()
    assert 'type="datetime-local"' in shown
    assert 'value="2026-07-01T14:00"' in shown
    assert form.cleaned_data["at"] == moment


def test_an_hour_that_the_clock_skips_is_refused_with_a_reason():
    with timezone.override("Europe/Berlin"):
        form = When({"at": "2026-03-29T02:30"})
        assert not form.is_valid()
        assert "2026-03-29 02:30:00 couldn’t be interpreted in time zone Europe/Berlin" in form.errors["at"][0]


def test_what_was_typed_wrong_stays_in_the_field():
    assert 'value="soon"' in str(When({"at": "soon"})["at"])


def test_a_field_tells_its_help_and_its_error_to_a_screen_reader():
    html = str(When({"at": ""}))
    assert 'aria-describedby="id_at_helptext id_at_error"' in html
    assert '<div id="id_at_error">' in html
    assert 'id="id_at_helptext"' in html
    assert 'aria-invalid="true"' in html


def test_only_rows_of_the_users_site_can_be_chosen(plant):
    form = SampleForm(user=plant.planner, site=plant.berlin)
    assert plant.foreign not in form.fields["parent"].queryset
    assert plant.line in form.fields["parent"].queryset
    data = {"code": "N1", "name": "New", "criticality": "C", "parent": plant.foreign.pk}
    posted = SampleForm(data, user=plant.planner, site=plant.berlin)
    assert posted.errors["parent"] == ["Select a valid choice. That choice is not one of the available choices."]


def test_a_long_list_is_cut_but_always_holds_what_was_chosen(plant, monkeypatch):
    monkeypatch.setattr(SearchSelect, "first_rows", 2)
    html = str(SampleForm(initial={"parent": plant.palletiser.pk}, user=plant.planner, site=plant.berlin)["parent"])
    assert html.count("<option") == 4  # nothing, two rows, the chosen one
    assert f'<option value="{plant.palletiser.pk}" selected>M3 · Palletiser</option>' in html
    assert 'src="/lookups/assets.asset/"' in html


@pytest.mark.parametrize("value", ["zz", "9" * 30, "1,2", "٣", "²", "-1", "\x00"])
def test_what_is_no_row_is_not_chosen(plant, value):
    html = str(SampleForm(initial={"parent": value}, user=plant.planner, site=plant.berlin)["parent"])
    assert "selected" not in html.replace('<option value="" selected>', "")
    posted = SampleForm({"code": "N1", "parent": value}, user=plant.planner, site=plant.berlin)
    assert "parent" in posted.errors
    assert "selected" not in str(posted["parent"]).replace('<option value="" selected>', "")


def test_a_long_list_costs_one_query(plant, django_assert_num_queries):
    for number in range(30):
        world.asset(plant.berlin, f"N{number}")
    form = SampleForm(user=plant.planner, site=plant.berlin)
    assert plant.planner.site_ids == [plant.berlin.pk]
    with django_assert_num_queries(1):
        assert str(form["parent"]).count("<option") == 35
    assert Asset.objects.count() == 35


class AtSite(Form):
    site = forms.ModelChoiceField(Site.objects.all())


def test_a_choice_of_sites_holds_the_chosen_site(plant):
    form = AtSite(user=plant.planner, site=plant.berlin)
    assert list(form.fields["site"].queryset) == [plant.berlin]
