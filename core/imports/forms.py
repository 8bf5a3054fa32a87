"""The questions of an import: which file, which column holds what, how values are written, what they mean."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.imports import dates, values
from core.imports.files import DELIMITERS, ENCODINGS
from core.imports.kinds import CHOICE, KINDS, Kind
from core.imports.mapping import DISTINCT, ColumnMap, Findings
from core.imports.values import same_choice
from core.kit.forms import Form
from core.models import ImportRun

DECIMALS = [
    (values.POINT, gettext_lazy("Point: 1,234.5")),
    (values.COMMA, gettext_lazy("Comma: 1.234,5")),
]


def kinds_for(user, site) -> list[Kind]:
    """What the user may import at the site."""
    return [kind for kind in KINDS.values() if site is not None and user.can(kind.capability, site)]


class UploadForm(Form):
    kind = forms.ChoiceField(label=gettext_lazy("What the file holds"), choices=[])
    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy("CSV or XLSX with one line of column names, up to 50 MiB."),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,.xlsx"}),
        error_messages={"empty": gettext_lazy("The file is empty.")},
    )

    def __init__(self, *args: Any, **options: Any):
        super().__init__(*args, **options)
        self.fields["kind"].choices = [(kind.slug, kind.label) for kind in kinds_for(self.user, self.site)]


class ReadingForm(Form):
    """How a CSV file is read, or which sheet of a workbook."""

    def __init__(self, run: ImportRun, sheets: list[str], *args: Any, **options: Any):
        super().__init__(*args, initial=run.reading, **options)
        if run.reading.get("sort") == "xlsx":
            self.fields["sheet"] = forms.ChoiceField(label=_("Sheet"), choices=[(name, name) for name in sheets])
        else:
            encodings = {key: label for key, label in ENCODINGS.items() if key != "utf-8-sig"}
            if run.reading.get("encoding") == "utf-8-sig":
                encodings = {"utf-8-sig": _("UTF-8 with a mark"), **encodings}
            self.fields["encoding"] = forms.ChoiceField(label=_("Encoding"), choices=list(encodings.items()))
            signs = [(sign, _("tab") if sign == "\t" else sign) for sign in DELIMITERS]
            self.fields["delimiter"] = forms.ChoiceField(label=_("Delimiter"), choices=signs)


class MappingForm(Form):
    """One select per field of the kind, then how days and numbers are written, then what values mean."""

    def __init__(
        self,
        run: ImportRun,
        kind: Kind,
        header: list[str],
        mapping: ColumnMap,
        findings: Findings,
        *args: Any,
        **options: Any,
    ):
        super().__init__(*args, **options)
        self.kind, self.header, self.findings = kind, header, findings
        columns = [("", _("– not in the file –"))] + [
            (column, self.with_sample(column, findings.samples.get(column, []))) for column in header
        ]
        for each in kind.fields:
            self.fields[f"column_{each.name}"] = forms.ChoiceField(
                label=each.label, choices=columns, required=each.required, help_text=each.help,
                initial=mapping.columns.get(each.name, ""),
            )  # fmt: skip
        self.add_formats(mapping)
        self.add_values(run, mapping)
        for option in kind.options:
            self.fields[f"option_{option.name}"] = forms.BooleanField(
                label=option.label, help_text=option.help, required=False, initial=option.name in mapping.options
            )

    @staticmethod
    def with_sample(column: str, sample: list[str]) -> str:
        shown = ", ".join(sample)
        return f"{column}: {shown[:50]}{'…' if len(shown) > 50 else ''}" if shown else column

    def add_formats(self, mapping: ColumnMap) -> None:
        found = self.findings
        if not found.dates_are_typed:
            choices = [(each.slug, self.as_read(each)) for each in found.date_formats]
            if not found.is_iso:
                choices.insert(0, ("", _("– choose –")))
            self.fields["date_format"] = forms.ChoiceField(
                label=_("How days are written"), choices=choices,
                initial=mapping.date_format or (dates.ISO.slug if found.is_iso else ""),
                help_text=_("Only ways in which the values of the file can be read are offered."),
                error_messages={"required": _("Say how days are written; the file does not tell by itself.")},
            )  # fmt: skip
        if not found.numbers_are_typed and len(found.decimal_signs) > 1:
            self.fields["decimal"] = forms.ChoiceField(
                label=_("Decimal sign"), choices=[("", _("– choose –")), *DECIMALS], initial=mapping.decimal
            )

    def as_read(self, format_: dates.DateFormat) -> str:
        try:
            reading = dates.read(self.findings.date_example, format_)
        except dates.NotADate:
            return format_.example
        words = {"written": self.findings.date_example, "read": f"{reading.local:%d %B %Y}"}
        return _("%(written)s is %(read)s") % words

    def add_values(self, run: ImportRun, mapping: ColumnMap) -> None:
        self.value_fields: dict[str, tuple[str, str]] = {}
        for each in self.kind.fields_at(run.site):
            if each.type != CHOICE:
                continue
            chosen = mapping.value_map.get(each.name, {})
            for place, written in enumerate(self.findings.distinct.get(each.name, [])[:DISTINCT]):
                if written not in chosen and same_choice(written, each.choices or {}) is not None:
                    continue
                name = f"value_{each.name}_{place}"
                self.value_fields[name] = (each.name, written)
                words = {"field": each.label, "value": written}
                self.fields[name] = forms.ChoiceField(
                    label=_("%(field)s “%(value)s” means") % words, required=False,
                    choices=[("", _("– unknown: reject these rows –")), *(each.choices or {}).items()],
                    initial=chosen.get(written, ""),
                )  # fmt: skip

    @property
    def asks_anew(self) -> bool:
        """Whether the form shows a question that the posted one did not have."""
        return any(name not in self.data for name in [*self.value_fields, "date_format"] if name in self.fields)

    def mapping(self) -> ColumnMap:
        found = ColumnMap(
            columns=posted_columns(self.kind, self.cleaned_data),
            date_format=self.cleaned_data.get("date_format", ""),
            decimal=self.cleaned_data.get("decimal", ""),
            options=[each.name for each in self.kind.options if self.cleaned_data.get(f"option_{each.name}")],
        )
        for name, (field, written) in self.value_fields.items():
            if self.cleaned_data.get(name):
                found.value_map.setdefault(field, {})[written] = self.cleaned_data[name]
        return found

    def clean(self) -> dict:
        cleaned = super().clean() or self.cleaned_data
        taken: dict[str, str] = {}
        for each in self.kind.fields:
            column = cleaned.get(f"column_{each.name}")
            if column and column in taken:
                words = {"column": column, "field": taken[column]}
                self.add_error(f"column_{each.name}", _("“%(column)s” is taken for “%(field)s” already.") % words)
            elif column:
                taken[column] = str(each.label)
        return cleaned


def posted_columns(kind: Kind, data) -> dict[str, str]:
    """Field → column, as the form says."""
    return {each.name: data[f"column_{each.name}"] for each in kind.fields if data.get(f"column_{each.name}")}
