"""What people do all day: look, and do whatever the page in front of them lets them do. Run by locust.

Somebody knows his password, his Jobs, and what the pages say. What he was told to be done he writes down; so he does
with what he tried without ever learning what became of it. `verdict` compares both with the database.
"""

import json
import os
import random
import re
import time
import uuid
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from locust import HttpUser, between, task

from load.browser import form_of, is_confirmed, links

FOLDER = Path(os.environ["LOAD_FOLDER"])
CAST = json.loads((FOLDER / "cast.json").read_text())
NUMBERS = count()
TRY_AGAIN_AT_MOST_SECONDS = 5
LOOKS = ("/jobs/", "/billing/", "/notices/", "/billing/balance/", "/profile/", "/rules/")
TABS = ("", "billing/", "activity/", "reports/", "terms/", "disputes/")

requests_made = (FOLDER / "requests.jsonl").open("a", buffering=1)
acts_done = (FOLDER / "acts.jsonl").open("a", buffering=1)


def note(file: Any, **facts: Any) -> None:
    file.write(json.dumps(facts) + "\n")


class Page:
    """An answer: where it came from in the end, and what it says."""

    def __init__(self, response: Any) -> None:
        self.status: int = response.status_code or 0
        self.url: str = urlsplit(response.url or "").path
        self.html: str = response.text or ""


