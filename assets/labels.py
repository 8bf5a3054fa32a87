"""Labels to stick on machines: a QR code that opens the asset's page."""

from dataclasses import dataclass

import segno
from django.utils.safestring import SafeString, mark_safe

from assets.models import Asset


@dataclass(frozen=True)
class Label:
    """An asset and the address that its QR code holds."""

    asset: Asset
    url: str

    @property
    def svg(self) -> SafeString:
        """The QR code as inline SVG, readable with a quarter of it scratched off (level Q)."""
        code = segno.make(self.url, error="q", micro=False)
        drawn = code.svg_inline(scale=1, border=4, dark="#000", light="#fff", omitsize=True, svgclass="qr")
        return mark_safe(drawn)  # segno escapes nothing because a QR code holds no markup
