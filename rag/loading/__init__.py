"""Files to text: one reader per format, run in a child process with limits."""
