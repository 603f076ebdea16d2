"""The demo's tool that needs approval: a Lambda function that sends no e-mail, but says that it did.

It is called with what its agent filled in, and knows from the client context who asked and who approved.
"""

from typing import Any


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    if not event.get("to"):
        raise ValueError("an e-mail needs a recipient")
    custom = context.client_context.custom
    return {"sent": True, "to": event["to"], "approved_by": custom["approvedBy"]}
