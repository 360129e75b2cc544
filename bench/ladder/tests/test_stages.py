"""Every stage answers what Guerdon answers, and asks as often as its kind does."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Application, Stores

STAGES = ["before", "orm", "kv", "kv_redis", "kv_fast"]
# Revision, unit with app, user, clicks, completions, ad groups, missions, and the missions' texts,
# steps and step texts.
ORM_STATEMENTS = 10

OfStage = Callable[[str], Application]
Answers = dict[str, Any]


@pytest.mark.parametrize("stage", STAGES)
def test_answers_are_those_of_guerdon(application: OfStage, answers: Answers, stage: str) -> None:
    for user_id, expected in answers.items():
        answer = application(stage).missions(user_id)
        assert answer.status == 200
        assert answer.headers["content-type"] == "application/json"
        assert int(answer.headers["content-length"]) == len(answer.body)
        assert json.loads(answer.body) == expected, user_id


def test_before_asks_again_for_every_mission(application: OfStage, answers: Answers) -> None:
    for user_id, expected in answers.items():
        statements = application("before").missions(user_id).sql
        assert statements > 4 * len(expected["missions"]), user_id


def test_orm_asks_as_often_for_every_user(application: OfStage, answers: Answers) -> None:
    counts = {application("orm").missions(user_id).sql for user_id in answers}
    assert counts == {ORM_STATEMENTS}
    assert len({len(expected["missions"]) for expected in answers.values()}) > 1


@pytest.mark.parametrize("stage", ["kv", "kv_redis", "kv_fast"])
def test_kv_reads_one_value_and_no_table(
    application: OfStage, answers: Answers, stage: str
) -> None:
    for user_id in answers:
        answer = application(stage).missions(user_id)
        assert (answer.sql, answer.kv) == (0, 1), user_id


@pytest.mark.parametrize("stage", STAGES)
def test_strangers_are_refused(application: OfStage, answers: Answers, stage: str) -> None:
    known = next(iter(answers))
    path = f"/v1/missions?user_id={known}"
    assert application(stage).get(f"{path}&unit_id=1", key=None).status == 401
    assert application(stage).get(f"{path}&unit_id=1", key="another").status == 401
    assert application(stage).get(f"{path}&unit_id=2").status in (401, 404)
    assert application(stage).get(f"{path}&unit_id=one").status == 400
    assert application(stage).get("/v1/missions?unit_id=1").status == 400
    assert application(stage).missions(known.upper()).status == 404
    assert application(stage).missions("nobody").status == 404


@pytest.mark.parametrize("worker_class", ["gthread", "gevent"])
@pytest.mark.parametrize("stage", STAGES)
def test_other_workers_keep_the_connection_and_answer_the_same(
    stores: Stores, answers: Answers, stage: str, worker_class: str
) -> None:
    with stores.serve(stage, worker_class) as application:
        for user_id, expected in list(answers.items())[:3]:
            answer = application.missions(user_id)
            assert json.loads(answer.body) == expected, user_id
            assert answer.headers["connection"] == "keep-alive"


def test_the_tables_are_those_of_the_models(stores: Stores) -> None:
    stores.manage("makemigrations", "--check", "--dry-run")
