"""Compiles every template of the project: a misspelt tag is found here and not by a visitor."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.template import TemplateDoesNotExist, TemplateSyntaxError
from django.template.loader import get_template


class Command(BaseCommand):
    help = "Compiles every template of the project."

    def handle(self, **options: Any) -> None:
        names = sorted(template_names())
        problems = list(filter(None, map(problem_of, names)))
        if problems:
            raise CommandError("\n".join(problems))
        self.stdout.write(f"{len(names)} templates compile.")


def template_names() -> Iterator[str]:
    """The names by which the templates of our own folders are loaded, mails in plain text included."""
    for folder in [settings.BASE_DIR / "templates", *settings.BASE_DIR.glob("*/templates")]:
        for path in folder.rglob("*"):
            if path.is_file() and path.suffix in {".html", ".txt", ".svg", ".xml"}:
                yield str(path.relative_to(folder))


def problem_of(name: str) -> str | None:
    try:
        get_template(name)
    except (TemplateSyntaxError, TemplateDoesNotExist) as error:
        return f"templates/{Path(name)}: {error}"
    return None
