"""Markdown on its way into Slack: parsed, disarmed, kept whole while it grows, cut into messages."""
