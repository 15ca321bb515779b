"""Starting what a real deployment has besides nova-compute: Nova's database layer and
placement, once per process."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from harness.errors import UsageError
from targets.nova.real.database import Database

MEMORY = "sqlite://"


@lru_cache(maxsize=1)
def nova_database() -> Database:
    """Nova's cell database, with every table of the release."""
    from nova.conf import CONF
    from nova.db.main import api, models

    CONF.set_override("connection", MEMORY, group="database")
    api.configure(CONF)
    engine = api.context_manager.writer.get_engine()
    models.BASE.metadata.create_all(engine)
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
    models.BASE.metadata.create_all(engine)
    application = deploy.loadapp(options)
    return application, Database(engine)
