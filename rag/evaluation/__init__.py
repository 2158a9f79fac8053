"""Offline evaluation against a set of questions, without any judge model."""
