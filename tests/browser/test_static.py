"""Static files as production serves them: hashed, compressed, light enough for a phone's first view."""

import re
from pathlib import Path

import pytest
from django.core.management import call_command

from tests.plant import PASSWORD

FIRST_VIEW = 150 * 1024  # bytes over the line, for a phone that was never here


@pytest.fixture
def production_files(settings, tmp_path):
    """All static files collected the way `bin/run` and the image do it; every name in a css file must exist."""
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }
    call_command("collectstatic", interactive=False, verbosity=0, ignore=["admin", "rest_framework"])
    return settings.STATIC_ROOT


def weight(file: Path) -> int:
    """Bytes as sent to a browser that takes Brotli."""
    packed = file.with_name(f"{file.name}.br")
    return (packed if packed.exists() else file).stat().st_size


def test_the_first_view_of_a_phone_is_light(client, plant, sample_pages, production_files):
    client.login(username="planner", password=PASSWORD)
    html = client.get("/sample/").content.decode()
    # A preload for wide screens is not fetched by a phone, which uses its own font.
    html = re.sub(r"<link rel=\"preload\"[^>]*media=\"\(min-width: 768px\)\"[^>]*>", "", html)
    names = set(re.findall(r'(?:href|src)="/static/([^"]+)"', html))
    assert all(re.search(r"\.[0-9a-f]{12}\.", name) for name in names), names
    parts = {name: weight(production_files / name) for name in names}
    total = len(html.encode()) + sum(parts.values())
    assert total < FIRST_VIEW, (total, len(html), parts)


def test_a_style_sheet_names_only_files_that_are_served(production_files):
    sheets = [each.read_text() for each in (production_files / "css").glob("*.*.css")]
    urls = {url for css in sheets for url in re.findall(r'url\("([^"]+)"\)', css) if not url.startswith("data:")}
    assert len(urls) == 2
    assert all((production_files / "css" / url).resolve().exists() for url in urls)
    assert "sourceMappingURL" not in next((production_files / "vendor").glob("tabler.min.*.css")).read_text()
