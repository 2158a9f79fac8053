"""Documents, passages and vectors: one protocol, one implementation per engine."""
