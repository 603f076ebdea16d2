"""Functions that the bridge's are compared with."""

MODULES = "modules: "  # what `counted` writes before their number
