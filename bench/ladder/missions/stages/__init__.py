"""The stages of the ladder; the environment chooses one per process."""

from django.conf import settings

from missions.stages.base import Stage


def _chosen(name: str) -> Stage:
    """Imports only what the stage needs."""
    match name:
        case "before":
            from missions.stages.before import Before

            return Before()
        case "orm":
            from missions.stages.orm import Orm

            return Orm()
        case "kv":
            from missions.stages.kv import Kv
            from missions.state.dynamodb import DynamoDb

            return Kv(DynamoDb())
        case "kv_redis":
            from missions.stages.kv import Kv
            from missions.state.redis import Redis

            return Kv(Redis())
        case "kv_fast":
            from missions.stages.kv import KvFast
            from missions.state.redis import Redis

            return KvFast(Redis())
    raise ValueError(f"LADDER_STAGE={name!r} is none of before, orm, kv, kv_redis, kv_fast")


STAGE: Stage = _chosen(settings.STAGE)
