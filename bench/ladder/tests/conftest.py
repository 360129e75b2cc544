"""One MariaDB, one Redis and one DynamoDB, loaded with the sample, for all tests."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from tests import servers

HERE = Path(__file__).resolve().parents[1]
# Another dump with answers, such as one of full size, can be put to the same tests.
DUMP = Path(os.environ.get("LADDER_DUMP", HERE / "sample")).resolve()
API_KEY = "benchmark-live-key"


@dataclass
class Answer:
    """What the application said."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def sql(self) -> int:
        """SQL statements of the request."""
        return self._calls()["sql"]

    @property
    def kv(self) -> int:
        """Key-value calls of the request."""
        return self._calls()["kv"]

    def _calls(self) -> dict[str, int]:
        pairs = (pair.split("=") for pair in self.headers["x-queries"].split())
        return {name: int(count) for name, count in pairs}


class Application:
    """A running application."""

    def __init__(self, port: int) -> None:
        self.connection = HTTPConnection("127.0.0.1", port, timeout=60)

    def get(self, path: str, key: str | None = API_KEY) -> Answer:
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        self.connection.request("GET", path, headers=headers)
        response = self.connection.getresponse()
        named = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, named, response.read())

    def missions(self, user_id: str) -> Answer:
        return self.get(f"/v1/missions?user_id={user_id}&unit_id=1")

    def close(self) -> None:
        """Ends the connection; a worker that stops waits for those that are kept."""
        self.connection.close()


@dataclass
class Stores:
    """Where the sample was loaded."""

    folder: Path
    environment: dict[str, str]

    def manage(self, *arguments: str) -> str:
        """Runs a command of Django; what it prints."""
        command = [sys.executable, str(HERE / "manage.py"), *arguments]
        environment = {**os.environ, **self.environment}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    @contextmanager
    def serve(self, stage: str, worker_class: str = "sync") -> Iterator[Application]:
        """The application under gunicorn, with one worker so that its cache can be warmed."""
        port = servers.free_port()
        environment = {
            **self.environment,
            "LADDER_STAGE": stage,
            "LADDER_BIND": f"127.0.0.1:{port}",
            "LADDER_WORKER_CLASS": worker_class,
            "LADDER_WORKERS": "1",
        }
        command = [str(Path(sys.executable).with_name("gunicorn"))]
        command += ["--config", str(HERE / "gunicorn.conf.py"), "--chdir", str(HERE)]

        def is_ready() -> bool:
            application = Application(port)
            try:
                return application.get("/readyz").status == 200
            except OSError:
                return False
            finally:
                application.close()

        with servers.running(command, self.folder, is_ready, environment):
            application = Application(port)
            try:
                yield application
            finally:
                application.close()


@pytest.fixture(scope="session")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stores]:
    folder = tmp_path_factory.mktemp("stores")
    with ExitStack() as stack:
        environment = {
            "DJANGO_SETTINGS_MODULE": "ladder.settings",
            "LADDER_COUNT": "1",
            # The statement that looks for a newer catalogue is not the list's.
            "LADDER_CATALOG_CHECK_SECONDS": "86400",
            "LADDER_DATABASE_URL": stack.enter_context(servers.mariadb(folder)),
            "LADDER_REDIS_URL": stack.enter_context(servers.redis(folder)),
            "LADDER_DYNAMODB_URL": stack.enter_context(servers.dynamodb(folder)),
            "AWS_ACCESS_KEY_ID": "ladder",
            "AWS_SECRET_ACCESS_KEY": "ladder",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        stores = Stores(folder, environment)
        stores.manage("migrate", "--verbosity", "0")
        stores.manage("load", str(DUMP), "--into", "mariadb", "redis", "dynamodb")
        yield stores


@pytest.fixture(scope="session")
def application(stores: Stores) -> Iterator[Callable[[str], Application]]:
    """The application of a stage under the plain kind of worker, started when first asked for."""
    started: dict[str, Application] = {}
    with ExitStack() as stack:

        def of_stage(stage: str) -> Application:
            if stage not in started:
                started[stage] = stack.enter_context(stores.serve(stage))
            return started[stage]

        yield of_stage


@pytest.fixture(scope="session")
def answers() -> dict[str, Any]:
    """What Guerdon answers, by user."""
    lines = (DUMP / "answers.jsonl").read_text(encoding="utf-8").splitlines()
    return {row["user_id"]: row["answer"] for row in map(json.loads, lines)}
