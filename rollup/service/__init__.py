"""The operator's service: one process with the node, its L1 sender, its provers and its API. `sluice node`."""
