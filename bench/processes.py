"""Work in a process of its own, whose memory can be told."""

import multiprocessing
from pathlib import Path
from typing import Any

import django
from django.utils.module_loading import import_string


def _work(name: str, arguments: tuple[Any, ...], answers: Any) -> None:
    django.setup()
    answers.put(import_string(name)(*arguments))


def alone(name: str, *arguments: Any) -> Any:
    """What the function of this dotted name returns in a new process; raises when it failed."""
    context = multiprocessing.get_context("spawn")
    answers = context.SimpleQueue()
    process = context.Process(target=_work, args=(name, arguments, answers))
    process.start()
    process.join()
    assert process.exitcode == 0, f"{name} failed"
    return answers.get()


def most_memory_megabytes() -> float:
    """The most memory that this process has had; nothing where there is no /proc."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except FileNotFoundError:
        return 0.0
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
