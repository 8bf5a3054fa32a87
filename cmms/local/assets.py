"""Which files of the npm packages Tandem serves, and their way from node_modules to where they are used.

Runs at every start and copies only what changed; when an image is built, `python cmms/local/assets.py` does the same.
Icons are written into the pages themselves and read from node_modules (`settings.ICONS_DIR`), and so are the fonts of
PDF files (`settings.FONTS_DIR`).
"""

import re
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NODE_MODULES = ROOT / "node_modules"
VENDOR = ROOT / "static" / "vendor"

# (file in node_modules, file under static/vendor/)
FILES = [
    ("@tabler/core/dist/css/tabler.min.css", "tabler.min.css"),
    ("@fontsource-variable/inter/files/inter-latin-wght-normal.woff2", "inter-latin.woff2"),
    ("@fontsource-variable/inter/files/inter-latin-ext-wght-normal.woff2", "inter-latin-ext.woff2"),
    ("echarts/dist/echarts.min.js", "echarts.min.js"),
    ("@event-calendar/build/dist/event-calendar.min.css", "event-calendar.min.css"),
    ("@event-calendar/build/dist/event-calendar.min.js", "event-calendar.min.js"),
    ("sortablejs/Sortable.min.js", "sortable.min.js"),
]

_SOURCE_MAP = re.compile(rb"\n?(//# sourceMappingURL=\S+|/\*# sourceMappingURL=.*?\*/)\s*$")


def stage() -> None:
    for source, target in FILES:
        original, copy = NODE_MODULES / source, VENDOR / target
        if copy.exists() and copy.stat().st_mtime_ns == original.stat().st_mtime_ns:
            continue
        copy.parent.mkdir(parents=True, exist_ok=True)
        # Source maps stay behind (they outweigh the code), so nothing may refer to them.
        copy.write_bytes(_SOURCE_MAP.sub(b"\n", original.read_bytes()))
        shutil.copystat(original, copy)


if __name__ == "__main__":
    stage()
