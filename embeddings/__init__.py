"""Text to vectors: one protocol, one module per engine."""
