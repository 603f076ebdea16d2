"""One record per turn, and what its owner may change in it."""
