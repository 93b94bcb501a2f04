"""The tables. Keys of owned tables begin with the user and foreign keys are composite, so no query can cross users by accident.

Times are integers, milliseconds since 1970. What is absent is NULL here and absent on the wire.
"""

from quintet.store.tables.base import metadata
from quintet.store.tables.entering import (
    api_keys,
    audit,
    challenges,
    devices,
    external_identities,
    invites,
    mail_tokens,
    passkeys,
    recovery_codes,
    service_clients,
    totps,
)
from quintet.store.tables.log import events, gone_digests, heads, segments
from quintet.store.tables.saying import attachments, deleted_sends, deletions, message_attachments, messages, threads
from quintet.store.tables.sharing import cell, commit_marks, lineages, nodes, shards, workers
from quintet.store.tables.speaking import refresh_tokens, sessions, signing_keys, users
from quintet.store.tables.working import agents, runs

__all__ = [
    "CONVERSATIONS",
    "agents",
    "api_keys",
    "attachments",
    "audit",
    "cell",
    "challenges",
    "commit_marks",
    "deleted_sends",
    "deletions",
    "devices",
    "events",
    "external_identities",
    "gone_digests",
    "heads",
    "invites",
    "lineages",
    "mail_tokens",
    "message_attachments",
    "messages",
    "metadata",
    "nodes",
    "passkeys",
    "recovery_codes",
    "refresh_tokens",
    "runs",
    "segments",
    "service_clients",
    "sessions",
    "shards",
    "signing_keys",
    "threads",
    "totps",
    "users",
    "workers",
]

CONVERSATIONS = frozenset(
    {
        attachments,
        deleted_sends,
        deletions,
        events,
        gone_digests,
        heads,
        message_attachments,
        messages,
        runs,
        threads,
    }
)
"""What is in a user's cell, where there are cells: all that is said, run and heard. Everything else with a user is of the account."""
