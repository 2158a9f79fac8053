"""Retrieval-augmented question answering whose every word can be checked."""
