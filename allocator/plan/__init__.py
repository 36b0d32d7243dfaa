"""The linear-programming layer: limits, problem, proof."""
