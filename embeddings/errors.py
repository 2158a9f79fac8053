"""What can go wrong with a model; a message names the next step."""


class ModelUnavailable(Exception):
    """The named model is not here, or its files can't be loaded."""


class NotCompilable(Exception):
    """The model can't run as a compiled graph; sentence-transformers may still run it."""
