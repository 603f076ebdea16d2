"""The domain: what a question is, how its answer grows, and what every turn owes its thread.

Nothing here does I/O, reads a clock or knows boto3 or slack_sdk; `functions.adapters` does.
"""
