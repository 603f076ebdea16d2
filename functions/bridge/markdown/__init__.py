"""Prepares Markdown for Slack: parses it, disarms mentions and links, cuts it into messages."""
