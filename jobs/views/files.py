"""Handing out stored files: to the two parties of the Job and to support, as downloads only.

That browsers neither show, guess nor keep them is said by the headers of every download (`escrow_site.headers`).
"""

import logging

from django.contrib.auth.decorators import login_required
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from jobs.models import Job, Person, StoredFile
from jobs.services import files

logger = logging.getLogger(__name__)


@require_safe
@login_required
def file(request: HttpRequest, key: str) -> FileResponse:
    """The bytes, under the name that the uploader gave them; never shown in a page of this site."""
    stored = _stored_or_404(request, key)
    try:
        content = default_storage.open(files.path_of(stored.key))
    except FileNotFoundError:
        logger.exception("The bytes of stored file %s are gone", stored.pk)
        raise Http404("This file is missing.") from None
    return FileResponse(
        content,
        as_attachment=True,
        filename=stored.name,
        content_type=stored.content_type,
    )


def _stored_or_404(request: HttpRequest, key: str) -> StoredFile:
    """To a stranger the file does not exist (R1.4)."""
    assert isinstance(request.user, Person)
    seen = StoredFile.objects.all()
    if not request.user.reads_as_support:
        seen = seen.filter(job__in=Job.objects.seen_by(request.user))
    return get_object_or_404(seen, key=key)
