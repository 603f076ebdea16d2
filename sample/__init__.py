"""The sample agent, a virtual meteorologist: its two stacks, its instructions and its tools."""
