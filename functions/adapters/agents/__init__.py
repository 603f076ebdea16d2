"""One adapter for each kind of agent, and what the adapters share."""
