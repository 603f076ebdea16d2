"""From a command to exactly one outcome."""
