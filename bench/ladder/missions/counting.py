"""Counts what a request asks of stores, and says so in the header `X-Queries: sql=9 kv=0`.

Only in use when `LADDER_COUNT=1`, which measurements of time leave off.
"""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse

_kv_calls: ContextVar[list[int]] = ContextVar("kv_calls")


def count_kv_call() -> None:
    """Notes one call of a key-value store."""
    _kv_calls.get()[0] += 1


class CallsMiddleware:
    """Counts the SQL statements and the key-value calls of each request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        statements = 0

        def count(execute: Callable[..., Any], *arguments: Any) -> Any:
            nonlocal statements
            statements += 1
            return execute(*arguments)

        calls = [0]
        _kv_calls.set(calls)
        with connection.execute_wrapper(count):
            response = self.get_response(request)
        response["X-Queries"] = f"sql={statements} kv={calls[0]}"
        return response
