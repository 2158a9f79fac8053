"""The report of a run: one HTML file that stands on its own."""
