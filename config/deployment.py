"""What is deployed in numbers and names that no operator sets. `infra/` deploys it, `simulator/` copies it.

Times are in seconds, memory in MB.
"""

# Longer than all tries of its two calls: it answers 500 and counts that, rather than to be ended unheard.
RECEIVER_TIMEOUT = 25
CONTROL_TIMEOUT = 60
DEAD_LETTERS_TIMEOUT = 60
# For its share of a processor: Slack waits for 3 seconds, cold start included.
RECEIVER_MEMORY = 512
CONSUMER_MEMORY = 256

# Two: what people press is rare and quick.
CONTROL_CONCURRENCY = 2
# Two: the dead-letter queue should not compete with the living for Slack's rate limits.
DEAD_LETTERS_CONCURRENCY = 2

# Lambda refuses an event source whose queue hides a message for less than the function's timeout. AWS
# advises six times that, for batches and throttled functions (docs.aws.amazon.com/lambda/latest/dg/
# services-sqs-configure.html); with one message a batch, and never more of them than the function may run
# at once, it would only make a thread wait longer for the turn after a crash.
VISIBILITY_MARGIN = 30
# The longest there is: a question that expires in a queue would get no outcome, and nobody would know.
RETENTION = 14 * 24 * 3600

# The most that SQS counts. Receives are no tries: a message that has to wait, for another worker's lease or
# until Slack accepts the app, is received again and again. The worker counts a turn's tries in the ledger.
QUESTION_RECEIVES = 1000
# Nothing has to wait in the control queue: what failed so often is lost.
CONTROL_RECEIVES = 5

EVENTS = "/slack/events"
INTERACTIVITY = "/slack/interactivity"

# The ledger's partition and sort key, both strings, and the attribute by which an item ends.
TABLE_KEYS = ("turn_id", "item")
TABLE_TTL_ATTRIBUTE = "expires_at"
