"""The README's promises that can be checked by reading it."""

import re
from pathlib import Path

from django.conf import settings

from cmms import env, gunicorn

README = (Path(settings.BASE_DIR) / "README.md").read_text()
assert gunicorn.bind  # read with the settings, so that its variables are known
ROW = re.compile(r"^\| `([A-Z_]+)` \| (.+?) \| (.+) \|$", re.MULTILINE)


def test_the_configuration_table_names_exactly_the_variables_that_settings_read():
    documented = {name: default for name, default, _ in ROW.findall(README)}
    assert set(documented) == set(env.READ)


def test_the_documented_defaults_are_the_ones_in_force():
    wrong = {
        name: (default, env.READ[name])
        for name, default, _ in ROW.findall(README)
        if default.strip("`") != shown(env.READ[name])
    }
    assert wrong == {}


def test_every_document_that_the_readme_links_exists():
    links = re.findall(r"\]\(((?!http)[^)#]+)", README)
    assert [link for link in links if not (Path(settings.BASE_DIR) / link).exists()] == []


def shown(default: object) -> str:
    """How the table writes a default: required, empty, or the value (paths from the project's folder)."""
    if default is None:
        return "required"
    text = str(default).removeprefix(f"{settings.BASE_DIR}/")
    return text or "empty"
