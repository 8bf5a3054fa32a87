"""What happened, as the REST API shows it: read only."""

from core.api.resource import Resource
from core.filters import EventFilter
from core.models import Event
from core.serializers import EventSerializer


class Events(Resource):
    """What happened: who did what to which row, and when."""

    model = Event
    serializer_class = EventSerializer
    filterset_class = EventFilter
    orderings = ("at",)
    default_ordering = "-at"
