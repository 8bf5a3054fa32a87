"""What every page's frame needs."""

from django.http import HttpRequest


def frame(request: HttpRequest) -> dict:
    """Name of the product, the chosen site and the sites to choose from."""
    return {
        "product": "Tandem",
        "site": getattr(request, "site", None),
        "sites": getattr(request, "sites", []),
    }
