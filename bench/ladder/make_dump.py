"""Writes a dump of a seeded Guerdon, and Guerdon's own answers, by its API.

The sample was made with it, and the benchmark makes its dump with it; README.md has the commands.
"""

import argparse
import json
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote

Json = dict[str, Any]

COUNTRIES = ["KR", "JP", "US", "DE", "BR"]
PLATFORMS = ["android", "ios", "web"]
GENDERS = ["female", "male"]
PHASES = {"started": "open", "in_progress": "open"}


class Api:
    """Guerdon's API over one connection."""

    def __init__(self, address: str, admin_key: str, app_key: str) -> None:
        self.connection = HTTPConnection(address, timeout=60)
        self.admin_key = admin_key
        self.app_key = app_key

    def ask(self, path: str, key: str, method: str = "GET", body: Json | None = None) -> Any:
        """Asks and reads the JSON of an answer that is a success."""
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self.connection.request(method, path, None if body is None else json.dumps(body), headers)
        response = self.connection.getresponse()
        text = response.read()
        if response.status >= 300:
            raise SystemExit(f"{method} {path}: {response.status} {text.decode()}")
        return json.loads(text)

    def all(self, kind: str) -> Iterator[Json]:
        """All rows of a kind of the catalogue."""
        cursor = ""
        while True:
            page = self.ask(f"/v1/admin/{kind}?limit=200{cursor}", self.admin_key)
            yield from page["items"]
            if page["next_cursor"] is None:
                return
            cursor = f"&cursor={quote(page['next_cursor'])}"

    def of_user(self, path: str, user: int, method: str = "GET", body: Json | None = None) -> Any:
        """Asks on behalf of a user."""
        sign = "&" if "?" in path else "?"
        path = f"{path}{sign}user_id=user-{user}&unit_id=1"
        return self.ask(path, self.app_key, method, body)


