from django.apps import AppConfig


class CmmsConfig(AppConfig):
    name = "cmms"
    verbose_name = "Tandem"
