"""Whether everything in an index agrees, what it costs where it does not, and mending it."""
