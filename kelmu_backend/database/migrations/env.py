"""Alembic's environment: runs the revisions on the connection that `schema.upgrade` hands over."""

from __future__ import annotations

from alembic import context

from kelmu_backend.database import schema

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=schema.metadata(),
    render_as_batch=True,
    transactional_ddl=True,
)
# The caller owns the transaction: a failed migration leaves nothing behind.
context.run_migrations()
