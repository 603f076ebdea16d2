"""Transactions of DynamoDB in a table that has grown.

moto copies all of a table before a transaction, once for each write in it, and keeps the copies: after a
thousand questions that is seconds and gigabytes. A transaction changes the items that it names.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def only_named_items(account: str, region: str, body: bytes) -> Iterator[None]:
    """Meanwhile the tables of a TransactWriteItems have no items but those under the keys that it names.

    Nobody else may use them meanwhile.
    """
    from moto.dynamodb.models import dynamodb_backends
    from moto.dynamodb.models.dynamo_type import DynamoType

    tables = dynamodb_backends[account][region].tables
    everything = {}
    for write in json.loads(body).get("TransactItems", []):
        for operation in write.values():
            name = operation.get("TableName")
            if name not in tables:
                continue
            table = tables[name]
            if name not in everything:
                everything[name], table.items = table.items, defaultdict(dict)
            key = operation.get("Key", operation.get("Item", {})).get(table.hash_key_attr)
            partition = DynamoType(key) if key else None
            if partition in everything[name]:
                table.items[partition] = everything[name].pop(partition)
    try:
        yield
    finally:
        for name, items in everything.items():
            items.update(tables[name].items)  # moto has another table there when it took all back
            tables[name].items = items
