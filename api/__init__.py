"""The HTTP door: routes, schemas, errors, and the page."""
