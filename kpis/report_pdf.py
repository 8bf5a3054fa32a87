"""The report of a week as a PDF, A4 portrait; the links lead to this installation."""

from collections.abc import Sequence

from django.conf import settings
from django.utils.translation import get_language, to_locale
from django.utils.translation import gettext as _
from fpdf import FPDF
from fpdf.enums import TableBordersLayout
from fpdf.fonts import FontFace

from kpis.report import Report
from kpis.report_records import moment

FAMILY = "Inter"
FONTS = {"": "400Regular/Inter_400Regular.ttf", "B": "700Bold/Inter_700Bold.ttf"}  # below settings.FONTS_DIR
INK, SOFT, LINE = (23, 29, 28), (86, 96, 94), 200
Cell = tuple[str, str]  # text, and where it leads ("" for nowhere)


class Paper(FPDF):
    """A4 with the name of the report and the page number at the foot."""

    def __init__(self, report: Report):
        super().__init__()
        self.report = report
        for style, file in FONTS.items():
            self.add_font(FAMILY, style, settings.FONTS_DIR / file)
        self.set_margin(16)
        self.set_auto_page_break(True, 18)
        self.set_title(report.title)
        self.set_author("Tandem")
        self.set_creator("Tandem")
        self.set_lang(to_locale(get_language() or settings.LANGUAGE_CODE).replace("_", "-"))
        self.set_creation_date(report.made)
        self.add_page()

    def footer(self) -> None:
        self.set_y(-13)
        self.set_font(FAMILY, "", 8)
        self.set_text_color(*SOFT)
        words = _("%(report)s · page %(n)d") % {"report": self.report.title, "n": self.page_no()}
        self.cell(0, 5, words, align="C")

    def say(self, text: str, *, size: float = 10, bold: bool = False, soft: bool = False, after: float = 1) -> None:
        """A paragraph."""
        self.set_font(FAMILY, "B" if bold else "", size)
        self.set_text_color(*(SOFT if soft else INK))
        self.multi_cell(0, size * 0.5, text, align="L", new_x="LMARGIN", new_y="NEXT")
        self.ln(after)

    def heading(self, text: str) -> None:
        self.ln(3)
        if self.will_page_break(24):
            self.add_page()
        self.say(text, size=12, bold=True, after=1.5)

    def rows(
        self, heads: Sequence[str], widths: Sequence[int], right: set[int], rows: Sequence[Sequence[Cell]]
    ) -> None:
        """A table; `right` names the columns of numbers."""
        self.set_font(FAMILY, "", 8.5)
        self.set_text_color(*INK)
        self.set_draw_color(LINE)
        with self.table(
            col_widths=widths, line_height=4.6, padding=(1, 1.2), borders_layout=TableBordersLayout.HORIZONTAL_LINES,
            text_align=["RIGHT" if number in right else "LEFT" for number in range(len(heads))],
            headings_style=FontFace(emphasis="BOLD", color=SOFT),
        ) as table:  # fmt: skip
            for cells in ([(head, "") for head in heads], *rows):
                row = table.row()
                for text, url in cells:
                    row.cell(text, link=f"{settings.PUBLIC_URL}{url}" if url else None)


def pdf(report: Report) -> bytes:
    paper = Paper(report)
    paper.say(report.title, size=17, bold=True, after=1)
    paper.say(
        f"{report.week.window} · {_('made %(moment)s') % {'moment': moment(report.made, report.site)}}", soft=True
    )
    if report.so_far:
        paper.say(report.so_far)
    paper.say(report.answer, size=11)
    if report.counted:
        paper.say(str(report.counted), soft=True)
    paper.heading(_("Figures"))
    paper.rows(
        [_("Figure"), _("Value"), _("Target"), _("Change"), _("Remark")], [44, 24, 30, 36, 44], {1},
        [
            [(row.name, row.url), (row.value, ""), ("\n".join(filter(None, [row.target, row.gap])), ""),
             (row.change, ""), (row.remark, "")]
            for row in report.rows
        ],
    )  # fmt: skip
    paper.heading(_("Largest losses"))
    if report.losses:
        losses = [[(each.name, ""), (each.hours, ""), (each.stops, "")] for each in report.losses]
        paper.rows([_("Loss"), _("Lost"), _("Stops")], [100, 40, 38], {1, 2}, losses)
        if report.losses_of:
            paper.say(report.losses_of, soft=True)
    else:
        paper.say(_("No loss was recorded."))
    paper.heading(_("Longest unplanned stops"))
    if report.stops:
        stops = [
            [(each.asset, each.url), (each.start, ""), (each.lasted, ""), (each.reason, "")] for each in report.stops
        ]
        paper.rows([_("Asset"), _("Start"), _("In this week"), _("Reason")], [60, 38, 36, 44], set(), stops)
    else:
        paper.say(_("No unplanned stop was recorded."))
    paper.heading(_("Open failures"))
    if report.open:
        broken = [[(each.asset, each.url), (each.since, ""), (each.problem, "")] for each in report.open]
        paper.rows([_("Asset"), _("Since"), _("Problem")], [70, 44, 64], set(), broken)
        if report.others_open:
            paper.say(_("and %(n)d more") % {"n": report.others_open}, soft=True)
    else:
        paper.say(_("Every failure is restored."))
    paper.heading(_("Doubts about the data"))
    for sentence in report.doubts or [_("Nothing speaks against these figures.")]:
        paper.say(sentence)
    if report.findings:
        found = [[(each.asset, each.url), (each.what, "")] for each in report.findings]
        paper.rows([_("Asset"), _("Finding")], [70, 108], set(), found)
        if report.other_findings:
            paper.say(_("and %(n)d more") % {"n": report.other_findings}, soft=True)
    return bytes(paper.output())