def profile(user: int) -> Json:
    """What `guerdon seed` says of a user; the API does not tell it."""
    kind = user % 30
    return {
        "country": COUNTRIES[kind % 5],
        "platform": PLATFORMS[kind // 5 % 3],
        "gender": GENDERS[kind // 15],
        "age": 15 + user // 30 % 50,
        "language": "en",
    }


def line_item(row: Json) -> Json:
    flight = row.get("flight", {})
    return {
        "id": row["id"],
        "status": row["status"],
        "priority": row["priority"],
        "starts_at": flight.get("starts_at"),
        "ends_at": flight.get("ends_at"),
        "per_user_cap": row.get("caps", {}).get("per_user"),
    }


def ad_group(row: Json, worth: dict[int, int]) -> Json:
    targeting = row.get("targeting", {})
    age = targeting.get("age", {})
    return {
        "id": row["id"],
        "line_item_id": row["line_item_id"],
        "status": row["status"],
        "countries": targeting.get("countries", []),
        "platforms": targeting.get("platforms", []),
        "genders": targeting.get("genders", []),
        "age_min": age.get("min"),
        "age_max": age.get("max"),
        "expected": row.get("bid", worth.get(row["line_item_id"], 0)),
    }


def mission(row: Json, app: Json) -> Json:
    texts = [
        {
            "language": text["language"],
            "title": text["title"],
            "summary": text.get("summary", ""),
            "icon_url": text.get("icon_url"),
            "cta": text.get("cta", ""),
        }
        for text in row["creatives"]
    ]
    return {
        "id": row["id"],
        "line_item_id": row["line_item_id"],
        "kind": row["kind"],
        "status": row["status"],
        "sequence": row["sequence"],
        "typical_minutes": row.get("typical_minutes"),
        "requirements": row.get("requirements", []),
        "texts": texts,
        "steps": [step(one, app) for one in row["steps"]],
    }


def step(row: Json, app: Json) -> Json:
    texts = [{"language": text["language"], "title": text["title"]} for text in row["texts"]]
    return {
        "id": row["id"],
        "kind": next(iter(row["rule"])),
        "event": row["rule"].get("event", {}).get("name", ""),
        "role": row["role"],
        "repeat_limit": repeat_limit(row),
        "points": points(row["payout"], app),
        "texts": texts,
    }


def repeat_limit(row: Json) -> int:
    return row.get("repeat", {}).get("limit", 1)


def points(payout: int, app: Json) -> int:
    """The user's share of a payout in the app's points, rounded down twice as Guerdon does."""
    share = int(app["user_share"].removesuffix("%"))
    return payout * share // 100 * int(app["currency"]["rates"]["USD"]) // 1_000_000


def participation(row: Json) -> Json:
    completions = [
        {
            "step_id": step["id"],
            "status": step["state"],
            "points": step["reward"],
            "booked_at": step["rewarded_at"],
        }
        for step in row["steps"]
        for _ in range(step["completed"])
    ]
    return {
        "id": row["id"],
        "mission_id": row["mission_id"],
        "status": PHASES.get(row["state"], row["state"]),
        "started_at": row["started_at"],
        "deadline": row["deadline"],
        "completions": completions,
    }


def enrollments(api: Api, user: int) -> list[Json]:
    """All runs of a user, oldest first."""
    page = api.of_user("/v1/enrollments?limit=200", user)
    assert page["next_cursor"] is None, "no user of a benchmark has more runs than a page"
    return sorted(page["enrollments"], key=lambda one: (one["started_at"], one["id"]))


def vary(api: Api, users: int, languages: dict[int, str]) -> None:
    """Makes things differ that a plain seed leaves equal."""
    everybody: Json = {"countries": [], "platforms": [], "genders": [], "age": None}
    edits: list[tuple[str, Json]] = [
        ("line_items/2", {"status": "paused"}),
        ("line_items/33", {"flight": {"ends_at": "2199-12-31T12:30:00Z"}}),
        ("line_items/34", {"flight": {"starts_at": "2198-01-01T00:00:00Z"}}),
        ("line_items/35", {"caps": {"per_user": 1}}),
        ("line_items/36", {"flight": {"ends_at": "2020-01-01T00:00:00Z"}}),
        ("line_items/31", {"priority": 35}),
        ("ad_groups/15", {"targeting": everybody}),
        ("ad_groups/109", {"status": "paused"}),
        ("ad_groups/112", {"targeting": {"age": {"min": 0, "max": 12}}}),
        ("ad_groups/16", {"bid": 9_000_000, "targeting": {**everybody, "countries": ["JP", "KR"]}}),
        ("ad_groups/91", {"bid": 9_500_000}),
        ("missions/116", {"status": "paused"}),
        ("missions/196", {"requirements": ["payment_required"], "typical_minutes": None}),
    ]
    for path, edit in edits:
        api.ask(f"/v1/admin/{path}", api.admin_key, "PATCH", edit)
    for user, language in languages.items():
        body = {
            "unit_id": 1,
            "user_id": f"user-{user}",
            "profile": {**profile(user), "language": language},
        }
        api.ask("/v1/sessions", api.app_key, "POST", body)
    for user in range(users):
        missions = api.of_user("/v1/missions", user)["missions"]
        of_two_steps = [one["id"] for one in missions if len(one["steps"]) == 2]
        # Nothing more, a run that is in progress, or one that is done and on hold.
        events = [[], ["install"], ["install", "level_10"]][user % 3]
        for place, event in enumerate(events):
            path = f"/v1/missions/{of_two_steps[user % len(of_two_steps)]}/participations"
            click = api.of_user(path, user, "POST", {})["click_id"]
            path = f"/v1/postbacks/benchmark-partner-token?click_id={click}"
            api.ask(f"{path}&event={event}&event_id=vary-{place}", "")


def write(folder: Path, name: str, rows: Iterator[Json] | list[Json], years: bool) -> None:
    """Writes a file; with `years`, all moments of runs seventy years later."""
    with (folder / f"{name}.jsonl").open("w", encoding="utf-8") as file:
        for row in rows:
            line = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
            if years:
                line = line.replace('"2026-', '"2096-').replace('"2027-', '"2097-')
            file.write(line + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--address", default="127.0.0.1:8080")
    parser.add_argument("--admin-key", required=True)
    parser.add_argument("--app-key", default="benchmark-live-key")
    parser.add_argument("--users", type=int, required=True)
    parser.add_argument("--answers", type=int, help="users whose answers are written; else all")
    parser.add_argument("--sample", action="store_true", help="vary the data, and never let it age")
    arguments = parser.parse_args()
    folder, users = arguments.folder, arguments.users
    api = Api(arguments.address, arguments.admin_key, arguments.app_key)
    languages: dict[int, str] = {}
    if arguments.sample:
        languages = {user: ["ko", "ko-kr", "fr"][user // 4 % 3] for user in range(0, users, 4)}
        vary(api, users, languages)

    app = next(api.all("apps"))
    missions = list(api.all("missions"))
    worth: dict[int, int] = {}
    for row in missions:
        if row["status"] == "active":
            payouts = sum(one["payout"] * repeat_limit(one) for one in row["steps"])
            worth[row["line_item_id"]] = worth.get(row["line_item_id"], 0) + payouts
    answered = users if arguments.answers is None else arguments.answers
    answers = [api.of_user("/v1/missions", user) for user in range(max(answered, 1))]

    folder.mkdir(parents=True, exist_ok=True)
    write(folder, "revision", [{"catalog_revision": answers[0]["catalog_revision"]}], False)
    app_row = {
        "id": app["id"],
        "api_key": arguments.app_key,
        "unit_ids": [unit["id"] for unit in api.all("units")],
        "currency_name": app["currency"]["name"],
        "minor_units": app["currency"]["minor_units"],
    }
    write(folder, "apps", [app_row], False)
    write(folder, "line_items", [line_item(row) for row in api.all("line_items")], False)
    write(folder, "ad_groups", [ad_group(row, worth) for row in api.all("ad_groups")], False)
    write(folder, "missions", [mission(row, app) for row in missions], False)
    user_rows = (
        {
            "app_id": app["id"],
            "user_id": f"user-{user}",
            **profile(user),
            "language": languages.get(user, "en"),
            "participations": [participation(row) for row in enrollments(api, user)],
        }
        for user in range(users)
    )
    write(folder, "users", user_rows, arguments.sample)
    answer_rows = [
        {"user_id": f"user-{user}", "answer": answer}
        for user, answer in enumerate(answers[:answered])
    ]
    write(folder, "answers", answer_rows, arguments.sample)


if __name__ == "__main__":
    main()
