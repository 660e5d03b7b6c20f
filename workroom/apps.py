from django.apps import AppConfig


class WorkroomConfig(AppConfig):
    name = "workroom"
    verbose_name = "Workroom"
