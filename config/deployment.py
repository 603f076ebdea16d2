"""Numbers and names of the deployment that no operator sets, for `infra/` and `simulator/`.

Times are in seconds, memory in MB.
"""

# Longer than all tries of its two calls, so that it can answer 500 and count that before Lambda stops it.
RECEIVER_TIMEOUT = 25
CONTROL_TIMEOUT = 60
DEAD_LETTERS_TIMEOUT = 60
# Slack and some agents are asked, with patience.
HEARTBEAT_TIMEOUT = 120
# Memory decides the share of a CPU. Slack waits 3 seconds, including a cold start.
RECEIVER_MEMORY = 256
CONSUMER_MEMORY = 192

# The lowest that Lambda allows: presses are rare and quick.
CONTROL_CONCURRENCY = 2
# The lowest that Lambda allows, so that dead letters take little of Slack's rate limits.
DEAD_LETTERS_CONCURRENCY = 2

# Seconds of a queue's visibility timeout beyond its function's timeout. Lambda refuses a shorter visibility
# timeout. AWS advises six times the timeout, for batches and throttled functions
# (docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html). Here a batch has one message and the
# concurrency is limited, so that would only delay a thread after a crash.
VISIBILITY_MARGIN = 30
# The longest that SQS allows, because a question that expires in a queue is lost silently.
RETENTION = 14 * 24 * 3600

# The most that SQS allows. A message that has to wait, for a lease or until Slack accepts the app, is
# received again and again; the worker counts a turn's tries in the ledger.
QUESTION_RECEIVES = 1000
# A message in the control queue never waits, so five receives are five failures.
CONTROL_RECEIVES = 5

EVENTS = "/slack/events"
INTERACTIVITY = "/slack/interactivity"

# The ledger's partition key and sort key, both strings, and its time-to-live attribute.
TABLE_KEYS = ("turn_id", "item")
TABLE_TTL_ATTRIBUTE = "expires_at"
