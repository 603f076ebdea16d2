"""Slack's Web API and its files."""
