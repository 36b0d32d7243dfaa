"""What the lines of the pipeline do: from a scenario to the layer that knows how, and back."""
