"""The arrows hold in the database as well: what is below never points up."""

from pathlib import Path

import pytest
from django.apps import apps
from django.db import models
from django.db.migrations.loader import MigrationLoader

LAYERS = {"accounts": 0, "leads": 1, "webhooks": 2, "notifications": 2}
ROOT = Path(__file__).resolve().parent.parent


def ours() -> list[type[models.Model]]:
    return [model for model in apps.get_models() if model._meta.app_label in LAYERS]


def points_up_or_across(label: str, target: str) -> bool:
    return label != target and LAYERS[target] >= LAYERS[label]


@pytest.mark.parametrize("model", ours(), ids=lambda model: model._meta.label)
def test_no_foreign_key_points_up(model: type[models.Model]) -> None:
    targets = {
        field.related_model._meta.app_label
        for field in model._meta.get_fields()
        if isinstance(field, models.ForeignKey | models.ManyToManyField) and not isinstance(field.related_model, str)
    }
    assert not [target for target in targets & set(LAYERS) if points_up_or_across(model._meta.app_label, target)]


def test_no_migration_depends_on_an_app_above() -> None:
    loader = MigrationLoader(None, ignore_no_migrations=True)
    wrong = [
        (label, name, dependency)
        for (label, name), migration in loader.disk_migrations.items()
        for dependency, _ in migration.dependencies
        if label in LAYERS and dependency in LAYERS and points_up_or_across(label, dependency)
    ]
    assert wrong == []


def test_there_is_one_signal_in_the_whole_product() -> None:
    sources = [path for app in (*LAYERS, "config") for path in (ROOT / app).rglob("*.py")]
    assert [path.name for path in sources if "= Signal(" in path.read_text()] == ["signals.py"]


@pytest.mark.parametrize("name", ["provider", "event_type"])
def test_a_new_provider_or_event_type_is_no_migration(name: str) -> None:
    columns = [field for model in ours() for field in model._meta.concrete_fields if field.name == name]
    stated = [field.deconstruct()[3]["choices"] for field in columns if field.choices]
    assert stated
    assert all(callable(choices) for choices in stated)
