from datetime import UTC, datetime, timedelta
import pytest, time_machine
from tests.workroom.test_forecast_pages import *
from tests.journeys.conftest import *
from tests.scenarios import good_card
from playwright.sync_api import sync_playwright
OUT="/tmp/helpers/forecast"
ARGS=["--no-sandbox","--disable-gpu","--disable-quic","--no-first-run"]
def shoot(name, html, css, width, dark=False):
    with sync_playwright() as p:
        br=p.chromium.launch(executable_path="/usr/bin/chromium",args=ARGS)
        pg=br.new_context(viewport={"width":width,"height":900}, color_scheme="dark" if dark else "light").new_page()
        pg.route("**/*", lambda route: route.fulfill(body=serve(route.request.url), content_type=kind(route.request.url)))
        PAGES["http://x/"]=html
        pg.goto("http://x/")
        pg.screenshot(path=f"{OUT}/{name}_{width}{'_dark' if dark else ''}.png",full_page=True)
        br.close()
PAGES={}
def serve(url):
    if url in PAGES: return PAGES[url]
    import pathlib
    path=url.split("//x/static/")[-1].split("?")[0]
    f=pathlib.Path("/work/main/static")/path
    return f.read_bytes() if f.exists() else b""
def kind(url):
    return "text/css" if ".css" in url else "image/svg+xml" if ".svg" in url else "text/javascript" if ".js" in url else "text/html; charset=utf-8"
def test_shots(job, travel):
    import os
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]="1"
    def page(person, url):
        return signed_in(person).get(url).content
    request_design(job, travel)
    jobs=reverse("workroom:job", args=[job.pk])
    todo=[("request_client", page(job.client, jobs)), ("request_freelancer", page(job.freelancer, jobs)), ("billing", page(job.client, reverse("workroom:job_billing",args=[job.pk])))]
    from jobs.services import calendars
    calendars.open_feed(job.client, at=REQUESTED)
    todo.append(("profile", page(job.client, "/profile/")))
    from jobs.models import Notification
    from jobs.selectors import notices
    from workroom.services import mail
    n=notices.with_all_they_name(Notification.objects.filter(activity__kind="release_requested")).get()
    m=mail.compose(n)
    todo.append(("mail", str(m.alternatives[0][0]).encode()))
    print(m.body)
    from billing.services import release_requests
    release_requests.void(job.release_requests.get().pk, by=job.freelancer, at=REQUESTED+timedelta(hours=1))
    d=fall_dormant(job, travel, at=datetime(2026,7,1,tzinfo=UTC))
    todo.append(("dormant_client", page(d.client, jobs)))
    todo.append(("dormant_freelancer", page(d.freelancer, jobs)))
    for name, html in todo:
        for w in (1280,390): shoot(name, html, None, w)
    shoot("dormant_client", todo[-2][1], None, 1280, True)
    assert 0
