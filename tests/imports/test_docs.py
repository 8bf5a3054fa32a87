"""The page on imports names what there is."""

from pathlib import Path

from core.imports.dates import FORMATS
from core.imports.kinds import KINDS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "how-to" / "import.md").read_text()


def test_every_date_format_and_kind_is_named():
    for slug, each in FORMATS.items():
        assert f"| `{slug}` | {each.example} |" in PAGE
    for slug in KINDS:
        assert f"`{slug}`" in PAGE
