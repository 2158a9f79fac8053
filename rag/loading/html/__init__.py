"""HTML: the main text of a page, its tables, and what it says about itself."""
