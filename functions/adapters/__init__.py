"""Adapters, one module per outside system. Only these import boto3, botocore and slack_sdk."""
