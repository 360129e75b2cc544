"""Private servers for the tests: real ones, on free ports, gone when the test session ends."""

import itertools
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
# Below the range that the system gives to outgoing connections.
FIRST_PORT, LAST_PORT = 22_000, 32_000
PATIENCE_SECONDS = 60
_ports_asked_for = itertools.count()


def free_port() -> int:
    """A port that nobody listens on; each process begins to look at another place."""
    size = LAST_PORT - FIRST_PORT
    for offset in range(size):
        port = FIRST_PORT + (os.getpid() * 37 + next(_ports_asked_for) * 11 + offset) % size
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no port is free")


def program(name: str) -> str:
    """The program, or a sentence that says how to get it."""
    path = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if path is None:
        raise RuntimeError(f"{name} is not installed; `cargo xtask services` installs it")
    return path


@contextmanager
def running(
    command: list[str],
    folder: Path,
    is_ready: Callable[[], bool],
    environment: dict[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """A server until it is not needed any more; fails with its log if it does not become ready."""
    log = folder / f"{Path(command[0]).name}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=folder, stdout=out, stderr=out, env={**os.environ, **(environment or {})}
        )
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not is_ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} is not ready:\n{log.read_text()}")
            time.sleep(0.02)
        yield process
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


def accepts(port: int, greeting: bytes = b"", ask: bytes = b"") -> Callable[[], bool]:
    """Whether the port takes connections and, where one is expected, answers with the greeting."""

    def is_ready() -> bool:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                connection.sendall(ask)
                return not greeting or greeting in connection.recv(200)
        except OSError:
            return False

    return is_ready


@contextmanager
def mariadb(folder: Path) -> Iterator[str]:
    """A MariaDB with an empty database; its address."""
    port, data = free_port(), folder / "data"
    as_root = ["--user=root"] if os.geteuid() == 0 else []
    install = [program("mariadb-install-db"), "--no-defaults", f"--datadir={data}", *as_root]
    install += ["--auth-root-authentication-method=normal", "--skip-test-db"]
    subprocess.run(install, check=True, capture_output=True)
    command = [program("mariadbd"), "--no-defaults", f"--datadir={data}", *as_root]
    command += [f"--port={port}", f"--socket={folder}/mariadb.sock", "--bind-address=127.0.0.1"]
    command += ["--skip-name-resolve", "--character-set-server=utf8mb4"]
    with running(command, folder, accepts(port, b"MariaDB")):
        client = [program("mariadb"), "--no-defaults", "--protocol=tcp", "--host=127.0.0.1"]
        client += ["--user=root", f"--port={port}", "--execute", "CREATE DATABASE ladder"]
        subprocess.run(client, check=True, capture_output=True)
        yield f"mysql://root@127.0.0.1:{port}/ladder"


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """A Redis; its address."""
    port = free_port()
    command = [program("redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    with running(command, folder, accepts(port, b"+PONG", b"PING\r\n")):
        yield f"redis://127.0.0.1:{port}"


@contextmanager
def dynamodb(folder: Path) -> Iterator[str]:
    """A DynamoDB that keeps its tables in memory; its address."""
    path = ROOT / "target/services/dynoxide/bin/dynoxide"
    if not path.is_file():
        raise RuntimeError("dynoxide is not installed; `cargo xtask services` installs it")
    port = free_port()
    command = [str(path), "serve", "--log", "quiet", "--port", str(port)]
    with running(command, folder, accepts(port)):
        yield f"http://127.0.0.1:{port}"
