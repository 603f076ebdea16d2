"""A handler whose module raises while it is imported, as for a setting that is missing."""

raise KeyError("QUEUE_URL")
