"""The pages of a queue on which one agent acts and a second one checks: one pattern for all of them.

What may be done is the services' to say. A queue names its page and its acts, and writes ``<verb>_view``
for each of them; everything between the click and the answer is here.
"""

from collections.abc import Callable
from datetime import UTC
from operator import attrgetter
from typing import Any

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.db.models import Q, QuerySet
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from escrow_site.lib import timing
from escrow_site.lib.admin import ReadOnlyAdmin
from escrow_site.lib.refusals import Refusal
from jobs.models import Job, Person
from jobs.models.job import of_party


def agent_of(request: HttpRequest) -> Person:
    """Who reads or acts at the desk."""
    assert isinstance(request.user, Person)
    return request.user


def of_own_jobs(request: HttpRequest, job_path: str) -> Q:
    """Rows of a Job that the reader is a party of: there he is a party at the desk, too."""
    return of_party(agent_of(request), job_path)


class DeskPages(ReadOnlyAdmin):
    """Rows with a page (``page_verb``) on which agents act (``act_verbs``); each verb has its address.

    ``page_related`` are the rows that the page reads. Its templates lie in
    ``admin/<app>/<model>/<page>.html``.
    """

    page_verb = ""
    act_verbs: tuple[str, ...] = ()
    page_related: tuple[str, ...] = ()

    # --- Addresses ---

    def get_urls(self) -> list[URLPattern]:
        page = require_safe(self._view(self.page_verb))
        acts = {verb: require_POST(self._view(verb)) for verb in self.act_verbs}
        own = [self._path(verb, view) for verb, view in {self.page_verb: page, **acts}.items()]
        return [*own, *super().get_urls()]

    def _view(self, verb: str) -> Callable[..., HttpResponse]:
        view: Callable[..., HttpResponse] = getattr(self, f"{verb}_view")
        return view

    def _path(self, verb: str, view: Callable[..., HttpResponse]) -> URLPattern:
        address = f"<int:row_id>/{verb.replace('_', '-')}/"
        return path(address, self.admin_site.admin_view(view), name=self._name(verb))

    def _name(self, verb: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{verb}"

    def page_url(self, row: Any) -> str:
        """Where agents read the row and act on it."""
        return reverse(f"admin:{self._name(self.page_verb)}", args=[row.pk])

    # --- Who reads what ---

    def job_of(self, row: Any) -> Job:
        job: Job = attrgetter(self.job_path.replace("__", "."))(row)
        return job

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """What is not confirmed is for neither side to know, and a list tells as much as a row."""
        return super().get_queryset(request).exclude(of_own_jobs(request, self.job_path))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """An agent who is a party of the Job is a party here, too."""
        if obj is not None and self.job_of(obj).role_of(agent_of(request)) is not None:
            return False
        return super().has_view_permission(request, obj)

    def read(self, row_id: int) -> Any:
        """The row with what its page reads. Raises its DoesNotExist."""
        return self.model._default_manager.select_related(*self.page_related).get(pk=row_id)

    def row_of(self, request: HttpRequest, row_id: int) -> Any:
        """The row, for who may see it."""
        try:
            row = self.read(row_id)
        except ObjectDoesNotExist:
            raise Http404 from None
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        return row

    # --- Acting ---

    def act(
        self,
        request: HttpRequest,
        row: Any,
        form: Form,
        act: Callable[[], str],
        *,
        done: str,
        name: str,
    ) -> HttpResponse:
        """Do it, note in the log of the desk what ``act`` says, and go back to the page; or say there why
        not, with what was written: the page takes the form by its ``name``.
        """
        if form.is_valid():
            try:
                with timezone.override(UTC):
                    log = act()
            except Refusal as refusal:
                form.add_error(None, refusal.message)
            else:
                self.log_act(request, row, log)
                messages.success(request, done)
                return redirect(self.page_url(row))
        return self.page(request, self.row_of(request, row.pk), **{name: form})

    def log_act(self, request: HttpRequest, row: Any, log: str) -> None:
        self.log_change(request, row, log)

    # --- Pages ---

    def page(self, request: HttpRequest, row: Any, **forms: Form) -> HttpResponse:
        """The page of the row; ``forms`` are those that were not taken."""
        raise NotImplementedError

    def render_page(
        self, request: HttpRequest, page: str, context: dict[str, Any], *, title: str
    ) -> HttpResponse:
        """All times of the desk are UTC, whoever reads."""
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "now": timing.now(),
            **context,
        }
        template = f"admin/{self.opts.app_label}/{self.opts.model_name}/{page}.html"
        with timezone.override(UTC):
            return render(request, template, context)
