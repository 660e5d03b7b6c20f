"""Addresses of people, notices and files."""

from django.urls import URLPattern, path

from jobs.views import addresses, files, home, notices, profile, security, sessions

app_name = "jobs"

urlpatterns: list[URLPattern] = [
    path("", home.home, name="home"),
    path("profile/", profile.profile, name="profile"),
    path("profile/security/", security.security, name="security"),
    path(
        "profile/security/sessions/<int:session_id>/end/",
        sessions.end_session,
        name="end_session",
    ),
    path(
        "profile/security/address/<str:token>/",
        addresses.agree_to_address,
        name="agree_to_address",
    ),
    path("profile/calendar/", profile.open_calendar, name="open_calendar"),
    path("profile/calendar/revoke/", profile.revoke_calendar, name="revoke_calendar"),
    path("notices/", notices.notices, name="notices"),
    path("notices/read/", notices.read_notices, name="read_notices"),
    path("notices/<int:notice_id>/", notices.notice, name="notice"),
    path("files/<slug:key>/", files.file, name="file"),
]
