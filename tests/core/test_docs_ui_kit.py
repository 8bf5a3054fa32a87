"""docs/ui-kit.md names only what exists."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template import engines

from core.kit import badges, charts, form_views, forms, lookups, panels, tables, trends, views

TEXT = (Path(settings.BASE_DIR) / "docs" / "ui-kit.md").read_text()
NAMES = {
    name for module in (badges, charts, form_views, forms, lookups, panels, tables, views) for name in vars(module)
}


@pytest.mark.parametrize(
    "name",
    ["Table", "Column", "BadgeColumn", "WhenColumn", "DurationColumn", "NumberColumn", "Empty", "ListPage", "Bulk",
     "Action", "DetailPage", "FormPage", "ActionPage", "ReasonForm", "SearchSelect", "Lookup", "Badge", "Chart"],
)  # fmt: skip
def test_every_class_of_the_page_exists(name):
    assert re.search(rf"\b{name}\b", TEXT)
    assert name in NAMES


def test_every_tag_of_the_page_is_known_without_loading():
    tags = set(re.findall(r"\{% (\w+)", TEXT)) - {"include", "if", "block", "endcard"}
    known = {name for library in engines["django"].engine.template_builtins for name in library.tags}
    assert tags <= known


def test_every_component_of_the_page_exists():
    named = set(re.findall(r"`(?:components/)?(\w+\.html)`", TEXT)) | set(re.findall(r"components/(\w+\.html)", TEXT))
    templates = Path(settings.BASE_DIR) / "templates"
    assert {"tile.html", "timeline.html", "comments.html", "attachments.html"} <= named
    assert [name for name in named if not any((templates / each / name).exists() for each in (".", "components"))] == []


def test_every_chart_of_the_page_can_be_made():
    made = set(re.findall(r"\b(charts|trends)\.(\w+)\(", TEXT))
    assert {name for _module, name in made} == {"trend", "pareto", "ranking", "waterfall", "scatter", "tone"}
    modules = {"charts": charts, "trends": trends}
    assert all(callable(getattr(modules[module], name)) for module, name in made)
