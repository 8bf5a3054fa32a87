"""Pages of charts: the table behind each is offered as a file, under the page's own address."""

from urllib.parse import urlencode

from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.utils.text import slugify
from django.utils.translation import gettext as _

from core.kit import exports
from core.kit.charts import Chart
from core.kit.views import Page


class ChartPage(Page):
    """`?chart=KEY&format=csv` answers the table behind the chart of that key in the page's context.

    So a file is of the same question as its picture, and whoever may see the one may have the other.
    """

    NOT_OF_FILES = frozenset({"chart", "format", "part"})  # parameters that say how the question is answered

    def get(self, request, *args, **kwargs):
        return self.draw() if "chart" not in request.GET else self.table_file(request.GET["chart"])

    def file_name(self, chart: Chart) -> str:
        """The file's name without its ending; of more words than the key, where the page is asked about something."""
        return chart.key

    def chart_file(self, chart: Chart) -> str:
        """The same as an address can carry it."""
        return slugify(self.file_name(chart))

    @property
    def chart_files(self) -> str:
        """The address under which the files are offered: this one."""
        asked = [(name, value) for name, value in self.request.GET.items() if name not in self.NOT_OF_FILES]
        return f"{self.request.path}?{urlencode(asked)}" if asked else self.request.path

    def with_chart(self, key: str) -> dict:
        """What the template gets where the chart of this key is drawn; a page that comes in parts has several."""
        return self.context()

    def table_file(self, key: str) -> HttpResponse | StreamingHttpResponse:
        format = self.request.GET.get("format")
        if not key or format not in exports.FORMATS:
            raise Http404(_("There is no such file."))
        for value in self.with_chart(key).values():
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, Chart) and each.key == key:
                    return exports.attachment(each, self.chart_file(each), format, sheet=key)
        raise Http404(_("There is no such chart."))
