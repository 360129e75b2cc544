"""The state in DynamoDB: one item per user, read by its key.

The value is one string of JSON: nothing in it is queried, and boto3 and the server take much longer
for a list of maps.
"""

from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from django.conf import settings

from missions.counting import count_kv_call
from missions.state.base import StateStore, UserState, key, read, written

# Most items of one `BatchWriteItem`.
BATCH_ITEMS = 25


class DynamoDb(StateStore):
    """One client, which all threads of the process share."""

    def __init__(self) -> None:
        self.table = settings.DYNAMODB_TABLE
        self.client = boto3.client(
            "dynamodb",
            endpoint_url=settings.DYNAMODB_URL or None,
            # What is sent was built here, so looking it over costs time and finds nothing.
            config=Config(parameter_validation=False, tcp_keepalive=True, max_pool_connections=50),
        )

    def load(self, app_id: int, user_id: str) -> UserState | None:
        if settings.COUNTS_CALLS:
            count_kv_call()
        answer = self.client.get_item(
            TableName=self.table, Key={"key": {"S": key(app_id, user_id)}}
        )
        item = answer.get("Item")
        return None if item is None else read(item["state"]["S"])

    def check(self) -> None:
        self.client.describe_table(TableName=self.table)

    def fill(self, app_id: int, users: list[UserState]) -> None:
        items = [
            {"key": {"S": key(app_id, user["user_id"])}, "state": {"S": written(user)}}
            for user in users
        ]
        for first in range(0, len(items), BATCH_ITEMS):
            self.put(items[first : first + BATCH_ITEMS])

    def put(self, items: list[dict[str, Any]]) -> None:
        """Writes a batch, and again what the server had no capacity for."""
        left = {self.table: [{"PutRequest": {"Item": item}} for item in items]}
        while left:
            left = self.client.batch_write_item(RequestItems=left)["UnprocessedItems"]

    def create_table(self) -> None:
        """Creates the table, paid by request, if it is missing."""
        try:
            self.client.create_table(
                TableName=self.table,
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": "key", "AttributeType": "S"}],
                KeySchema=[{"AttributeName": "key", "KeyType": "HASH"}],
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceInUseException":
                raise
        self.client.get_waiter("table_exists").wait(TableName=self.table)
