"""What a verb asks first: may its actor do this at this site?"""

from typing import Any

from django.utils.translation import gettext as _

from core.errors import NotAllowed
from core.models import Site
from people.models import User


def require(by: User | None, capability: str, site: Site | int, message: Any = None) -> None:
    """NotAllowed unless `by` has the capability (see `people.roles`) at the site; None is a background job."""
    if by is not None and not by.can(capability, site):
        raise NotAllowed(message or _("Your role at this site does not include this."))
