"""The menu, as one list. An entry whose page does not exist (yet) is not shown; a test names such entries."""

from django.utils.translation import gettext_lazy as _

from core.kit.navigation import Item, Section, can

MENU = [
    Section(
        _("Work"),
        [
            Item(_("My work"), "checklist", "my-work", can("execute"), phone=10),
            Item(_("Report a problem"), "speakerphone", "request-new", can("report"), phone=25, short=_("Report")),
            Item(_("Requests"), "inbox", "requests", can("report"), phone=50),
            Item(_("Work orders"), "clipboard-list", "work-orders", phone=20, short=_("Orders")),
        ],
    ),
    Section(
        _("Plan"),
        [
            Item(_("Planning"), "calendar-week", "planning", can("plan"), phone=15),
            Item(_("Preventive plans"), "repeat", "preventive-plans"),
            Item(_("Job plans"), "list-check", "job-plans"),
        ],
    ),
    Section(
        _("Plant"),
        [
            Item(_("Assets"), "building-factory-2", "assets", phone=30),
            Item(_("Downtime"), "player-pause", "downtimes"),
            Item(_("Failures"), "alert-octagon", "failures"),
            Item(_("Calendars"), "calendar-time", "operating-calendars"),
            Item(_("Production"), "packages", "counts"),
        ],
    ),
    Section(
        _("Results"),
        [
            Item(_("Performance"), "chart-histogram", "performance", phone=35),
            Item(_("Targets"), "target", "targets"),
            Item(_("Findings"), "zoom-question", "findings"),
            Item(_("Definitions"), "book-2", "definitions"),
        ],
    ),
    Section(
        _("Administration"),
        [
            Item(_("People"), "users", "people", can("administer")),
            Item(_("Import"), "file-import", "imports", can("edit")),
            Item(_("Jobs"), "clock-play", "jobs", can("administer")),
            Item(_("Audit trail"), "history", "audit", can("administer")),
            Item(_("Settings"), "settings", "settings", can("administer")),
        ],
    ),
]
