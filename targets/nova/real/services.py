"""Starting what a real deployment has besides nova-compute: Nova's database layer and
placement, once per process."""

from __future__ import annotations

import importlib
from functools import lru_cache
from typing import Any

from semafuzz.harness.errors import UsageError
from semafuzz.targets.nova.real.database import Database

MEMORY = "sqlite://"


@lru_cache(maxsize=1)
def database_layer() -> tuple[Any, Any]:
    """``(api, models)`` of the cell database; they moved in 24."""
    try:
        api = importlib.import_module("nova.db.main.api")
    except ImportError:
        return importlib.import_module("nova.db.sqlalchemy.api"), importlib.import_module("nova.db.sqlalchemy.models")
    return api, importlib.import_module("nova.db.main.models")


def transactions() -> Any:
    """The transaction contexts of the cell database; they were renamed in 24."""
    api, _ = database_layer()
    return getattr(api, "context_manager", None) or api.main_context_manager


def make_tables(metadata: Any, engine: Any) -> None:
    """All tables, without the indices that only make queries faster: which of them SQLite
    takes differs from process to process, and with it the order of what is listed. Nova
    asks for none; here it is always that of insertion."""
    metadata.create_all(engine)
    with engine.begin() as connection:
        found = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'index'").fetchall()
        for name, statement in found:
            if statement and not statement.startswith("CREATE UNIQUE"):
                connection.exec_driver_sql(f'DROP INDEX "{name}"')


@lru_cache(maxsize=1)
def nova_database() -> Database:
    """Nova's cell database, with every table of the release."""
    from nova.conf import CONF

    api, models = database_layer()
    CONF.set_override("connection", MEMORY, group="database")
    api.configure(CONF)
    engine = transactions().writer.get_engine()
    make_tables(models.BASE.metadata, engine)
    return Database(engine)


@lru_cache(maxsize=1)
def placement_service() -> tuple[Any, Database]:
    """The WSGI application of openstack-placement, and its database."""
    try:
        from placement import conf, db_api, deploy
        from placement.db.sqlalchemy import models
    except ImportError:
        raise UsageError(
            "openstack-placement is not installed, and world=real needs it; run `python3 bootstrap.py setup`"
        ) from None
    from oslo_config import cfg

    options = cfg.ConfigOpts()
    conf.register_opts(options)
    options.set_override("connection", MEMORY, group="placement_database")
    options([], project="placement", default_config_files=[], default_config_dirs=[])
    options.set_override("auth_strategy", "noauth2", group="api")
    db_api.configure(options)
    engine = db_api.get_placement_engine()
    make_tables(models.BASE.metadata, engine)
    application = deploy.loadapp(options)
    return application, Database(engine)
