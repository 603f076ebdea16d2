"""The kinds of agents, one adapter each, and what the adapters share."""