class Person(HttpUser):
    wait_time = between(0.5, 1.5)

    def on_start(self) -> None:
        place = next(NUMBERS)
        self.me = CAST[place % len(CAST)]
        self.client.headers["X-Forwarded-For"] = (
            f"10.{place >> 16 & 255}.{place >> 8 & 255}.{place & 255}"
        )
        self.client.headers["User-Agent"] = "load"
        while not self.sign_in():
            time.sleep(1)

    # --- The browser ---

    def ask(self, method: str, path: str, data: Any = None) -> Page:
        """One request with what it leads on to; how it went is written down."""
        began, at = time.perf_counter(), time.time()
        name = re.sub(r"\d+", "N", urlsplit(path).path)
        with self.client.request(
            method, path, data=data, name=name, catch_response=True, timeout=60
        ) as response:
            page = Page(response)
            response.success()
        note(
            requests_made,
            at=at,
            name=f"{method} {name}",
            status=page.status,
            seconds=time.perf_counter() - began,
            kind="try again in a moment" in page.html,
        )
        if page.status in (0, 503):
            time.sleep(random.uniform(1, TRY_AGAIN_AT_MOST_SECONDS))
        return page

    def get(self, path: str) -> Page:
        return self.ask("GET", path)

    def send(self, page: Page, path: str, **values: Any) -> Page | None:
        """Fill in the form of a page and send it; show the password if it is asked for first."""
        form = form_of(page.html)
        if form is None:
            return None
        answer = self.ask("POST", urljoin(path, form.action or path), form.filled(**values))
        if answer.url.startswith("/accounts/reauthenticate/"):
            asked = form_of(answer.html)
            assert asked is not None, "no form that asks for the password"
            given = asked.filled(password=self.me["password"])
            answer = self.ask("POST", urljoin(answer.url, asked.action or answer.url), given)
        return answer

    def sign_in(self) -> bool:
        page = self.get("/accounts/login/")
        if page.status != 200:
            return False
        given = {"login": self.me["email"], "password": self.me["password"]}
        answer = self.send(page, "/accounts/login/", **given)
        return answer is not None and answer.url == "/jobs/"

    # --- Looking ---

    @task(5)
    def look(self) -> None:
        self.get(random.choice(LOOKS))

    @task(4)
    def look_at_a_job(self) -> None:
        self.get(f"/jobs/{random.choice(self.me['jobs'])}/{random.choice(TABS)}")

    # --- Acting ---

    @task(9)
    def act(self) -> None:
        """Something that a Job of mine lets me do now."""
        job = random.choice(self.me["jobs"])
        if self.me["role"] == "client":
            random.choice([self.fund, self.release, self.release, self.dispute])(job)
        else:
            random.choice([self.report, self.report, self.void, self.settle])(job)

    def carry_out(self, what: str, path: str, *, facts: dict[str, Any], **values: Any) -> None:
        """Open the page of an act and send it. Done is what a page confirms, after the way led on."""
        page = self.get(path)
        if page.status != 200 or page.url != urlsplit(path).path:
            return
        about = {"what": what, "by": self.me["id"], "key": uuid.uuid4().hex, **facts}
        note(acts_done, state="tried", **about)
        answer = self.send(page, path, **values)
        if answer is None or answer.status != 200 or answer.url == page.url:
            return
        if is_confirmed(answer.html) or what == "fund":
            note(acts_done, state="done", led_to=answer.url, **about)

    def fund(self, job: int) -> None:
        billing = self.get(f"/jobs/{job}/billing/")
        found = links(billing.html, rf"/billing/jobs/{job}/fund/\?escrow=\d+")
        if found:
            path = found[0]
            self.carry_out("fund", path, facts={"job": job, "number": int(path.split("=")[1])})

    def release(self, job: int) -> None:
        billing = self.get(f"/jobs/{job}/billing/")
        found = links(billing.html, rf"/billing/jobs/{job}/release/\?escrow=\d+")
        if found:
            path = random.choice(found)
            number = int(path.split("=")[1])
            self.carry_out("release", path, facts={"job": job, "number": number})

    def report(self, job: int) -> None:
        """With the first funded Milestone at 100 %, which makes a Release Request."""
        billing = self.get(f"/jobs/{job}/billing/")
        found = links(billing.html, rf"/jobs/{job}/reports/create/\?bill=\d+")
        path = random.choice(found) if found else f"/jobs/{job}/reports/create/"
        words = f"report {uuid.uuid4().hex}"
        self.carry_out("report", path, facts={"job": job, "words": words}, comments=words)

    def void(self, job: int) -> None:
        billing = self.get(f"/jobs/{job}/billing/")
        found = links(billing.html, r"/billing/requests/\d+/")
        if found and random.random() < 0.5:
            words = f"void {uuid.uuid4().hex}"
            facts = {"job": job, "words": words}
            self.carry_out("void", f"{random.choice(found)}void/", facts=facts, reason=words)

    def dispute(self, job: int) -> None:
        """Open one, now and then; offer and accept in those that are open."""
        if random.random() < 0.6:
            self.settle(job)
            return
        tab = self.get(f"/jobs/{job}/disputes/")
        found = links(tab.html, rf"/billing/jobs/{job}/dispute/\?escrow=\d+")
        if found:
            words = f"dispute {uuid.uuid4().hex}"
            facts = {"job": job, "words": words}
            self.carry_out(
                "dispute", random.choice(found), facts=facts, asks="refund", reason=words
            )

    def settle(self, job: int) -> None:
        """Accept an offer of the other one, or make one."""
        tab = self.get(f"/jobs/{job}/disputes/")
        for path in links(tab.html, r"/billing/disputes/\d+/")[:1]:
            page = self.get(path)
            if accepts := links(page.html, r"/billing/offers/\d+/accept/"):
                offer = int(accepts[0].split("/")[3])
                self.carry_out("accept", accepts[0], facts={"job": job, "offer": offer})
            elif offers := links(page.html, r"/billing/disputes/\d+/offer/"):
                self.offer(job, offers[0])

    def offer(self, job: int, path: str) -> None:
        amount_minor = random.randrange(1, 99_99)
        facts = {"job": job, "dispute": int(path.split("/")[3]), "amount_minor": amount_minor}
        amount = f"{amount_minor / 100:.2f}"
        self.carry_out("offer", f"{path}?amount={amount}", facts=facts, amount=amount)
