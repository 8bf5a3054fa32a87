"""Pages that change something: a form for a row, and a verb that wants confirming."""

from functools import cached_property
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.errors import Conflict, DomainError, NotAllowed
from core.kit.forms import make_form
from core.kit.views import ObjectPage, Page, go_to_site_of, visible


class FormPage(Page):
    """Create or edit a row. What was typed is kept, errors stand at their fields, a lost update is refused.

    With `pk` in the address it edits, without it creates. `save` may call a domain verb instead of the form.
    A model with a `version` field is guarded: the form carries the version it was opened with.
    """

    template_name = "generic/form.html"
    form_class: type[forms.BaseForm]
    model: type[models.Model]
    submit: Any = gettext_lazy("Save")
    lead: Any = ""  # a sentence above the form
    done: Any = ""  # a sentence after saving

    def rows(self) -> QuerySet:
        return visible(self.model, self.request.user)

    @cached_property
    def object(self) -> models.Model | None:
        return get_object_or_404(self.rows(), pk=self.kwargs["pk"]) if "pk" in self.kwargs else None

    def may_object(self, user, obj: models.Model) -> bool:
        return True

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.object is not None:
            go_to_site_of(self.object, request)
        if self.object is not None and not self.may_object(request.user, self.object):
            raise PermissionDenied(_("Your role at this site does not include this."))
        return super().dispatch(request, *args, **kwargs)

    def crumbs(self) -> list[tuple[Any, str]]:
        above = super().crumbs()
        if self.object is not None and hasattr(self.object, "get_absolute_url"):
            above.append((str(self.object), self.object.get_absolute_url()))
        return above

    def page_title(self) -> Any:
        if self.title:
            return self.title
        name = self.model._meta.verbose_name
        return _("Edit %(name)s") % {"name": name} if self.object else _("New %(name)s") % {"name": name}

    def initial(self) -> dict:
        """What a new form starts with; the address may bring values (`?asset=12`)."""
        return {name: value for name, value in self.request.GET.items() if name in self.form_class.base_fields}

    def form(self, data=None) -> forms.BaseForm:
        options: dict = {} if self.object else {"initial": self.initial()}
        if issubclass(self.form_class, forms.BaseModelForm) and self.object is not None:
            options["instance"] = self.object
        return make_form(self.form_class, self.request, data, **options)

    def save(self, form: forms.BaseForm) -> models.Model:
        """Do it; answer with the row. A DomainError is shown at its field."""
        return form.save()

    def success_url(self, obj: models.Model) -> str:
        return self.back(obj.get_absolute_url())

    @property
    def version(self) -> str:
        """The version that the form was opened with; "" for a model without one."""
        if self.object is None or not hasattr(self.object, "version"):
            return ""
        return self.request.POST.get("version", "") if self.request.method == "POST" else str(self.object.version)

    def claim(self) -> None:
        """Take the row's lock until it is saved, and refuse if somebody saved it since the form was opened."""
        if self.object is None or not hasattr(self.object, "version"):
            return
        rows = type(self.object)._base_manager.select_for_update(no_key=True).filter(pk=self.object.pk)
        if str(rows.values_list("version", flat=True).get()) != self.version:
            raise Conflict(
                _(
                    "Somebody changed this while you were editing. Your entries are kept below; open the page"
                    " in a second tab, compare, and save again from there."
                ),
                code="stale",
            )

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.draw(form=self.form(), back=self.back(self.way_back()))

    def way_back(self) -> str:
        crumbs = self.crumbs()
        return crumbs[-1][1] if crumbs else "/"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = self.form(request.POST)
        status = 422
        if form.is_valid():
            try:
                with transaction.atomic():
                    self.claim()
                    obj = self.save(form)
            except NotAllowed:
                raise
            except DomainError as error:
                form.add_error(error.field if error.field in form.fields else None, error.message)
                status = 409 if isinstance(error, Conflict) else 422
            else:
                messages.success(request, self.done or _("%(name)s is saved.") % {"name": obj})
                return HttpResponseRedirect(self.success_url(obj))
        return self.draw(form=form, back=self.back(self.way_back()), status=status)


class ActionPage(ObjectPage):
    """A verb on a row: a GET asks (with a form if the verb needs a reason), a POST does it.

    A verb without a form may be posted straight from a button; the answer is a sentence and the way back.
    """

    template_name = "generic/action.html"
    sentence: Any = ""  # what will happen
    submit: Any = gettext_lazy("Confirm")
    icon = ""
    tone = "primary"  # or "stop"
    form_class: type[forms.BaseForm] | None = None

    def do(self, obj: models.Model, **cleaned: Any) -> Any:
        """Call the verb; answer with a sentence for the user."""
        raise NotImplementedError

    def crumbs(self) -> list[tuple[Any, str]]:
        return [*super().crumbs(), (str(self.object), self.object.get_absolute_url())]

    def initial(self) -> dict:
        return {}

    def form(self, data=None) -> forms.BaseForm | None:
        if self.form_class is None:
            return None
        return make_form(self.form_class, self.request, data, initial=self.initial())

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.draw(form=self.form(), back=self.back(self.object.get_absolute_url()))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = self.form(request.POST)
        here = self.back(self.object.get_absolute_url())
        if form is not None and not form.is_valid():
            return self.draw(form=form, back=here, status=422)
        try:
            sentence = self.do(self.object, **(form.cleaned_data if form else {}))
        except NotAllowed:
            raise
        except DomainError as error:
            if form is None:
                messages.error(request, error.message)
                return HttpResponseRedirect(here)
            form.add_error(error.field if error.field in form.fields else None, error.message)
            return self.draw(form=form, back=here, status=409 if isinstance(error, Conflict) else 422)
        messages.success(request, sentence)
        return HttpResponseRedirect(self.success_url())

    def success_url(self) -> str:
        return self.back(self.object.get_absolute_url())
