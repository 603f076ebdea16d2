"""The domain: questions, the agents that answer them, and the replies in a Slack thread.

No module here does I/O, reads a clock or imports boto3 or slack_sdk; `functions.adapters` does that.
"""
