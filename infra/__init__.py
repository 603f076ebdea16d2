"""What is deployed: one construct per component, wired and granted in `bridge_stack`."""
