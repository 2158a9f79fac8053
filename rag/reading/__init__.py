"""Passages to answers: one protocol, one module per reader."""
